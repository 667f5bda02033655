/**
 * An execution as a workflow. Its tag is persisted: a constant, never renamed.
 */
import * as Effect from "effect/Effect"
import * as Workflow from "effect/workflow/Workflow"
import { CorrelationId } from "../../domain/Ids.ts"
import { deploy } from "./Deploy.ts"
import { destroy } from "./Destroy.ts"
import { rollback } from "./Rollback.ts"
import { ExecutionContext, type StepServices, syncPaused, transitionExecution } from "../step/index.ts"

export const ExecutionWorkflow = Workflow.make("signalbox/Execution", {
  payload: { correlationId: CorrelationId },
  idempotencyKey: ({ correlationId }) => correlationId
})

/**
 * The body of the workflow: the kind of the request decides what is done.
 */
export const body: Effect.Effect<void, never, StepServices> = Effect.gen(function* () {
  const { journal } = yield* ExecutionContext
  yield* transitionExecution("started")
  yield* syncPaused
  switch (journal.request.kind) {
    case "deploy":
    case "deploy-stack":
      yield* deploy
      break
    case "rollback":
      yield* rollback
      break
    case "destroy":
    case "destroy-stack":
      yield* destroy
      break
    case "run":
    case "observe":
      return yield* Effect.die(new Error(`${journal.request.kind} is not carried out by this workflow`))
  }
  yield* journal.commit
})
