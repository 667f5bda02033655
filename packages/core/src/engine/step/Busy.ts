/**
 * Waits for operations that Signalbox did not start.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as EventId from "../../domain/EventId.ts"
import { causeInfo } from "../../domain/errors/index.ts"
import type { StackSpec } from "../../domain/Spec.ts"
import type { ProviderError, ProviderReason } from "../../spi/ProviderError.ts"
import { ExecutionContext } from "./ExecutionContext.ts"
import { CurrentStep, timeLeft, timeoutOf } from "./Step.ts"

/** How often it is asked whether the operation is over. */
const interval = Duration.seconds(10)

/**
 * Repeats a call while a foreign operation is in progress, if the stack is configured to wait: within the time of the
 * stage; in a rollback, within the timeout of the stack.
 */
export const waitingForOthers = <A, R>(
  call: Effect.Effect<A, ProviderError, R>
): Effect.Effect<A, ProviderError, R | ExecutionContext> =>
  Effect.gen(function* () {
    const step = yield* CurrentStep
    const { journal } = yield* ExecutionContext
    const stack = journal.request.spec.stacks.find(({ name }) => name === step?.stack)
    if (step === undefined || stack?.onBusy !== "wait") return yield* call
    const began = yield* Clock.currentTimeMillis
    while (true) {
      const result = yield* Effect.result(call)
      if (result._tag === "Success" || result.failure.reason._tag !== "Busy") return yield* Effect.fromResult(result)
      const left =
        step.stage === "rollback"
          ? began + (yield* timeoutOf(stack)) - (yield* Clock.currentTimeMillis)
          : yield* timeLeft(stack, step.stage)
      // What is in progress is reported, and not a timeout.
      if (left <= Duration.toMillis(interval)) return yield* Effect.fromResult(result)
      yield* told(stack, step.name, result.failure.reason)
      yield* Effect.sleep(interval)
    }
  })

const told = (stack: StackSpec, step: string, reason: Extract<ProviderReason, { readonly _tag: "Busy" }>) =>
  Effect.flatMap(ExecutionContext, ({ journal }) =>
    journal.record(EventId.waitedFor(step, `${reason.operation}/${reason.since ?? ""}`), {
      _tag: "ProgressReported",
      stack: stack.name,
      cause: causeInfo("waits_for_operation", { since: reason.since }, reason.operation),
      ...(reason.url === undefined ? {} : { url: reason.url })
    })
  )
