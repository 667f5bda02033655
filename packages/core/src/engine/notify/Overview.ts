/**
 * What is owed, planned and dead, for people.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { reject, type Rejected } from "../../api/Rejected.ts"
import { type Message, noticesOf, targetsOf } from "../../domain/notification/index.ts"
import type { DeploymentId } from "../../domain/Ids.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { LeaseStore } from "../../spi/LeaseStore.ts"
import type { NotificationSetup } from "../../spi/Notifications.ts"
import type { DeliveryState } from "../../spi/Outbox.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { settled } from "./chains.ts"
import { makeClaims } from "./Claims.ts"
import { deliveryId, linksTo, plan } from "./plan.ts"
import { after, beginning, eventsAfter } from "./Timeline.ts"

/** A message, a channel that it goes to, and why; what became of it, if it was planned already. */
export interface Explained {
  readonly message: Message
  readonly channel: string | null
  readonly why: string
  readonly afterMs: number
  readonly delivery: DeliveryState | undefined
}

const deploymentOf = Effect.fnUntraced(function* (id: string) {
  const found = yield* (yield* DeploymentStore).deployment(id as DeploymentId)
  return found === undefined
    ? undefined
    : { id: found.deploymentId, organization: found.organization, project: found.project }
})

/** All messages of a stream, by the configuration as it is now. */
export const explain = Effect.fnUntraced(function* (
  { settings }: NotificationSetup,
  stream: string
): Effect.fn.Return<ReadonlyArray<Explained>, Rejected | StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const events = yield* eventsAfter(stream, beginning)
  if (events.length === 0) return yield* reject("unknown_execution", { execution: stream })
  const deployment = yield* deploymentOf(events[0]!.deploymentId)
  const rows = new Map((yield* store.outbox.deliveries({ stream, limit: 10_000 })).map((row) => [row.id, row]))
  const explained: Array<Explained> = []
  let moment = beginning
  for (const stored of events) {
    const before = moment
    moment = after(before, stored)
    for (const { message } of noticesOf(stored, {
      deployment,
      before: before.state,
      after: moment.state,
      recent: moment.recent,
      links: linksTo(settings, moment)
    })) {
      const targets = targetsOf(settings, message)
      if (targets.length === 0)
        explained.push({ message, channel: null, why: "no route", afterMs: 0, delivery: undefined })
      for (const { afterMs, channel, why } of targets) {
        const id = deliveryId(message, channel, afterMs > 0 ? why : "")
        explained.push({ message, channel, why, afterMs, delivery: rows.get(id) })
      }
    }
  }
  return explained
})

/** What would be sent now: what is planned and due, and what would be planned. Nothing is written. */
export const preview = Effect.fnUntraced(function* ({
  deploymentId,
  settings
}: NotificationSetup): Effect.fn.Return<ReadonlyArray<DeliveryState>, StoreError, DeploymentStore> {
  const { outbox } = yield* DeploymentStore
  const now = yield* Clock.currentTimeMillis
  const channels = Object.keys(settings.channels)
  const due = yield* outbox.due({ deploymentId, until: now, channels, limit: 1_000 })
  const owed = yield* outbox.owed({ deploymentId, limit: 1_000 })
  const planned = yield* Effect.forEach(
    owed,
    Effect.fnUntraced(function* (row) {
      const { changes } = plan({
        settings,
        deployment: yield* deploymentOf(row.deploymentId),
        deploymentId: row.deploymentId,
        rows: yield* outbox.deliveries({ stream: row.stream, limit: 10_000 }),
        moment: beginning,
        mark: row.mark,
        events: yield* eventsAfter(row.stream, beginning),
        now
      })
      return changes.filter(({ status }) => status === "queued")
    })
  )
  return [...new Map([...due, ...planned.flat()].map((row) => [row.id, row])).values()]
})

/** Queues dead deliveries again, under the claims of their streams; returns the ones that no other process works on. */
export const revive = Effect.fnUntraced(function* (
  dead: ReadonlyArray<DeliveryState>
): Effect.fn.Return<ReadonlyArray<DeliveryState>, StoreError, DeploymentStore | LeaseStore> {
  const { outbox } = yield* DeploymentStore
  const claims = yield* makeClaims
  const one = Effect.fnUntraced(function* (row: DeliveryState) {
    const claim = yield* claims.enter(row.stream)
    if (claim === undefined) return undefined
    const now = yield* Clock.currentTimeMillis
    const rows = yield* outbox.deliveries({ stream: row.stream, channel: row.channel, limit: 10_000 })
    const queued: DeliveryState = { ...row, status: "queued", attempts: 0, nextAt: 0, createdAt: now, updatedAt: now }
    yield* outbox.write({ guards: [claim.lease], deliveries: settled(rows, [queued], now) })
    return queued
  })
  const revived = yield* Effect.forEach(dead, (row) =>
    Effect.catchTag(one(row), "LeaseLost", () => Effect.undefined)
  ).pipe(Effect.ensuring(claims.returnAll))
  return revived.filter((row) => row !== undefined)
})
