/**
 * The Events API v2 of PagerDuty on loopback.
 */
import { type HttpReceiver, openHttpReceiver, type ReceiverAnswer, type ShownNotification } from "./HttpReceiver.ts"

/** An alert, or a change event. */
export interface PagerDutyItem extends ShownNotification {
  readonly kind: "alert" | "change"
  readonly status: "triggered" | "acknowledged" | "resolved" | "reported"
}

/** PagerDuty, and what it shows. */
export interface PagerDutyServer extends HttpReceiver {
  readonly shown: () => ReadonlyArray<PagerDutyItem>
}

const statuses = { trigger: "triggered", acknowledge: "acknowledged", resolve: "resolved" } as const

/**
 * Opens one on a free port.
 *
 * *Details*: it knows one `routingKey`. Events for alerts that are not open are accepted and have no effect.
 */
export const openPagerDutyServer = async (routingKey: string): Promise<PagerDutyServer> => {
  const items: Array<PagerDutyItem> = []
  const accepted = { status: 202, body: JSON.stringify({ status: "success", message: "Event processed" }) }
  const rejected = (error: string): ReceiverAnswer => ({
    status: 400,
    body: JSON.stringify({ status: "invalid event", message: "Event object is invalid", errors: [error] })
  })
  const wrongKey = rejected("Invalid routing key")

  const receiver = await openHttpReceiver(
    ({ body: raw, path }) => {
      const { routing_key: given, ...event } = JSON.parse(raw) as {
        readonly routing_key: string
        readonly event_action: keyof typeof statuses
        readonly dedup_key?: string
        readonly payload?: { readonly summary?: string; readonly source?: string; readonly severity?: string }
      }
      if (given !== routingKey) return wrongKey
      const { dedup_key: key, event_action: action, payload } = event
      const text = JSON.stringify(payload ?? {})
      if (payload !== undefined && (payload.summary ?? "") === "")
        return rejected("'payload.summary' is missing or blank")
      if ((payload?.summary?.length ?? 0) > 1_024) return rejected("'payload.summary' is too long")
      if (path === "/v2/change/enqueue") {
        items.push({ id: `change-${items.length}`, text, raw, changes: 0, kind: "change", status: "reported" })
        return accepted
      }
      if (key === undefined || key.length > 255) return rejected("'dedup_key' is invalid")
      const open = items.findIndex(({ id, status }) => id === key && status !== "resolved")
      const status = statuses[action]
      if (action === "trigger") {
        if (!["critical", "error", "warning", "info"].includes(String(payload?.severity)))
          return rejected("'payload.severity' is invalid")
        if (open === -1) items.push({ id: key, text, raw, changes: 0, kind: "alert", status })
        else items[open] = { ...items[open]!, text, raw, changes: items[open]!.changes + 1 }
      } else if (open !== -1) items[open] = { ...items[open]!, status, changes: items[open]!.changes + 1 }
      return accepted
    },
    () => ({ Denied: wrongKey })
  )
  return { ...receiver, shown: () => [...items] }
}
