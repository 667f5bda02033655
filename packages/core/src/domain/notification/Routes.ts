/**
 * Where notifications go: the part `notifications` of a configuration.
 */
import * as Schema from "effect/Schema"
import { EnvironmentName, StackName } from "../Ids.ts"
import { Json } from "../Release.ts"
import { Span } from "../Span.ts"
import { Hours } from "./Hours.ts"
import { NotificationKind, Severity } from "./Kinds.ts"

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

/** Which messages a route is for: they match each of its keys, and happen within its `hours`. */
export const RouteWhen = Schema.Struct({
  environment: Schema.optionalKey(oneOrMore(EnvironmentName)),
  stack: Schema.optionalKey(oneOrMore(StackName)),
  kind: Schema.optionalKey(oneOrMore(NotificationKind)),
  severity: Schema.optionalKey(oneOrMore(Severity)),
  hours: Schema.optionalKey(Hours)
})
export type RouteWhen = typeof RouteWhen.Type

/**
 * A route.
 *
 * *Details*: progress goes to a channel at most once in `atMost` (default 30 seconds) for each execution. With `group`,
 * what happens within that time is sent together, as a list.
 */
export const RouteSpec = Schema.Struct({
  when: Schema.optionalKey(RouteWhen),
  to: oneOrMore(ChannelName),
  atMost: Schema.optionalKey(Span),
  group: Schema.optionalKey(Span)
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

/** The address of a trace, `https://…`, with `${trace}` where its ID stands. */
export const TraceUrl = Schema.String.check(
  Schema.isPattern(/^https?:\/\/\S*\$\{trace\}\S*$/, { expected: "a URL with ${trace}" }),
  Schema.isMaxLength(1_024)
)

/**
 * Links that acknowledge: the address of what takes them, the secret that signs them, and how long they hold (default 7 days).
 */
export const AcknowledgeSpec = Schema.Struct({
  url: Schema.String.check(Schema.isPattern(/^https?:\/\/\S+$/, { expected: "a URL" }), Schema.isMaxLength(1_024)),
  secret: Schema.Struct({ $secret: Schema.String.check(Schema.isMinLength(1)) }),
  validFor: Schema.optionalKey(Span)
})

/**
 * Notifications, as configured.
 *
 * *Details*: without routes, everything of severity `critical` or `warning`, completed executions and recoveries go to all
 * channels. `links.trace` is where traces are shown. With `acknowledge`, what escalates has a link that stops it.
 */
export const NotificationsSpec = Schema.Struct({
  channels: Schema.Record(ChannelName, ChannelSpec),
  routes: Schema.optionalKey(Schema.Array(RouteSpec)),
  escalate: Schema.optionalKey(Schema.Array(EscalationSpec)),
  acknowledge: Schema.optionalKey(AcknowledgeSpec),
  links: Schema.optionalKey(Schema.Struct({ trace: Schema.optionalKey(TraceUrl) }))
})
export type NotificationsSpec = typeof NotificationsSpec.Type
