/** The engine; a module of its own so that it is loaded when it is needed: not for help, not for a wrong command line. */
import { Execution } from "@signalbox/core/domain"

export { Gate } from "@signalbox/core/analysis"
export {
  CanDeploy,
  Configuration,
  deploymentIdOf,
  Estimating,
  Monitor,
  Orphans,
  Queueing,
  Recorded,
  Reconciling,
  Replaying,
  RunnerIdentity,
  Signalbox,
  spansOf,
  Sweeping
} from "@signalbox/core/engine"

/** Folds an event into the state of its execution. */
export const evolve = Execution.evolve
