/**
 * A notification as events of PagerDuty, without the routing key.
 */
import { type Json, type Message, type MessageText, type NotificationKind, utf8Length } from "@signalbox/core/spi"
import { shrunk } from "../render/shrunk.ts"

/** The maximum of all events of a notification. PagerDuty takes 512 kB each; people read much less. */
export const maxBytes = 20_000

const alert = "/v2/enqueue"
const change = "/v2/change/enqueue"

/** They end an alert that is open, and report a change. */
const resolving: ReadonlySet<NotificationKind> = new Set(["completed", "cancelled", "recovered"])

/** The key of an alert: the correlation ID, so that all notifications of an execution are about one alert. */
export const dedupKey = ({ environment, execution, stream }: Message): string =>
  (execution?.id ?? [stream, environment].filter((part) => part !== undefined).join("/")).slice(0, 255)

/** An event of PagerDuty, and the path that it goes to. */
export interface PagerDutyEvent {
  readonly path: string
  readonly body: { readonly [key: string]: Json }
}

/**
 * The events, in the order in which they are sent: the last one is the only one that adds something when it is repeated.
 */
export const pagerDutyEvents = (message: Message, text: MessageText): Json => {
  const { deployment, environment, facts, severity } = message
  const dedup_key = dedupKey(message)
  if (facts.kind === "acknowledged") {
    return [{ path: alert, body: { event_action: "acknowledge", dedup_key } }]
  }
  const summary = text.title.slice(0, 1_000).replace(/[\ud800-\udbff]$/, "")
  const links = text.links
    .filter(({ url }) => /^https?:\/\//.test(url) && url.length <= 2_000)
    .slice(0, 5)
    .map(({ label, url }) => ({ href: url, text: label }))
  const source = [deployment?.id ?? "signalbox", environment].filter((part) => part !== undefined).join("/")
  const details: Json = {
    ...Object.fromEntries(text.fields.map(({ name, value }) => [name, value])),
    lines: [...text.lines]
  }
  const isAlert = severity !== "info" && !resolving.has(facts.kind)
  const events = (custom_details: Json): Json => {
    const resolve = { path: alert, body: { event_action: "resolve", dedup_key } }
    const trigger = {
      path: alert,
      body: {
        event_action: "trigger",
        dedup_key,
        client: "Signalbox",
        links,
        payload: { summary, source, severity, timestamp: new Date(message.at).toISOString(), custom_details }
      }
    }
    const report = {
      path: change,
      body: { links, payload: { summary, source, timestamp: new Date(message.at).toISOString(), custom_details } }
    }
    return isAlert ? [trigger] : [...(resolving.has(facts.kind) ? [resolve] : []), report]
  }
  return shrunk(details, events, (all) => utf8Length(JSON.stringify(all)) <= maxBytes)
}
