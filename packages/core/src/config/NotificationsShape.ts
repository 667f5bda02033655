/**
 * The shape of the part `notifications`.
 */
import * as Schema from "effect/Schema"
import { EnvironmentName, StackName } from "../domain/Ids.ts"
import {
  AcknowledgeSpec,
  ChannelName,
  EscalationSpec,
  HoursZone,
  NotificationKind,
  RouteSpec,
  Severity,
  TimeOfDay,
  TraceUrl,
  Weekday
} from "../domain/notification/index.ts"
import { formatPath } from "./ConfigurationIssue.ts"
import { type Inspect, isObject, leaf, list, optional, record, struct, wrong } from "./ShapeWalk.ts"

const oneOrMore =
  (key: string, item: Inspect): Inspect =>
  (value, path) =>
    Array.isArray(value) ? list(key, item)(value, path) : item(value, path)

const hours = struct("hours", {
  from: leaf(TimeOfDay, "timeOfDay"),
  until: leaf(TimeOfDay, "timeOfDay"),
  days: optional(list("days", leaf(Weekday, "weekday"))),
  timezone: optional(leaf(HoursZone, "timezone"))
})
const when = optional(
  struct("when", {
    environment: optional(oneOrMore("environmentName", leaf(EnvironmentName, "environmentName"))),
    stack: optional(oneOrMore("name", leaf(StackName, "name"))),
    kind: optional(oneOrMore("notificationKind", leaf(NotificationKind, "notificationKind"))),
    severity: optional(oneOrMore("severity", leaf(Severity, "severity"))),
    hours: optional(hours)
  })
)
const to = oneOrMore("to", leaf(ChannelName, "to"))
const options: Inspect = (value, path) => (isObject(value) ? [] : [wrong(value, path, "options")])

const isName = Schema.is(ChannelName)
const channelName: Inspect = (value, path) =>
  isName(value)
    ? []
    : [
        {
          path: formatPath(path),
          message: "expected the name of a channel as the key",
          expected: "a name of 1 to 63 lower-case letters, digits or '-'",
          hint: "Use lower-case letters, digits and '-'."
        }
      ]

const channel = struct("channel", { kind: leaf(Schema.NonEmptyString, "channelKind"), options: optional(options) })

/** All issues of the shape. */
export const notifications: Inspect = struct("notifications", {
  channels: record("channels", channelName, channel),
  routes: optional(
    list(
      "routes",
      struct("route", {
        when,
        to,
        atMost: leaf(RouteSpec.fields.atMost, "atMost"),
        group: leaf(RouteSpec.fields.group, "group")
      })
    )
  ),
  acknowledge: optional(
    struct("acknowledge", {
      url: leaf(AcknowledgeSpec.fields.url, "acknowledgeUrl"),
      secret: leaf(AcknowledgeSpec.fields.secret, "acknowledgeSecret"),
      validFor: leaf(AcknowledgeSpec.fields.validFor, "validFor")
    })
  ),
  links: optional(struct("links", { trace: optional(leaf(TraceUrl, "traceUrl")) })),
  escalate: optional(
    list("escalate", struct("escalation", { when, to, after: leaf(EscalationSpec.fields.after, "after") }))
  )
})
