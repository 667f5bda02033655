/**
 * The execution of `destroy` and `destroy-stack`.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Graph from "../../domain/Graph.ts"
import type { StackSpec } from "../../domain/Spec.ts"
import { endWithNothingChanged, stackFailed } from "./FailureHandling.ts"
import * as GraphTraversal from "./GraphTraversal.ts"
import { healthCheck } from "./Preparation.ts"
import {
  call,
  endStages,
  ExecutionContext,
  mutationOf,
  providerOf,
  refOf,
  stacks,
  step,
  type StepFailed,
  type StepServices,
  transitionDeployment,
  transitionExecution,
  transitionStack,
  transitionStage,
  within
} from "../step/index.ts"

/**
 * Removes the stacks, dependents first. A missing stack counts as destroyed.
 */
export const destroy: Effect.Effect<void, never, StepServices> = Effect.gen(function* () {
  const { journal } = yield* ExecutionContext
  yield* transitionDeployment("destroy_started")
  yield* transitionStage("initialization", "started")
  yield* transitionStage("initialization", "succeeded")
  const prepared = yield* Effect.result(healthCheck)
  if (prepared._tag === "Failure") return yield* endWithNothingChanged(prepared.failure)

  yield* transitionStage("destruction", "started")
  const all = yield* stacks
  const outcomes = yield* GraphTraversal.traverse({
    nodes: Graph.reverse(all),
    parallelism: journal.request.spec.parallelism,
    work: ({ name }) => {
      const stack = all.find((spec) => spec.name === name)!
      return Effect.tapError(destroyStack(stack), (failure) =>
        Effect.andThen(stackFailed(stack, failure), transitionStack(name, "destroy_failed", { error: failure.info }))
      )
    }
  })

  const failure = [...outcomes.values()].flatMap((end) => (end._tag === "Failed" ? [end.error] : []))[0]
  if (failure === undefined) {
    yield* transitionStage("destruction", "succeeded")
    yield* transitionDeployment("destroy_completed")
    return yield* transitionExecution("completed")
  }
  yield* endStages("failed", { cause: failure.because })
  yield* transitionDeployment("destroy_failed", failure.because)
  yield* transitionExecution("failed", { error: failure.info })
})

const destroyStack = Effect.fnUntraced(function* (stack: StackSpec): Effect.fn.Return<void, StepFailed, StepServices> {
  const provider = yield* providerOf(stack)
  const name = `destroy/${stack.name}`
  yield* transitionStage("destruction", "started", { stack: stack.name })
  yield* transitionStack(stack.name, "destroy_started")
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
  yield* transitionStage("destruction", "succeeded", { stack: stack.name })
  yield* transitionStack(stack.name, "destroy_completed", { release: null })
})
