import type { DeliveryState } from "../../spi/Outbox.ts"
import { errorView, messageText } from "../../text/index.ts"
import type { NoticeView } from "../NoticeView.ts"
import { instantOf } from "./instantOf.ts"

/** Shows a delivery. */
export const noticeView = (row: DeliveryState): NoticeView => {
  const error = row.error === null ? undefined : errorView(row.error)
  return {
    id: row.id,
    stream: row.stream,
    channel: row.channel,
    kind: row.message.facts.kind,
    severity: row.message.severity,
    status: row.status,
    title: messageText(row.message).title,
    why: row.why,
    attempts: row.attempts,
    at: instantOf(row.message.at),
    plannedAt: instantOf(row.createdAt),
    updatedAt: instantOf(row.updatedAt),
    nextAt: row.nextAt === 0 ? null : instantOf(row.nextAt),
    error: error === undefined ? null : { code: error.code, message: error.message, hint: error.hint ?? null },
    message: row.message
  }
}
