/**
 * What becomes of one delivery: sent, failed, or folded because it holds no more.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Estimate } from "../../analysis/Estimate.ts"
import { causeInfo } from "../../domain/errors/index.ts"
import type { ExecutionState } from "../../domain/Execution.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import { escalates, type Message, type MessageEta, stillTrue } from "../../domain/notification/index.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { LeaseStore } from "../../spi/LeaseStore.ts"
import type { NotificationSetup } from "../../spi/Notifications.ts"
import type { NotifyError } from "../../spi/NotifyError.ts"
import type { DeliveryState } from "../../spi/Outbox.ts"
import { estimate } from "../estimation/index.ts"
import { QueueStatus } from "../preview/index.ts"
import { afterFailure, attempt } from "./Attempt.ts"
import type { Channel } from "./Channel.ts"
import { foldedAfter } from "./summary.ts"

const folded = (nextAt: number) => ({ status: "folded" as const, nextAt })

/** The interval of an estimate. */
const etaOf = (now: number, left: Estimate | undefined): MessageEta | undefined =>
  left === undefined || left.low === null || left.high === null || left.n === null
    ? undefined
    : { earliest: Math.round(now + left.low), latest: Math.round(now + left.high), n: left.n }

/** The sender of a worker, and how often it has sent and failed. Nothing is written. */
export const makeSender = (setup: NotificationSetup, services: Context.Context<DeploymentStore | LeaseStore>) => {
  const store = Context.get(services, DeploymentStore)
  const counts = { sent: 0, failed: 0 }

  const overtaken = Effect.fnUntraced(function* (state: ExecutionState | undefined) {
    if (state === undefined) return false
    const environment = yield* store.environment(state.deploymentId, state.environment)
    return environment !== undefined && environment.last !== state.correlationId
  })

  /** What is known at the moment of sending, but not at the event. */
  const enriched = Effect.fnUntraced(function* (message: Message, state: ExecutionState | undefined) {
    const { facts } = message
    if (state === undefined || (facts.kind !== "waiting" && facts.kind !== "progress")) return message
    if (facts.kind === "progress") {
      const eta = etaOf(yield* Clock.currentTimeMillis, yield* estimate(state))
      return eta === undefined ? message : { ...message, facts: { ...facts, eta } }
    }
    const { ahead, left } = yield* QueueStatus.placeOf(state)
    const clearance = etaOf(yield* Clock.currentTimeMillis, left)
    const behind = ahead.map(({ by, correlationId, kind }) =>
      causeInfo("blocked_by_queue", {
        deployment: state.deploymentId,
        environment: state.environment,
        execution: correlationId,
        kind,
        by
      })
    )
    return { ...message, facts: { ...facts, behind, ...(clearance === undefined ? {} : { clearance }) } }
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
      if (!holds) return { ...row, updatedAt: now, ...folded(0) }
      // An estimate is worth having, but no notification waits for it.
      const told = yield* Effect.orElseSucceed(Effect.provide(enriched(message, state), services), () => message)
      return { ...row, updatedAt: now, status: "queued" as const, nextAt: now, message: told }
    }
    return holds && !(yield* overtaken(state)) ? undefined : { ...row, updatedAt: now, ...folded(now) }
  })

  /** With a link that acknowledges it, where that stops something. The link is not stored: who has it may use it. */
  const linked = (row: DeliveryState, now: number): DeliveryState =>
    setup.ackLinks === undefined || !escalates(setup.settings, row.message)
      ? row
      : {
          ...row,
          message: {
            ...row.message,
            links: [...row.message.links, { to: "acknowledge", url: setup.ackLinks.link(row.id, now) }]
          }
        }

  /**
   * Sends it once; `earlier` is the receipt that the channel gave last for its stream. Undefined if the channel has enough on
   * its way.
   */
  const send = Effect.fnUntraced(function* (channel: Channel, row: DeliveryState, earlier: DeliveryState["receipt"]) {
    const notifier = yield* channel.opened
    if (row.message.facts.kind === "acknowledged" && !notifier.capabilities.acknowledge) {
      return { ...row, ...folded(0) }
    }
    const begun = yield* Clock.currentTimeMillis
    // Others may have come first since it was chosen; nothing waits between this look and the entry.
    if (channel.freeAt(begun) > 0) return undefined
    channel.enter(begun)
    const outcome = yield* Effect.result(attempt(notifier, linked(row, begun), earlier, setup.template)).pipe(
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
