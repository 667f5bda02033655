import type * as Crypto from "node:crypto"

// `node:crypto` takes 6 ms to load, and most commands of the CLI hash nothing.
let loaded: typeof Crypto | undefined
const crypto = () => (loaded ??= process.getBuiltinModule("node:crypto"))

/** Starts a SHA-256. */
export const sha256 = (): Crypto.Hash => crypto().createHash("sha256")

/** The SHA-256 of bytes in memory, in hexadecimal digits. */
export const sha256Of = (bytes: Uint8Array): string => crypto().hash("sha256", bytes, "hex")
