import type { ObservedStack } from "@signalbox/core/api"
import type { VerdictKind } from "@signalbox/core/spi"
import { span } from "../live/words.ts"

interface Bounds {
  /** Whether something should be there. */
  readonly expected: boolean
  readonly errors: { readonly errors: number; readonly requests: number } | null
  readonly windowMs: number
  readonly minHealthy: number
  readonly maxErrors: number
}

/** How one stack is, with the reason. What could not be seen is never a pass. */
export const judge = ({ name, observation, provider }: ObservedStack, bounds: Bounds) => {
  const view = (verdict: VerdictKind, reason: string) => ({
    name,
    provider,
    verdict,
    reason,
    release: "stable" in observation ? observation.stable : null,
    status: "stable" in observation ? observation.status : null,
    errors: bounds.errors?.errors ?? null,
    requests: bounds.errors?.requests ?? null
  })
  if (!("stable" in observation)) return view("error", observation.message)
  const { health, operation, stable, status } = observation
  if (status === "absent" || stable === null) {
    return bounds.expected ? view("fail", "nothing is there") : view("no_data", "not deployed")
  }
  if (status === "unknown") return view("no_data", "its state cannot be told")
  if (status === "failed") return view("fail", observation.reason ?? "its last change failed")
  const counted = health[stable.id]
  if (counted === undefined || counted.total === 0) return view("fail", "no instance of the stable release is there")
  const percent = Math.round((counted.healthy / counted.total) * 1000) / 10
  const instances = `${counted.healthy} of ${counted.total} instances healthy (${percent}%, at least ${bounds.minHealthy}%)`
  if (percent < bounds.minHealthy) return view("fail", instances)
  if (bounds.errors !== null && bounds.errors.errors > bounds.maxErrors) {
    return view("fail", `${bounds.errors.errors} errors in ${span(bounds.windowMs)} (at most ${bounds.maxErrors})`)
  }
  const errors =
    bounds.errors === null
      ? ""
      : `, ${bounds.errors.errors} errors in ${span(bounds.windowMs)} (at most ${bounds.maxErrors})`
  return view("pass", `${instances}${errors}${operation === null ? "" : `; under way: ${operation.description}`}`)
}
