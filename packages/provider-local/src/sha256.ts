import type { Hash } from "node:crypto"

// `node:crypto` takes 6 ms to load, and most commands of the CLI hash nothing.
const crypto = () => process.getBuiltinModule("node:crypto")

/** Starts a SHA-256. */
export const sha256 = (): Hash => crypto().createHash("sha256")

/** The SHA-256 of bytes that are all there, in hexadecimal digits. */
export const sha256Of = (bytes: Uint8Array): string => crypto().hash("sha256", bytes, "hex")
