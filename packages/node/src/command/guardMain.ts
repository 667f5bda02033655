/**
 * The entry of the guard as a separate process.
 */
import { runGuard } from "./Guard.ts"

runGuard()
