/**
 * Whole lives of a service while calls are throttled, and connections are cut after their effect.
 */
import type { Provider, ProviderError } from "@signalbox/core/spi"
import { answers, faultProxy } from "@signalbox/fault-proxy"
import * as Effect from "effect/Effect"
import assert from "node:assert/strict"
import { testMutation } from "../../../core/src/testing/provider/testMutation.ts"
import type { GcpSimulator } from "../../src/testing/index.ts"
import { candidate, platform, providerOf, ref, service, sharesOf } from "../cloudrun/platform.ts"

/** Repeats what may be repeated, under the same key, as core does. */
const persistently = async <A>(call: Effect.Effect<A, ProviderError>): Promise<A> => {
  for (let attempt = 0; ; attempt++) {
    const result = await Effect.runPromise(Effect.result(call))
    if (result._tag === "Success") return result.success
    if (!result.failure.isRetryable || attempt === 100) throw result.failure
  }
}

/** Deploys v1, then v2 in two steps, goes back, and destroys. */
const live = async (simulator: GcpSimulator, provider: Provider): Promise<void> => {
  const { retire, shift } = provider.traffic!
  const deploy = async (version: string, ...shares: ReadonlyArray<number>) => {
    const plan = await persistently(provider.plan(ref, candidate(version)))
    const releaseId = plan.candidate.id
    await persistently(provider.stage(ref, { plan, capacityPercent: 100 }, testMutation(`stage-${version}`)))
    for (const percent of shares) {
      await persistently(shift(ref, { releaseId, percent }, testMutation(`shift-${version}-${percent}`)))
    }
    await persistently(retire(ref, { keep: releaseId, capacityPercent: 0 }, testMutation(`retire-${version}`)))
    return plan
  }
  await deploy("v1", 100)
  const { checkpoint } = await deploy("v2", 50, 100)
  assert.deepEqual(await sharesOf(simulator, 10), { v2: 100 })
  await persistently(provider.rollback(ref, checkpoint, testMutation("rollback")))
  assert.deepEqual(await sharesOf(simulator, 10), { v1: 100 })
  assert.equal(simulator.revisions(service).length, 2)
  await persistently(provider.destroy(ref, testMutation("destroy")))
  assert.equal(simulator.service(service), undefined)
}

/** The answers of a real service ask for more; the tests have no time. */
const soon = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "0.01s" }

const throttled = answers.google({
  status: 429,
  code: "RESOURCE_EXHAUSTED",
  message: "Too many requests.",
  details: [soon]
})

/** What a life took. */
export interface Life {
  readonly calls: number
  readonly changes: number
}

/** Lives once through a proxy; with a seed, through one that throttles 30 % of the calls and cuts 20 %. */
export const lived = async (seed: number | null): Promise<Life> => {
  // Polls are counted too: how many there are must not depend on the machine's speed.
  const simulator = await platform({ operationMillis: 0, operationReads: 5 })
  const proxy = await faultProxy({ target: simulator.rest, seed: seed ?? 0 })
  try {
    if (seed !== null) {
      proxy.add({ probability: 0.3, fault: { answer: throttled } })
      proxy.add({ probability: 0.2, fault: { cut: "after" } })
    }
    await live(simulator, providerOf(simulator, "rest", proxy.url))
    return {
      calls: proxy.calls.length,
      changes: simulator.changes.filter(({ failed }) => failed === undefined).length
    }
  } finally {
    await proxy.close()
    await simulator.close()
  }
}

/** Compares lives under faults with one without, and returns how many times more calls they took. */
export const underFaults = async (seeds: number): Promise<number> => {
  const [clean, ...faulty] = await Promise.all([null, ...Array(seeds).keys()].map(lived))
  for (const [seed, { changes }] of faulty.entries()) assert.equal(changes, clean!.changes, `changes of seed ${seed}`)
  return faulty.reduce((sum, { calls }) => sum + calls, 0) / seeds / clean!.calls
}
