/**
 * A receiver of webhooks. It shows a delivery once, by its `webhook-id`.
 */
import { type HttpReceiver, openHttpReceiver, type ShownNotification } from "./HttpReceiver.ts"

/** A receiver of webhooks, and what it shows. */
export interface WebhookReceiver extends HttpReceiver {
  readonly shown: () => ReadonlyArray<ShownNotification>
}

/** All texts in a JSON value, one a line. */
const textsIn = (value: unknown): string =>
  typeof value === "string"
    ? value
    : typeof value === "object" && value !== null
      ? Object.values(value).map(textsIn).join("\n")
      : ""

/**
 * Opens one on a free port of loopback.
 *
 * *Details*: signatures are kept with the calls and not verified.
 */
export const openWebhookReceiver = async (): Promise<WebhookReceiver> => {
  const shown = new Map<string, ShownNotification>()
  const receiver = await openHttpReceiver(({ body, headers }) => {
    const key = String(headers["webhook-id"])
    if (!shown.has(key)) shown.set(key, { id: key, key, text: textsIn(JSON.parse(body)), raw: body, changes: 0 })
    return { status: 202 }
  })
  return { ...receiver, shown: () => [...shown.values()] }
}
