/**
 * The guard of a command of `signalbox run`: this program again, as little of it as can be.
 */
import { runGuard } from "@signalbox/node/guard"

runGuard()
