/**
 * Words, states and events of Signalbox, without services or I/O.
 *
 * @since 0.1.0
 */
export * as Command from "./Command.ts"
export * as Environment from "./Environment.ts"
export * from "./Event.ts"
export * as Execution from "./Execution.ts"
export * as Freeze from "./freeze/Freeze.ts"
export { FreezeSpec } from "./freeze/FreezeSpec.ts"
export * as Graph from "./Graph.ts"
export * from "./Ids.ts"
export { IllegalTransition } from "./Illegal.ts"
export { escapeUnfit, Line, unfitIn } from "./Line.ts"
export * as Machine from "./Machine.ts"
export * from "./Machines.ts"
export * as Queue from "./Queue.ts"
export * as Redaction from "./secrets/Redaction.ts"
export * from "./Release.ts"
export * from "./secrets/Secret.ts"
export * from "./Spec.ts"
export * from "./Verdict.ts"
