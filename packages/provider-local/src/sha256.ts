import type { Hash } from "node:crypto"

/** Starts a SHA-256. `node:crypto` takes 6 ms to load, as long as the reading of a status: it waits for the first hash. */
export const sha256 = (): Hash => process.getBuiltinModule("node:crypto").createHash("sha256")
