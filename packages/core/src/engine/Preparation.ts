/**
 * What every execution does before it changes anything: plan, and look at what is there.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { StackPlan } from "../domain/Release.ts"
import type { StackSpec } from "../domain/Spec.ts"
import type { Candidate } from "../spi/Provider.ts"
import { Observation } from "../spi/Provider.ts"
import { fillIn } from "./OutputReference.ts"
import { moveStage, providerOf, Run, stacks } from "./Run.ts"
import { call, refOf, step, type StepServices } from "./Step.ts"
import { StepFailed } from "./StepFailed.ts"

/**
 * Looks at every stack: an operation that somebody else has in flight blocks the execution.
 *
 * *Errors*: `blocked`, `failed`.
 *
 * @since 0.1.0
 */
export const healthCheck: Effect.Effect<void, StepFailed, StepServices> = Effect.gen(function* () {
  const { journal } = yield* Run
  yield* moveStage("health_check", "started")
  yield* Effect.forEach(
    yield* stacks,
    (stack) =>
      Effect.gen(function* () {
        // What is not there yet may need outputs that nobody has produced.
        if (fillIn(stack.properties, outputsSoFar(journal.state().stacks)).missing.length > 0) return
        yield* moveStage("health_check", "started", { stack: stack.name })
        const observed = yield* observe(stack)
        if (Object.keys(observed.outputs).length > 0) {
          yield* journal.record(`outputs/${stack.name}/before`, {
            _tag: "OutputsKept",
            stack: stack.name,
            outputs: observed.outputs
          })
        }
        yield* moveStage("health_check", "succeeded", { stack: stack.name })
      }),
    { concurrency: journal.request.spec.parallelism, discard: true }
  )
  yield* moveStage("health_check", "succeeded")
})

const outputsSoFar = (states: ReadonlyArray<{ readonly name: string; readonly outputs: StackOutputs }>) =>
  new Map(states.map(({ name, outputs }) => [name, outputs]))

type StackOutputs = Observation["outputs"]

const observe = Effect.fnUntraced(function* (
  stack: StackSpec
): Effect.fn.Return<Observation, StepFailed, StepServices> {
  const provider = yield* providerOf(stack)
  return yield* step({
    name: `observe/${stack.name}`,
    operation: "observe",
    stage: "health_check",
    stack: stack.name,
    success: Observation,
    execute: () =>
      Effect.gen(function* () {
        const observed = yield* call(provider.observe(yield* refOf(stack)))
        const { operation } = observed
        if (operation === null || !operation.foreign) return observed
        return yield* new StepFailed({
          why: "blocked",
          info: {
            code: "stack_busy",
            message: `${stack.name}: ${operation.description} is in flight and was not started by signalbox`,
            hint:
              observed.consoleUrl === undefined
                ? "Wait until it is over."
                : `Wait until it is over: ${observed.consoleUrl}`
          }
        })
      })
  })
})

/**
 * Plans the stacks whose inputs are known; those that wait for outputs of others are planned when their turn comes.
 *
 * @since 0.1.0
 */
export const planAll = (candidateOf: (stack: StackSpec) => Candidate): Effect.Effect<void, StepFailed, StepServices> =>
  Effect.gen(function* () {
    const { journal } = yield* Run
    const outputs = outputsSoFar(journal.state().stacks)
    yield* Effect.forEach(
      (yield* stacks).filter(({ properties }) => fillIn(properties, outputs).missing.length === 0),
      (stack) => planStack(stack, candidateOf(stack)),
      { concurrency: journal.request.spec.parallelism, discard: true }
    )
  })

/**
 * Plans one stack; asked again it returns the same plan.
 *
 * @since 0.1.0
 */
export const planStack = Effect.fnUntraced(function* (
  stack: StackSpec,
  candidate: Candidate
): Effect.fn.Return<StackPlan, StepFailed, StepServices> {
  const { journal } = yield* Run
  const provider = yield* providerOf(stack)
  yield* moveStage("initialization", "started", { stack: stack.name })
  const plan = yield* step({
    name: `plan/${stack.name}`,
    operation: "plan",
    stage: "initialization",
    stack: stack.name,
    success: StackPlan,
    execute: () => Effect.flatMap(refOf(stack), (ref) => call(provider.plan(ref, candidate)))
  })
  yield* journal.record(`planned/${stack.name}`, { _tag: "StackPlanned", stack: stack.name, plan })
  yield* moveStage("initialization", "succeeded", { stack: stack.name })
  return plan
})
