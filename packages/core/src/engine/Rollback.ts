/**
 * The execution of `rollback`: every stack back to the checkpoint of the last execution that changed it.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { StackSpec } from "../domain/Spec.ts"
import { endWithNothingChanged, rollBackAll, rollBackTo } from "./Ending.ts"
import { healthCheck } from "./Preparation.ts"
import { endStages, moveDeployment, moveExecution, moveStage, Run, stacks } from "./Run.ts"
import type { StepServices } from "./Step.ts"
import type { StepFailed } from "./StepFailed.ts"
import { watch } from "./Watch.ts"

/**
 * Looks at what is there, rolls the stacks back, dependents first, and validates them.
 *
 * *Details*: the request holds the checkpoints, so that a resumed rollback goes to the same place.
 *
 * @since 0.1.0
 */
export const rollback: Effect.Effect<void, never, StepServices> = Effect.gen(function* () {
  yield* moveDeployment("deploy_started")
  yield* moveStage("initialization", "started")
  yield* moveStage("initialization", "succeeded")
  const prepared = yield* Effect.result(healthCheck)
  if (prepared._tag === "Failure") return yield* endWithNothingChanged(prepared.failure)

  yield* moveStage("rollback", "started")
  const broken = yield* rollBackAll(yield* stacks, (stack) =>
    Effect.flatMap(checkpointOf(stack), (checkpoint) => rollBackTo(stack, checkpoint))
  )
  if (broken !== undefined) return yield* failWith("rollback", broken)
  yield* moveStage("rollback", "succeeded")

  yield* moveStage("validation", "started")
  const validated = yield* Effect.result(Effect.forEach(yield* stacks, validate, { concurrency: 4, discard: true }))
  if (validated._tag === "Failure") return yield* failWith("validation", validated.failure)
  yield* moveStage("validation", "succeeded")
  yield* moveDeployment("deploy_completed")
  yield* moveExecution("completed")
})

const checkpointOf = (stack: StackSpec) =>
  Effect.map(
    Run,
    ({ journal }) =>
      journal.request.stacksWere.find(({ name }) => name === stack.name)?.checkpoint ?? {
        release: null,
        takenAt: 0,
        data: null
      }
  )

const validate = Effect.fnUntraced(function* (stack: StackSpec): Effect.fn.Return<void, StepFailed, StepServices> {
  const { release } = yield* checkpointOf(stack)
  if (release === null) return
  yield* moveStage("validation", "started", { stack: stack.name })
  yield* watch({
    stack,
    stage: "validation",
    label: "validation",
    release,
    weight: 100,
    bake: Duration.zero,
    samples: "if_any"
  })
  yield* moveStage("validation", "succeeded", { stack: stack.name })
})

const failWith = (stage: "rollback" | "validation", failure: StepFailed) =>
  Effect.gen(function* () {
    yield* moveStage(stage, "failed", { reason: failure.message })
    yield* endStages("failed", { reason: failure.message })
    yield* moveDeployment("deploy_failed", failure.message)
    yield* moveExecution("failed", { reason: failure.message, error: failure.info })
  })
