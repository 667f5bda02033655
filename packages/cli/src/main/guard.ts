/**
 * The guard of `signalbox run`: this program again, as little of it as possible.
 */
import { runGuard } from "@signalbox/node/guard"

runGuard()
