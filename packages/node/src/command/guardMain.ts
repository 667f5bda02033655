/**
 * The entry of the guard as a process of its own.
 */
import { runGuard } from "./Guard.ts"

runGuard()
