/**
 * Carries an execution to its end while showing it, and reports its outcome.
 */
import { executionView } from "@signalbox/core/api/views"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { CorrelationId, ErrorCode, Execution, LeaseLost, StoreError } from "@signalbox/core/spi"
import { hasExpired, isAway } from "../waiting/away.ts"
import { exitCodeOf } from "../main/ExitCode.ts"
import { type Failure, failure } from "../main/Failure.ts"
import { inkOf, type Invocation } from "../main/Invocation.ts"
import { watch } from "../live/watch.ts"
import { outcome } from "./outcome.ts"
import { signalbox } from "../main/services.ts"

/**
 * Runs it here (or follows its runner) and shows it; `queueTimeout` is how long it may wait for admission, `more` are
 * additional fields of the result.
 */
export const carry = Effect.fnUntraced(function* (
  invocation: Invocation,
  id: CorrelationId,
  queueTimeout?: number,
  more: object = {}
) {
  const box = yield* signalbox
  const last = yield* Effect.scoped(
    Effect.gen(function* () {
      const shown = yield* watch(invocation, id)
      if (queueTimeout !== undefined) {
        yield* Effect.forkScoped(box.executions.withdrawAfter(id, queueTimeout))
      }
      const state = yield* box.executions.run(id)
      yield* shown
      return state
    })
  ).pipe(
    Effect.onInterrupt(() => invocation.say(`the state is saved; carry on with: signalbox attach ${id}`)),
    Effect.catchIf(isAway, (error) => Effect.fail(leftBehind(id, "store_unavailable", error))),
    Effect.catchIf(hasExpired, (error) => Effect.fail(leftBehind(id, "lease_expired", error)))
  )
  yield* finish(invocation, last, more)
})

const leftBehind = (id: CorrelationId, code: ErrorCode, { message }: StoreError | LeaseLost): Failure =>
  failure({
    code,
    message,
    hint: `The state is saved. When the store can be reached again, carry on with: signalbox attach ${id}`
  })

/** Writes the result of an execution, with the command's additions, and sets the exit code. */
export const finish = Effect.fnUntraced(function* (
  invocation: Invocation,
  state: Execution.ExecutionState,
  more: object = {}
) {
  const now = yield* Clock.currentTimeMillis
  yield* invocation.result({ ...executionView(state, now), ...more }, () => outcome(state, inkOf(invocation)))
  yield* invocation.exit(exitCodeOf(state, invocation.host.signal()))
})
