/**
 * Whole lives of a service while calls are throttled, and connections are cut after their effect.
 */
import type { Provider, ProviderError } from "@signalbox/core/spi"
import { testMutation } from "@signalbox/core/testing"
import { answers, type FaultProxy, faultProxy } from "@signalbox/fault-proxy"
import * as Effect from "effect/Effect"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import type { GcpSimulator } from "../../src/testing/index.ts"
import { candidate, platform, providerOf, ref, service, sharesOf } from "./platform.ts"

let simulator: GcpSimulator
const proxies: Array<FaultProxy> = []
beforeEach(async () => {
  simulator = await platform()
})
afterEach(async () => {
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()))
  await simulator.close()
})

/** Repeats what may be repeated, under the same key, as core does. */
const persistently = async <A>(call: Effect.Effect<A, ProviderError>): Promise<A> => {
  for (let attempt = 0; ; attempt++) {
    const result = await Effect.runPromise(Effect.result(call))
    if (result._tag === "Success") return result.success
    if (!result.failure.isRetryable || attempt === 100) throw result.failure
  }
}

/** Deploys v1, then v2 in two steps, goes back, and destroys. */
const live = async (provider: Provider): Promise<void> => {
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
  assert.deepStrictEqual(await sharesOf(simulator, 10), { v2: 100 })
  await persistently(provider.rollback(ref, checkpoint, testMutation("rollback")))
  assert.deepStrictEqual(await sharesOf(simulator, 10), { v1: 100 })
  assert.strictEqual(simulator.revisions(service).length, 2)
  await persistently(provider.destroy(ref, testMutation("destroy")))
  assert.isUndefined(simulator.service(service))
}

/** The answers of a real service ask for more; the tests have no time. */
const soon = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "0.01s" }

/** Lives once through a proxy with faults, and returns how many calls that took. */
const lived = async (seed: number, faulty: boolean): Promise<{ readonly calls: number; readonly changes: number }> => {
  const proxy = await faultProxy({ target: simulator.rest, seed })
  proxies.push(proxy)
  if (faulty) {
    const throttled = answers.google({
      status: 429,
      code: "RESOURCE_EXHAUSTED",
      message: "Too many requests.",
      details: [soon]
    })
    proxy.add({ probability: 0.3, fault: { answer: throttled } })
    proxy.add({ probability: 0.2, fault: { cut: "after" } })
  }
  const before = simulator.changes.filter(({ failed }) => failed === undefined).length
  await live(providerOf(simulator, "rest", proxy.url))
  const changes = simulator.changes.filter(({ failed }) => failed === undefined).length - before
  return { calls: proxy.calls.length, changes }
}

describe("a service under faults", () => {
  it("comes to the right end from 20 seeds, with no change twice, in at most twice the calls", async () => {
    const clean = await lived(0, false)
    let calls = 0
    for (let seed = 0; seed < 20; seed++) {
      const faulty = await lived(seed, true)
      assert.strictEqual(faulty.changes, clean.changes, `seed ${seed}`)
      calls += faulty.calls
    }
    assert.isAtMost(calls / 20 / clean.calls, 2)
  })
})
