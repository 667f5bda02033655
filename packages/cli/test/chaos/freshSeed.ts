import { randomInt } from "node:crypto"

/** A seed that no test has: those take small ones, the same each time. */
export const freshSeed = (): number => randomInt(1_000_000, 1_000_000_000)
