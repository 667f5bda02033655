/** The engine; a separate module, so that it is loaded on demand: not for help, not for a wrong command line. */
import { Execution } from "@signalbox/core/domain"

export { Gate } from "@signalbox/core/analysis"
export { Configuration } from "@signalbox/core/config"
export {
  CanDeploy,
  deploymentIdOf,
  Monitor,
  RecordedManifest,
  Reconciliation,
  HistoryReplay,
  RunnerIdentity,
  Sweep
} from "@signalbox/core/engine"

/** Folds an event into the state of its execution. */
export const evolve = Execution.evolve
