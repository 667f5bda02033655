/**
 * Where notifications go: the part `notifications` of a configuration, and which routes a message matches.
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { EnvironmentName, StackName } from "../Ids.ts"
import { Json } from "../Release.ts"
import { Span } from "../Span.ts"
import { type NotificationKind, notificationKinds, NotificationKind as Kind, Severity } from "./Kinds.ts"
import type { Message } from "./Message.ts"

const oneOrMore = <S extends Schema.Constraint>(item: S) => Schema.Union([item, Schema.Array(item)])

/** The name of a channel. */
export const ChannelName = Schema.String.check(
  Schema.isPattern(/^[a-z][a-z0-9-]{0,62}$/, { expected: "a name of 1 to 63 lower-case letters, digits or '-'" })
)

/** A channel: the `kind` of its notifier, and the options of that kind. Secrets in it are references. */
export const ChannelSpec = Schema.Struct({
  kind: Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(128)),
  options: Schema.optionalKey(Schema.Record(Schema.String, Json))
})
export type ChannelSpec = typeof ChannelSpec.Type

/** Which messages a route is for: those that match each of its keys. */
export const RouteWhen = Schema.Struct({
  environment: Schema.optionalKey(oneOrMore(EnvironmentName)),
  stack: Schema.optionalKey(oneOrMore(StackName)),
  kind: Schema.optionalKey(oneOrMore(Kind)),
  severity: Schema.optionalKey(oneOrMore(Severity))
})
export type RouteWhen = typeof RouteWhen.Type

/**
 * A route.
 *
 * *Details*: progress goes to a channel at most once in `atMost` (default 30 seconds) for each execution.
 */
export const RouteSpec = Schema.Struct({
  when: Schema.optionalKey(RouteWhen),
  to: oneOrMore(ChannelName),
  atMost: Schema.optionalKey(Span)
})
export type RouteSpec = typeof RouteSpec.Type

/**
 * An escalation: what is not acknowledged after a while goes to other channels, too.
 *
 * *Details*: by default for messages of severity `critical`.
 */
export const EscalationSpec = Schema.Struct({
  when: Schema.optionalKey(RouteWhen),
  after: Span,
  to: oneOrMore(ChannelName)
})
export type EscalationSpec = typeof EscalationSpec.Type

/**
 * Notifications, as configured.
 *
 * *Details*: without routes, everything of severity `critical` or `warning`, completed executions and recoveries go to all
 * channels.
 */
export const NotificationsSpec = Schema.Struct({
  channels: Schema.Record(ChannelName, ChannelSpec),
  routes: Schema.optionalKey(Schema.Array(RouteSpec)),
  escalate: Schema.optionalKey(Schema.Array(EscalationSpec))
})
export type NotificationsSpec = typeof NotificationsSpec.Type

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
    among(when.severity, [message.severity]))

/** Which messages are sent if no routes are configured. */
const usual = ({ facts: { kind }, severity }: Message): boolean =>
  severity !== "info" || kind === "completed" || kind === "recovered"

/** One channel that a message goes to, and why: `routes[1]`, `escalate[0]`, or `default`. */
export interface Target {
  readonly channel: string
  readonly why: string
  readonly afterMs: number
  readonly atMostMs: number
}

const usualPace = 30_000

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
  const add = (channel: string, why: string, atMostMs = usualPace) => {
    if (!now.has(channel)) now.set(channel, { channel, why, afterMs: 0, atMostMs })
  }
  if (routes === undefined) {
    if (usual(message)) for (const channel of Object.keys(channels)) add(channel, "default")
  } else {
    for (const [index, route] of routes.entries()) {
      if (!matches(route.when, message)) continue
      const pace = route.atMost === undefined ? usualPace : Duration.toMillis(route.atMost)
      for (const channel of channelsOf(route)) add(channel, `routes[${index}]`, pace)
    }
  }
  const later = escalate.flatMap((step, index) =>
    matches(step.when ?? { severity: "critical" }, message)
      ? channelsOf(step).map((channel) => ({
          channel,
          why: `escalate[${index}]`,
          afterMs: Duration.toMillis(step.after),
          atMostMs: usualPace
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
