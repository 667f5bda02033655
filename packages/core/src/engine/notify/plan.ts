/**
 * What is owed becomes deliveries: pure, so that planning twice gives the same ones.
 */
import type { StoredEvent } from "../../domain/Event.ts"
import { type Message, type NotificationsSpec, noticesOf, targetsOf } from "../../domain/notification/index.ts"
import type { DeliveryState } from "../../spi/Outbox.ts"
import { sha256 } from "../../telemetry/sha256.ts"
import { withChanges } from "./chains.ts"
import { after, type Moment } from "./Timeline.ts"

/** The name of a message, by which it is acknowledged: its event and its kind. */
export const messageName = ({ event, facts }: Message): string => `${event}#${facts.kind}`

/** The id of a delivery follows from what it delivers: planning it again gives the same one. */
export const deliveryId = (message: Message, channel: string, step = ""): string =>
  sha256([message.stream, message.event, message.facts.kind, channel, step].join("\n")).slice(0, 32)

interface Planned {
  readonly moment: Moment
  readonly changes: ReadonlyArray<DeliveryState>
}

const unsettled = ({ status }: DeliveryState): boolean => status === "scheduled" || status === "queued"

/** An acknowledgement ends what is still to come of a message. */
const acknowledge = (rows: ReadonlyArray<DeliveryState>, of: string, now: number): ReadonlyArray<DeliveryState> =>
  rows.flatMap((row) =>
    unsettled(row) && messageName(row.message) === of
      ? [{ ...row, status: "acknowledged", nextAt: 0, updatedAt: now } as const]
      : []
  )

/** Progress is coalesced: at most one notice of it waits, and always says the newest. */
const coalesced = (rows: ReadonlyArray<DeliveryState>, fresh: DeliveryState, atMostMs: number): DeliveryState => {
  const earlier = rows.filter((row) => row.channel === fresh.channel && row.message.facts.kind === "progress")
  const waiting = earlier.find(unsettled)
  if (waiting !== undefined) return { ...waiting, message: fresh.message, updatedAt: fresh.updatedAt }
  const last = Math.max(0, ...earlier.map(({ updatedAt }) => updatedAt))
  return { ...fresh, status: "scheduled", nextAt: Math.max(fresh.nextAt, last + atMostMs) }
}

/**
 * The deliveries that follow from the events of one stream, and those that they change.
 *
 * *Details*: `rows` are the deliveries of the stream so far; the events come right after `moment`, and what follows from
 * events up to `mark` is planned already.
 */
export const plan = (options: {
  readonly settings: NotificationsSpec
  readonly deployment: Message["deployment"]
  readonly deploymentId: string
  readonly rows: ReadonlyArray<DeliveryState>
  readonly moment: Moment
  readonly mark: number
  readonly events: ReadonlyArray<StoredEvent>
  readonly now: number
}): Planned => {
  const { deployment, deploymentId, events, mark, now, settings } = options
  let { moment, rows } = options
  let changes: ReadonlyArray<DeliveryState> = []
  const change = (next: ReadonlyArray<DeliveryState>) => {
    changes = withChanges(changes, next)
    rows = withChanges(rows, next)
  }
  for (const stored of events) {
    const before = moment
    moment = after(before, stored)
    if (stored.seq <= mark) continue
    const exposedMs =
      moment.exposedAt === undefined || moment.state?.finishedAt === undefined
        ? undefined
        : moment.state.finishedAt - moment.exposedAt
    const context = {
      deployment,
      before: before.state,
      after: moment.state,
      recent: moment.recent,
      ...(exposedMs === undefined ? {} : { exposedMs })
    }
    for (const { afterMs, message } of noticesOf(stored, context)) {
      const { facts } = message
      if (facts.kind === "acknowledged") change(acknowledge(rows, facts.of, now))
      const targets =
        facts.kind === "acknowledged"
          ? [
              ...new Set(
                rows
                  .filter((row) => messageName(row.message) === facts.of && row.status === "sent")
                  .map(({ channel }) => channel)
              )
            ].map((channel) => ({ channel, why: "acknowledged", afterMs: 0, atMostMs: 0 }))
          : targetsOf(settings, message)
      for (const target of targets) {
        const escalates = target.afterMs > 0
        const id = deliveryId(message, target.channel, escalates ? target.why : "")
        if (rows.some((row) => row.id === id)) continue
        const wait = afterMs + target.afterMs
        const fresh: DeliveryState = {
          id,
          stream: stored.stream,
          deploymentId,
          seq: stored.seq,
          channel: target.channel,
          status: wait === 0 ? "queued" : "scheduled",
          attempts: 0,
          nextAt: wait === 0 ? 0 : stored.at + wait,
          createdAt: now,
          updatedAt: now,
          why: target.why,
          message,
          receipt: null,
          error: null
        }
        change([facts.kind === "progress" ? coalesced(rows, { ...fresh, nextAt: now }, target.atMostMs) : fresh])
      }
    }
  }
  return { moment, changes }
}
