/**
 * What becomes of one delivery: sent, failed, or folded because it holds no more.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ExecutionState } from "../../domain/Execution.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import { stillTrue } from "../../domain/notification/index.ts"
import type { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { NotificationSetup } from "../../spi/Notifications.ts"
import type { NotifyError } from "../../spi/NotifyError.ts"
import type { DeliveryState } from "../../spi/Outbox.ts"
import { afterFailure, attempt } from "./Attempt.ts"
import type { Channel } from "./Channel.ts"
import { foldedAfter } from "./summary.ts"

const folded = (nextAt: number) => ({ status: "folded" as const, nextAt })

/** The sender of a worker, and how often it has sent and failed. Nothing is written. */
export const makeSender = (setup: NotificationSetup, store: DeploymentStore["Service"]) => {
  const counts = { sent: 0, failed: 0 }

  const overtaken = Effect.fnUntraced(function* (state: ExecutionState | undefined) {
    if (state === undefined) return false
    const environment = yield* store.environment(state.deploymentId, state.environment)
    return environment !== undefined && environment.last !== state.correlationId
  })

  /** What becomes of a delivery before it is sent; undefined if it is to be sent. */
  const beforehand = Effect.fnUntraced(function* (row: DeliveryState) {
    const { message } = row
    const now = yield* Clock.currentTimeMillis
    const isOld = now - row.createdAt > foldedAfter
    if (row.status !== "scheduled" && !isOld) return undefined
    const state = message.execution === undefined ? undefined : yield* store.execution(row.stream as CorrelationId)
    const holds = stillTrue(message, state)
    if (row.status === "scheduled") {
      return { ...row, updatedAt: now, ...(holds ? { status: "queued" as const, nextAt: now } : folded(0)) }
    }
    return holds && !(yield* overtaken(state)) ? undefined : { ...row, updatedAt: now, ...folded(now) }
  })

  /** Sends it once; `earlier` is the receipt that the channel gave last for its stream. */
  const send = Effect.fnUntraced(function* (channel: Channel, row: DeliveryState, earlier: DeliveryState["receipt"]) {
    const notifier = yield* channel.opened
    if (row.message.facts.kind === "acknowledged" && !notifier.capabilities.acknowledge) {
      return { ...row, ...folded(0) }
    }
    channel.enter(yield* Clock.currentTimeMillis)
    const outcome = yield* Effect.result(attempt(notifier, row, earlier, setup.template)).pipe(
      Effect.onInterrupt(() => Effect.map(Clock.currentTimeMillis, (now) => channel.leave("refused", now)))
    )
    const now = yield* Clock.currentTimeMillis
    if (outcome._tag === "Success") {
      channel.leave("sent", now)
      counts.sent++
      return {
        ...row,
        status: "sent" as const,
        attempts: row.attempts + 1,
        nextAt: 0,
        updatedAt: now,
        receipt: outcome.success,
        error: null
      }
    }
    const error: NotifyError = outcome.failure
    channel.leave(error.isRetryable ? error : "refused", now)
    counts.failed++
    return yield* afterFailure(row, error)
  })

  return { counts, beforehand, send }
}
