import type { StackHealth } from "@signalbox/core/api"
import type { VerdictKind } from "@signalbox/core/spi"
import { span } from "../live/words.ts"

/** The health of one stack, with the reason. An unobserved value is never a pass. */
export const judge = (
  { errors: counts, expected, name, observation, provider, windowMs }: StackHealth,
  bounds: { readonly minHealthy: number; readonly maxErrors: number }
) => {
  const counted =
    "stable" in observation && observation.stable !== null ? observation.health[observation.stable.id] : undefined
  const view = (verdict: VerdictKind, reason: string) => ({
    name,
    provider,
    verdict,
    reason,
    release: "stable" in observation ? observation.stable : null,
    status: "stable" in observation ? observation.status : null,
    traffic: "stable" in observation ? observation.traffic : [],
    trafficSource: "stable" in observation ? (observation.trafficSource ?? "measured") : null,
    endpoints: "stable" in observation ? (observation.endpoints ?? {}) : {},
    health: counted === undefined ? null : { unit: "instance" as const, ...counted },
    errors: counts?.errors ?? null,
    requests: counts?.requests ?? null
  })
  if (!("stable" in observation)) return view("error", observation.message)
  const { operation, stable, status } = observation
  if (status === "absent" || stable === null) {
    return expected ? view("fail", "nothing is there") : view("no_data", "not deployed")
  }
  if (status === "unknown") return view("no_data", "its state cannot be told")
  if (status === "failed") return view("fail", observation.reason ?? "its last change failed")
  if (counted === undefined || counted.total === 0) return view("fail", "no instance of the stable release is there")
  const percent = Math.round((counted.healthy / counted.total) * 1000) / 10
  const ready = counted.healthy > 0 ? "ready" : "the stable release is not ready"
  const instances =
    counted.unit === "release"
      ? ready
      : `${counted.healthy} of ${counted.total} instances healthy (${percent}%, at least ${bounds.minHealthy}%)`
  if (percent < bounds.minHealthy) return view("fail", instances)
  if (counts !== null && counts.errors > bounds.maxErrors) {
    return view("fail", `${counts.errors} errors in ${span(windowMs)} (at most ${bounds.maxErrors})`)
  }
  const errors = counts === null ? "" : `, ${counts.errors} errors in ${span(windowMs)} (at most ${bounds.maxErrors})`
  return view("pass", `${instances}${errors}${operation === null ? "" : `; in progress: ${operation.description}`}`)
}
