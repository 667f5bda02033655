import type { EventOf } from "../domain/Event.ts"
import { describeCause } from "./describe.ts"
import { shortSpan as span } from "./shortSpan.ts"
import { words } from "./words.ts"

type Alert = EventOf<"AlertRaised">

const compared = ({ n, thresholdMs = 0 }: Omit<Alert, "_tag" | "kind">, earlier: string): string =>
  n === undefined
    ? `longer than ${span(thresholdMs)}`
    : `longer than 95 % of ${n} earlier ${earlier} (${span(thresholdMs)})`

const stalled = (alert: Omit<Alert, "_tag" | "kind">): string => {
  const elapsed = span(alert.elapsedMs ?? 0)
  if (alert.stall === "silence") return `no progress for ${elapsed}`
  return alert.resource === undefined
    ? `${words(alert.stage ?? "deployment")} has taken ${elapsed}, ${compared(alert, "ones")}`
    : `${alert.resource} (${alert.resourceType ?? "resource"}) has taken ${elapsed}, ${compared(alert, "ones of its type")}`
}

const ended = ({ cause, elapsedMs, error, execution = "run", status = "completed" }: Omit<Alert, "_tag">): string => {
  const info = error ?? cause
  const after = elapsedMs === undefined ? "" : ` after ${span(elapsedMs)}`
  return `${execution} ${words(status)}${after}${info === undefined ? "" : `: ${describeCause(info)}`}`
}

/** The text of an alert, without its kind. */
export const alertText = (alert: Omit<Alert, "_tag">): string => {
  const where = alert.stack === undefined ? "" : `${alert.stack}: `
  switch (alert.kind) {
    case "stalled":
      return `${where}${stalled(alert)}`
    case "recovered":
      return alert.stall === "stage" ? "the slow step has finished" : "progress has resumed"
    case "overdue":
      return `running for ${span(alert.elapsedMs ?? 0)}, ${compared(alert, "executions")}`
    case "succeeded":
    case "failed":
      return ended(alert)
    case "monitoring_gap":
      return `not monitored for ${span(alert.elapsedMs ?? 0)}; the log has what happened meanwhile`
  }
}
