/** The trace of an execution, derived from its log. */
export { recordMetrics } from "./ExecutionMetrics.ts"
export { spansOf, tracedMark, type TraceLink, type TraceSpan } from "./Trace.ts"
export { TraceKeeper } from "./TraceKeeper.ts"
