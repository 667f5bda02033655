/**
 * What is owed becomes deliveries: pure, so that planning twice gives the same ones.
 */
import type { StoredEvent } from "../../domain/Event.ts"
import { isEnd, type Message, type NotificationsSpec, noticesOf, targetsOf } from "../../domain/notification/index.ts"
import type { DeliveryState } from "../../spi/Outbox.ts"
import { traceIdOf } from "../../telemetry/Ids.ts"
import { sha256 } from "../../telemetry/sha256.ts"
import { isUnsettled, withChanges } from "./chains.ts"
import { after, type Moment } from "./Timeline.ts"

/** The name of a message, by which it is acknowledged: its event and its kind. */
export const messageName = ({ event, facts }: Message): string => `${event}#${facts.kind}`

/** The id of a delivery follows from what it delivers: planning it again gives the same one. */
export const deliveryId = (message: Message, channel: string, step = ""): string =>
  sha256([message.stream, message.event, message.facts.kind, channel, step].join("\n")).slice(0, 32)

/** A delivery at its beginning; `wait` is how long after its event it is due. */
export const deliveryOf = (
  message: Message,
  {
    channel,
    deploymentId,
    now,
    id,
    step = "",
    wait = 0,
    why
  }: {
    readonly id?: string
    readonly channel: string
    readonly deploymentId: string
    readonly now: number
    readonly step?: string
    readonly wait?: number
    readonly why: string
  }
): DeliveryState => ({
  id: id ?? deliveryId(message, channel, step),
  stream: message.stream,
  deploymentId,
  seq: message.seq,
  channel,
  status: wait === 0 ? "queued" : "scheduled",
  attempts: 0,
  nextAt: wait === 0 ? 0 : message.at + wait,
  createdAt: now,
  updatedAt: now,
  why,
  message,
  receipt: null,
  error: null
})

/** Where more can be seen of an execution, as configured. */
export const linksTo = ({ links }: NotificationsSpec, { state }: Moment): Message["links"] =>
  links?.trace === undefined || state === undefined
    ? []
    : [{ to: "trace", url: links.trace.replaceAll("${trace}", traceIdOf(state.correlationId)) }]

interface Planned {
  readonly moment: Moment
  readonly changes: ReadonlyArray<DeliveryState>
}

/** An acknowledgement ends what is still to come of a message. */
const acknowledge = (rows: ReadonlyArray<DeliveryState>, of: string, now: number): ReadonlyArray<DeliveryState> =>
  rows.flatMap((row) =>
    isUnsettled(row) && messageName(row.message) === of
      ? [{ ...row, status: "acknowledged", nextAt: 0, updatedAt: now } as const]
      : []
  )

/** The end of an execution says more than progress that was not sent yet, or than that it waited. */
const overtaken = (rows: ReadonlyArray<DeliveryState>, now: number): ReadonlyArray<DeliveryState> =>
  rows.flatMap((row) =>
    row.status === "scheduled" && (row.message.facts.kind === "progress" || row.message.facts.kind === "waiting")
      ? [{ ...row, status: "folded", nextAt: 0, updatedAt: now } as const]
      : []
  )

/** Progress of a channel that waits already. It is coalesced: at most one notice of it waits, and always says the newest. */
const waitingProgress = (rows: ReadonlyArray<DeliveryState>, channel: string): DeliveryState | undefined =>
  rows.find((row) => row.channel === channel && row.message.facts.kind === "progress" && isUnsettled(row))

/** New progress, not before its pace allows it. */
const paced = (rows: ReadonlyArray<DeliveryState>, fresh: DeliveryState, atMostMs: number): DeliveryState => {
  const earlier = rows.filter((row) => row.channel === fresh.channel && row.message.facts.kind === "progress")
  const last = Math.max(0, ...earlier.map(({ updatedAt }) => updatedAt))
  return { ...fresh, status: "scheduled", nextAt: Math.max(fresh.nextAt, last + atMostMs) }
}

/**
 * The deliveries that follow from the events of one stream, and the earlier ones that they change.
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
      links: linksTo(settings, moment),
      ...(exposedMs === undefined ? {} : { exposedMs })
    }
    for (const { afterMs, message } of noticesOf(stored, context)) {
      const { facts } = message
      if (facts.kind === "acknowledged") change(acknowledge(rows, facts.of, now))
      if (isEnd(facts.kind)) change(overtaken(rows, now))
      const targets =
        facts.kind === "acknowledged"
          ? [
              ...new Set(
                rows
                  .filter((row) => messageName(row.message) === facts.of && row.status === "sent")
                  .map(({ channel }) => channel)
              )
            ].map((channel) => ({ channel, why: "acknowledged", afterMs: 0, atMostMs: 0, groupMs: 0 }))
          : targetsOf(settings, message)
      for (const target of targets) {
        const waiting = facts.kind === "progress" ? waitingProgress(rows, target.channel) : undefined
        if (waiting !== undefined) {
          change([{ ...waiting, message, updatedAt: now }])
          continue
        }
        const escalates = target.afterMs > 0
        const id = deliveryId(message, target.channel, escalates ? target.why : "")
        if (rows.some((row) => row.id === id)) continue
        const wait = afterMs + target.afterMs
        const fresh = deliveryOf(message, {
          id,
          channel: target.channel,
          why: target.why,
          deploymentId,
          now,
          wait
        })
        if (target.groupMs > 0) {
          // All streams have the same limits between groups, so that what belongs together comes due together.
          const nextAt = (Math.floor(now / target.groupMs) + 1) * target.groupMs
          change([{ ...fresh, status: "folded", nextAt }])
          continue
        }
        change([facts.kind === "progress" ? paced(rows, { ...fresh, nextAt: now }, target.atMostMs) : fresh])
      }
    }
  }
  return { moment, changes }
}
