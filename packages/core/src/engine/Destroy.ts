/**
 * The execution of `destroy` and `destroy-stack`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Graph from "../domain/Graph.ts"
import type { StackSpec } from "../domain/Spec.ts"
import { endWithNothingChanged, stackFailed } from "./Ending.ts"
import * as GraphRun from "./GraphRun.ts"
import { healthCheck } from "./Preparation.ts"
import { endStages, moveDeployment, moveExecution, moveStack, moveStage, providerOf, Run, stacks } from "./Run.ts"
import { call, mutationOf, refOf, step, type StepServices, within } from "./Step.ts"
import type { StepFailed } from "./StepFailed.ts"

/**
 * Takes the stacks away, dependents first. What is already gone counts as destroyed.
 *
 * @since 0.1.0
 */
export const destroy: Effect.Effect<void, never, StepServices> = Effect.gen(function* () {
  const { journal } = yield* Run
  yield* moveDeployment("destroy_started")
  yield* moveStage("initialization", "started")
  yield* moveStage("initialization", "succeeded")
  const prepared = yield* Effect.result(healthCheck)
  if (prepared._tag === "Failure") return yield* endWithNothingChanged(prepared.failure)

  yield* moveStage("destruction", "started")
  const all = yield* stacks
  const outcomes = yield* GraphRun.run({
    nodes: Graph.reverse(all),
    parallelism: journal.request.spec.parallelism,
    work: ({ name }) => {
      const stack = all.find((spec) => spec.name === name)!
      return Effect.tapError(destroyStack(stack), (failure) =>
        Effect.andThen(stackFailed(stack, failure), moveStack(name, "destroy_failed", { error: failure.info }))
      )
    }
  })

  const failure = [...outcomes.values()].flatMap((end) => (end._tag === "Failed" ? [end.error] : []))[0]
  if (failure === undefined) {
    yield* moveStage("destruction", "succeeded")
    yield* moveDeployment("destroy_completed")
    return yield* moveExecution("completed")
  }
  yield* endStages("failed", { reason: failure.message })
  yield* moveDeployment("destroy_failed", failure.message)
  yield* moveExecution("failed", { reason: failure.message, error: failure.info })
})

const destroyStack = Effect.fnUntraced(function* (stack: StackSpec): Effect.fn.Return<void, StepFailed, StepServices> {
  const provider = yield* providerOf(stack)
  const name = `destroy/${stack.name}`
  yield* moveStage("destruction", "started", { stack: stack.name })
  yield* moveStack(stack.name, "destroy_started")
  yield* within(
    stack,
    "destruction",
    step({
      name,
      operation: "destroy",
      stage: "destruction",
      stack: stack.name,
      success: Schema.Null,
      execute: () =>
        Effect.gen(function* () {
          const ref = yield* refOf(stack)
          yield* call(provider.destroy(ref, yield* mutationOf(stack, name)))
          return null
        })
    })
  )
  yield* moveStage("destruction", "succeeded", { stack: stack.name })
  yield* moveStack(stack.name, "destroy_completed", { release: null })
})
