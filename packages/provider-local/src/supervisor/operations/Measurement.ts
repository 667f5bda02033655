/**
 * Counts the requests of a release, and its ready instances.
 */
import { monotonic } from "../proxy/Requests.ts"
import type { Counted } from "../Protocol.ts"
import type { Stack } from "../Stack.ts"

export const measure = (stack: Stack, releaseId: string, window: number): Counted => {
  const known = stack.state.releases[releaseId]
  const healthy =
    known === undefined || known.wanted === 0
      ? null
      : Math.min(100, (100 * stack.readyOf(releaseId).length) / known.wanted)
  if (known === undefined) return { requests: 0, errors: 0, latency: null, healthy }
  return stack.requestsOf(releaseId).measure(monotonic(), window, healthy)
}
