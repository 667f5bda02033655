import * as Schema from "effect/Schema"
import { Message, NotificationKind, Severity } from "../domain/notification/index.ts"
import { DeliveryState } from "../spi/Outbox.ts"
import { Instant } from "./Instant.ts"

/**
 * A notification to one channel, as it is shown.
 *
 * *Details*: `title` is the message in one line. `nextAt` is when it is tried next; null if it is not, or if it stands behind
 * another one.
 */
export const NoticeView = Schema.Struct({
  id: Schema.String,
  stream: Schema.String,
  channel: Schema.String,
  kind: NotificationKind,
  severity: Severity,
  status: DeliveryState.fields.status,
  title: Schema.String,
  why: Schema.String,
  attempts: Schema.Int,
  at: Instant,
  plannedAt: Instant,
  updatedAt: Instant,
  nextAt: Schema.NullOr(Instant),
  error: Schema.NullOr(
    Schema.Struct({ code: Schema.String, message: Schema.String, hint: Schema.NullOr(Schema.String) })
  ),
  message: Message
}).annotate({ identifier: "NoticeView" })
export type NoticeView = typeof NoticeView.Type
