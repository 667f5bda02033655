/**
 * What a channel did not get while it was away, or what a route collects, as one message.
 */
import { isGrouped, type Message, type SummaryItem } from "../../domain/notification/index.ts"
import type { DeliveryState } from "../../spi/Outbox.ts"
import { sha256 } from "../../telemetry/sha256.ts"
import { deliveryOf } from "./plan.ts"

/** What is older and no longer true is folded into a summary, in ms: 10 minutes. */
export const foldedAfter = 10 * 60_000

/** More are only counted. */
const listed = 50

const itemOf = ({ message }: DeliveryState): SummaryItem => ({
  kind: message.facts.kind,
  severity: message.severity,
  at: message.at,
  ...(message.execution === undefined ? {} : { execution: message.execution.id }),
  ...(message.environment === undefined ? {} : { environment: message.environment }),
  ...(message.execution?.version === undefined ? {} : { version: message.execution.version })
})

/** The delivery of a summary; `folded` are at least one, the oldest first. */
export const summaryOf = (channel: string, folded: ReadonlyArray<DeliveryState>, now: number): DeliveryState => {
  const [first] = folded
  const stream = `~${channel}`
  const id = sha256([channel, ...folded.map((row) => row.id)].join("\n")).slice(0, 32)
  const message: Message = {
    stream,
    seq: 0,
    event: `summary/${id}`,
    at: now,
    severity: "info",
    ...(first?.message.deployment === undefined ? {} : { deployment: first.message.deployment }),
    stacks: [],
    links: [],
    facts: {
      kind: "recovery_summary",
      since: first?.message.at ?? now,
      until: now,
      items: folded.slice(0, listed).map(itemOf),
      more: Math.max(0, folded.length - listed),
      ...(folded.every(isGrouped) ? { grouped: true } : {})
    }
  }
  const why = "recovery"
  return { ...deliveryOf(message, { channel, why, deploymentId: first?.deploymentId ?? "", now }), id }
}
