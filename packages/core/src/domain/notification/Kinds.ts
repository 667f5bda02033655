/**
 * The kinds of notifications, and how urgent each is. Both are stored with deliveries, so they are added to and never
 * renamed.
 */
import * as Schema from "effect/Schema"

/** How urgent a notification is. */
export const Severity = Schema.Literals(["critical", "warning", "info"])
export type Severity = typeof Severity.Type

/** The severity of each kind, unless what happened says otherwise. */
export const severities = {
  started: "info",
  waiting: "info",
  progress: "info",
  approval_requested: "warning",
  paused: "warning",
  stalled: "warning",
  recovered: "info",
  overdue: "warning",
  monitoring_gap: "warning",
  completed: "info",
  failed: "critical",
  cancelled: "warning",
  rolled_back: "critical",
  locked: "info",
  unlocked: "info",
  lease_revoked: "warning",
  vetoed: "warning",
  veto_lifted: "info",
  freeze_overridden: "warning",
  drift: "warning",
  acknowledged: "info",
  recovery_summary: "info",
  test: "info"
} as const satisfies Readonly<Record<string, Severity>>

/** What a notification reports. */
export type NotificationKind = keyof typeof severities

/** All kinds, in the order in which the documentation lists them. */
export const notificationKinds = Object.keys(severities) as ReadonlyArray<NotificationKind>

export const NotificationKind = Schema.Literals(notificationKinds)

/** Kinds after which an execution changes no more. */
export const isEnd = (kind: NotificationKind): boolean =>
  kind === "completed" || kind === "failed" || kind === "cancelled" || kind === "rolled_back"
