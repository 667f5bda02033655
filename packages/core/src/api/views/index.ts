/**
 * Creates the views from the facade's answers, without the schemas, so that a program that only prints loads none.
 */
export { calibrationView, metricsView, percentile, replayView } from "./analysis.ts"
export {
  blockerView,
  canDeployView,
  cleanupView,
  estimateView,
  environmentLockView,
  leaseView,
  lockView,
  placeView,
  registeredView,
  vetoView
} from "./coordination.ts"
export { deploymentView, environmentView, planView, stackNames } from "./deployment.ts"
export { eventView, executionView, logLineView, runnerView, stageView } from "./execution.ts"
export { instantOf } from "./instantOf.ts"
export { noticeView } from "./notice.ts"
