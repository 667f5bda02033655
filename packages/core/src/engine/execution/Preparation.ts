/**
 * What every execution does before it changes anything: plan, and look at the current state.
 */
import * as Effect from "effect/Effect"
import * as EventId from "../../domain/EventId.ts"
import { causeInfo } from "../../domain/errors/index.ts"
import { StackPlan } from "../../domain/Release.ts"
import type { StackSpec } from "../../domain/Spec.ts"
import { type Candidate, foreignOperation, Observation, type Provider, type StackRef } from "../../spi/Provider.ts"
import { ProviderError } from "../../spi/ProviderError.ts"
import { deployedRelease, withNotices, wrongTarget } from "../admission/index.ts"
import { outputsOf } from "./ObservedRelease.ts"
import { fillIn } from "../../config/OutputSubstitution.ts"
import {
  call,
  ExecutionContext,
  mutationOf,
  observing,
  outputs,
  providerOf,
  refOf,
  stacks,
  step,
  StepFailed,
  type StepServices,
  transitionStage
} from "../step/index.ts"

/**
 * Looks at every stack: a foreign operation in progress blocks the execution.
 *
 * *Errors*: `blocked`, `failed`.
 */
export const healthCheck: Effect.Effect<void, StepFailed, StepServices> = Effect.gen(function* () {
  const { journal } = yield* ExecutionContext
  const before = yield* outputs("before")
  yield* transitionStage("health_check", "started")
  yield* Effect.forEach(
    yield* stacks,
    (stack) =>
      Effect.gen(function* () {
        const { missing } = fillIn(stack.properties, before)
        if (missing.length > 0) {
          const cause = causeInfo("waits_for_outputs", { outputs: missing })
          return yield* transitionStage("health_check", "skipped", { stack: stack.name, cause })
        }
        yield* transitionStage("health_check", "started", { stack: stack.name })
        const observed = yield* observe(stack)
        if (Object.keys({ ...observed.outputs, ...observed.endpoints }).length > 0) {
          yield* journal.record(EventId.outputs(stack.name, "before"), {
            _tag: "OutputsRecorded",
            stack: stack.name,
            ...outputsOf(observed)
          })
        }
        yield* transitionStage("health_check", "succeeded", { stack: stack.name })
      }),
    { concurrency: journal.request.spec.parallelism, discard: true }
  )
  yield* transitionStage("health_check", "succeeded")
})

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
      Effect.flatMap(refOf(stack, "before"), (ref) =>
        observing(Effect.flatMap(checkFence(provider, stack, ref), (observed) => checkIdle(provider, stack, observed)))
      )
  })
})

/** A foreign operation in progress is waited for, or blocks the execution. */
const checkIdle = (
  provider: Provider,
  stack: StackSpec,
  observed: Observation
): Effect.Effect<Observation, ProviderError> => {
  const { consoleUrl } = observed
  const operation = foreignOperation(observed)
  if (operation === undefined) return Effect.succeed(observed)
  return Effect.fail(
    new ProviderError({
      provider: provider.kind,
      operation: "observe",
      stackName: stack.name,
      reason: {
        _tag: "Busy",
        message: operation.description,
        operation: operation.description,
        ...(operation.startedAt === null ? {} : { since: operation.startedAt }),
        ...(consoleUrl === undefined ? {} : { url: consoleUrl })
      }
    })
  )
}

/** Looks at a stack. A provider that has seen a newer fence would refuse every mutation: that is detected here. */
const checkFence = Effect.fnUntraced(function* (
  provider: Provider,
  stack: StackSpec,
  ref: StackRef
): Effect.fn.Return<Observation, ProviderError, ExecutionContext> {
  const { ahead, lock } = yield* ExecutionContext
  const observed = yield* provider.observe(ref)
  const own = lock.lease().fence
  const newest = Math.max(ahead.get(provider.kind) ?? 0, observed.fence ?? 0)
  if (newest <= own) return observed
  return yield* new ProviderError({
    provider: provider.kind,
    operation: "observe",
    stackName: stack.name,
    reason: {
      _tag: "Fenced",
      message: `fence ${own} is older than ${newest}, which ${provider.kind} has seen`,
      fence: newest
    }
  })
})

/**
 * Plans the stacks whose inputs were known at the request; the others are planned when they start.
 */
export const planAll = (candidateOf: (stack: StackSpec) => Candidate): Effect.Effect<void, StepFailed, StepServices> =>
  Effect.gen(function* () {
    const { journal } = yield* ExecutionContext
    const before = yield* outputs("before")
    yield* Effect.forEach(
      (yield* stacks).filter(({ properties }) => fillIn(properties, before).missing.length === 0),
      (stack) => planWith(stack, candidateOf(stack), "before"),
      { concurrency: journal.request.spec.parallelism, discard: true }
    )
  })

/**
 * The plan of a stack that starts: the initial one, or a new one if its inputs became known or changed since.
 */
export const planStack = Effect.fnUntraced(function* (
  stack: StackSpec,
  candidate: Candidate
): Effect.fn.Return<StackPlan, StepFailed, StepServices> {
  const before = fillIn(stack.properties, yield* outputs("before"))
  const now = fillIn(stack.properties, yield* outputs("now"))
  const same = before.missing.length === 0 && JSON.stringify(before.value) === JSON.stringify(now.value)
  return yield* planWith(stack, candidate, same ? "before" : "now")
})

const planWith = Effect.fnUntraced(function* (
  stack: StackSpec,
  candidate: Candidate,
  when: "before" | "now"
): Effect.fn.Return<StackPlan, StepFailed, StepServices> {
  const { journal, timeouts } = yield* ExecutionContext
  const provider = yield* providerOf(stack)
  const name = when === "before" ? stack.name : `${stack.name}/again`
  yield* transitionStage("initialization", "started", { stack: stack.name })
  const plan = yield* step({
    name: `plan/${name}`,
    operation: "plan",
    stage: "initialization",
    stack: stack.name,
    success: StackPlan,
    execute: () =>
      Effect.gen(function* () {
        const ref = yield* refOf(stack, when)
        const plan = yield* call(provider.plan(ref, candidate, yield* mutationOf(stack, `plan/${name}`)))
        const info = wrongTarget(ref, plan)
        if (info !== undefined) return yield* new StepFailed({ why: "failed", info })
        return yield* withNotices(stack, provider, ref, plan, deployedRelease(journal.request.stacksBefore, stack.name))
      })
  })
  if (plan.timeoutMs !== undefined) timeouts.set(stack.name, plan.timeoutMs)
  yield* journal.record(EventId.planned(name), { _tag: "StackPlanned", stack: stack.name, plan })
  yield* transitionStage("initialization", "succeeded", { stack: stack.name })
  return plan
})
