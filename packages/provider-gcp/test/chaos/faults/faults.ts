/**
 * Whole lives while calls are throttled, and connections are cut after their effect.
 */
import type { Mutation, ProviderError } from "@signalbox/core/spi"
import { answers, faultProxy } from "@signalbox/fault-proxy"
import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { testMutation } from "../../../../core/src/testing/provider/testMutation.ts"

/** How a life carries out one step after the other. */
export interface Steps {
  /** Repeats what may be repeated, under the same key, as core does. */
  readonly ask: <A>(call: Effect.Effect<A, ProviderError>) => Promise<A>
  readonly mutation: (key: string) => Mutation
}

/** A platform of its own, and what happens there. `live` reaches it at the address of the proxy. */
export interface Life {
  readonly target: string
  readonly live: (steps: Steps, url: string) => Promise<void>
  /** The changes that took effect. */
  readonly changes: () => number
  readonly close: () => Promise<void>
}

const persistently = async <A>(call: Effect.Effect<A, ProviderError>): Promise<A> => {
  for (let attempt = 0; ; attempt++) {
    const result = await Effect.runPromise(Effect.result(call))
    if (result._tag === "Success") return result.success
    if (!result.failure.isRetryable || attempt === 100) throw result.failure
  }
}

/** The answers of a real service ask for more; the tests have no time. */
const soon = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "0.01s" }

const throttled = answers.google({
  status: 429,
  code: "RESOURCE_EXHAUSTED",
  message: "Too many requests.",
  details: [soon]
})

/** Lives once through a proxy; with a seed, through one that throttles 30 % of the calls and cuts 20 %. */
const lived = async (make: () => Promise<Life>, seed: number | null) => {
  const { changes, close, live, target } = await make()
  const proxy = await faultProxy({ target, seed: seed ?? 0 })
  try {
    if (seed !== null) {
      proxy.add({ probability: 0.3, fault: { answer: throttled } })
      proxy.add({ probability: 0.2, fault: { cut: "after" } })
    }
    const handles = new Map<string, string | null>()
    await live({ ask: persistently, mutation: (key) => testMutation(key, { handles }) }, proxy.url)
    return { calls: proxy.calls.length, changes: changes() }
  } finally {
    await proxy.close()
    await close()
  }
}

/** Compares lives under faults with one without, and returns how many times more calls they took. */
export const underFaults = async (make: () => Promise<Life>, seeds: number): Promise<number> => {
  const [clean, ...faulty] = await Promise.all([null, ...Array(seeds).keys()].map((seed) => lived(make, seed)))
  for (const [seed, { changes }] of faulty.entries()) assert.equal(changes, clean!.changes, `changes of seed ${seed}`)
  return faulty.reduce((sum, { calls }) => sum + calls, 0) / seeds / clean!.calls
}
