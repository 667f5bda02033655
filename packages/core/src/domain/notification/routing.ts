/**
 * Which channels a message goes to.
 */
import * as Duration from "effect/Duration"
import { isWithin } from "./Hours.ts"
import { type NotificationKind, notificationKinds } from "./Kinds.ts"
import type { Message } from "./Message.ts"
import type { EscalationSpec, NotificationsSpec, RouteWhen } from "./Routes.ts"

const listOf = <A>(value: A | ReadonlyArray<A> | undefined): ReadonlyArray<A> =>
  value === undefined ? [] : Array.isArray(value) ? (value as ReadonlyArray<A>) : [value as A]

/** The channels of a route. */
export const channelsOf = ({ to }: { readonly to: string | ReadonlyArray<string> }): ReadonlyArray<string> => listOf(to)

const among = (wanted: string | ReadonlyArray<string> | undefined, found: ReadonlyArray<string>): boolean =>
  wanted === undefined || listOf(wanted).some((one) => found.includes(one))

const stackOf = ({ facts, stacks }: Message): ReadonlyArray<string> =>
  "stack" in facts && facts.stack !== undefined ? [facts.stack] : stacks.map(({ name }) => name)

/** Whether a message matches. */
export const matches = (when: RouteWhen | undefined, message: Message): boolean =>
  when === undefined ||
  (among(when.environment, message.environment === undefined ? [] : [message.environment]) &&
    among(when.stack, stackOf(message)) &&
    among(when.kind, [message.facts.kind]) &&
    among(when.severity, [message.severity]) &&
    (when.hours === undefined || isWithin(when.hours, message.at)))

/** Which messages are sent if no routes are configured. */
const usual = ({ facts: { kind }, severity }: Message): boolean =>
  severity !== "info" || kind === "completed" || kind === "recovered"

/** One channel that a message goes to, and why: `routes[1]`, `routes[1].group`, `escalate[0]`, or `default`. */
export interface Target {
  readonly channel: string
  readonly why: string
  readonly afterMs: number
  readonly atMostMs: number
  /** What happens within this time is sent together; 0 for at once. */
  readonly groupMs: number
}

const concerns = ({ when }: EscalationSpec, message: Message): boolean =>
  matches(when ?? { severity: "critical" }, message)

/** Whether a message goes further unless it is acknowledged. */
export const escalates = ({ escalate = [] }: NotificationsSpec, message: Message): boolean =>
  escalate.some((step) => concerns(step, message))

const usualPace = 30_000
const grouped = ".group"

/** Whether a delivery waits for others of its group, by the reason of its target. */
export const isGrouped = ({ why }: { readonly why: string }): boolean => why.endsWith(grouped)

/**
 * Where a message goes: to each channel once, by the first route that names it; later ones by escalation.
 *
 * *Details*: told to channels by an acknowledgement, a test or a summary are the callers' own affair.
 */
export const targetsOf = (
  { channels, escalate = [], routes }: NotificationsSpec,
  message: Message
): ReadonlyArray<Target> => {
  const now = new Map<string, Target>()
  const add = (channel: string, why: string, atMostMs = usualPace, groupMs = 0) => {
    if (!now.has(channel)) now.set(channel, { channel, why, afterMs: 0, atMostMs, groupMs })
  }
  if (routes === undefined) {
    if (usual(message)) for (const channel of Object.keys(channels)) add(channel, "default")
  } else {
    for (const [index, route] of routes.entries()) {
      if (!matches(route.when, message)) continue
      const pace = route.atMost === undefined ? usualPace : Duration.toMillis(route.atMost)
      const group = route.group === undefined ? 0 : Duration.toMillis(route.group)
      const why = `routes[${index}]${group > 0 ? grouped : ""}`
      for (const channel of channelsOf(route)) add(channel, why, pace, group)
    }
  }
  const later = escalate.flatMap((step, index) =>
    concerns(step, message)
      ? channelsOf(step).map((channel) => ({
          channel,
          why: `escalate[${index}]`,
          afterMs: Duration.toMillis(step.after),
          atMostMs: usualPace,
          groupMs: 0
        }))
      : []
  )
  return [...now.values(), ...later]
}

/** The kinds that may be sent at all, so that others need no row. */
export const wantedKinds = ({ escalate = [], routes }: NotificationsSpec): ReadonlySet<NotificationKind> => {
  if (routes === undefined) return new Set(notificationKinds.filter((kind) => kind !== "progress"))
  const of = (when: RouteWhen | undefined) =>
    when?.kind === undefined ? notificationKinds : (listOf(when.kind) as ReadonlyArray<NotificationKind>)
  return new Set([...routes, ...escalate].flatMap(({ when }) => of(when)))
}
