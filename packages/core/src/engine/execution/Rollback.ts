/**
 * The execution of `rollback`: every stack back to the checkpoint of the last execution that changed it, or to what the
 * deployment was after an earlier one.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as EventId from "../../domain/EventId.ts"
import type { Checkpoint } from "../../domain/Release.ts"
import type { StackSpec } from "../../domain/Spec.ts"
import { endWithNothingChanged, keptInLockstep, rollbackStacks, rollbackStack } from "./FailureHandling.ts"
import { healthCheck } from "./Preparation.ts"
import { watchRelease } from "./ReleaseWatch.ts"
import {
  endStages,
  ExecutionContext,
  stacks,
  StepFailed,
  type StepServices,
  transitionDeployment,
  transitionExecution,
  transitionStage
} from "../step/index.ts"

/**
 * Looks at the current state, rolls the stacks back, dependents first, and validates them.
 *
 * *Details*: the request holds the checkpoints, so that a resumed rollback goes to the same place.
 */
export const rollback: Effect.Effect<void, never, StepServices> = Effect.gen(function* () {
  yield* transitionDeployment("deploy_started")
  yield* transitionStage("initialization", "started")
  yield* transitionStage("initialization", "succeeded")
  const prepared = yield* Effect.result(healthCheck)
  if (prepared._tag === "Failure") return yield* endWithNothingChanged(prepared.failure)

  yield* transitionStage("rollback", "started")
  const { broken, kept } = yield* rollbackStacks(yield* stacks, (stack) =>
    Effect.flatMap(checkpointOf(stack), (checkpoint) =>
      Effect.as(Effect.andThen(keepCheckpoint(stack, checkpoint), rollbackStack(stack, checkpoint)), undefined)
    )
  )
  if (kept !== undefined) {
    const { journal } = yield* ExecutionContext
    return yield* failWith("rollback", new StepFailed({ why: "failed", info: keptInLockstep(kept, journal) }))
  }
  if (broken !== undefined) return yield* failWith("rollback", broken)
  yield* transitionStage("rollback", "succeeded")

  yield* transitionStage("validation", "started")
  const validated = yield* Effect.result(Effect.forEach(yield* stacks, validate, { concurrency: 4, discard: true }))
  if (validated._tag === "Failure") return yield* failWith("validation", validated.failure)
  yield* transitionStage("validation", "succeeded")
  yield* transitionDeployment("deploy_completed")
  yield* transitionExecution("completed")
})

const checkpointOf = (stack: StackSpec) =>
  Effect.map(
    ExecutionContext,
    ({ journal }) =>
      journal.request.stacksBefore.find(({ name }) => name === stack.name)?.checkpoint ?? {
        release: null,
        takenAt: 0,
        data: null
      }
  )

/** The stack's own checkpoint would still be newer than what it goes back to. */
const keepCheckpoint = (stack: StackSpec, checkpoint: Checkpoint) =>
  Effect.flatMap(ExecutionContext, ({ journal }) =>
    journal.request.to === undefined
      ? Effect.void
      : journal.record(EventId.checkpoint(stack.name), { _tag: "CheckpointRecorded", stack: stack.name, checkpoint })
  )

const validate = Effect.fnUntraced(function* (stack: StackSpec): Effect.fn.Return<void, StepFailed, StepServices> {
  const { release } = yield* checkpointOf(stack)
  if (release === null) return
  yield* transitionStage("validation", "started", { stack: stack.name })
  yield* watchRelease({
    stack,
    stage: "validation",
    label: "validation",
    release,
    weight: 100,
    bake: Duration.zero,
    samples: "if_any"
  })
  yield* transitionStage("validation", "succeeded", { stack: stack.name })
})

const failWith = (stage: "rollback" | "validation", failure: StepFailed) =>
  Effect.gen(function* () {
    yield* transitionStage(stage, "failed", { cause: failure.because })
    yield* endStages("failed", { cause: failure.because })
    yield* transitionDeployment("deploy_failed", failure.because)
    yield* transitionExecution("failed", { error: failure.info })
  })
