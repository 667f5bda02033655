/** What an execution does, stage by stage, and what it does on failure. */
export type { CommandExecution, CommandOutcome } from "./CommandExecution.ts"
export * as OperatorCommands from "./OperatorCommands.ts"
export * as Runner from "./Runner.ts"
