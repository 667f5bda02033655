import type { Hash } from "node:crypto"

/** Starts a SHA-256. `node:crypto` takes 6 ms to load, and most commands of the CLI hash nothing. */
export const sha256 = (): Hash => process.getBuiltinModule("node:crypto").createHash("sha256")
