/**
 * Whole lives of a site while calls are throttled, and connections are cut after their effect. With `SIGNALBOX_SEEDS=20`
 * there are so many, and their calls are counted.
 */
import type { Provider, ProviderError } from "@signalbox/core/spi"
import { testMutation } from "@signalbox/core/testing"
import { answers, type FaultProxy, faultProxy } from "@signalbox/fault-proxy"
import * as Effect from "effect/Effect"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { candidate, type Platform, platform, providerOf, ref, shown } from "./platform.ts"

let here: Platform
const proxies: Array<FaultProxy> = []
beforeEach(async () => {
  here = await platform()
})
afterEach(async () => {
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()))
  await here.close()
})

/** Repeats what may be repeated, under the same key, as core does. */
const persistently = async <A>(call: Effect.Effect<A, ProviderError>): Promise<A> => {
  for (let attempt = 0; ; attempt++) {
    const result = await Effect.runPromise(Effect.result(call))
    if (result._tag === "Success") return result.success
    if (!result.failure.isRetryable || attempt === 100) throw result.failure
  }
}

/** Deploys v1, then v2, goes back, and takes the site offline. */
const live = async (provider: Provider, run: string): Promise<void> => {
  const handles = new Map<string, string | null>()
  const step = (name: string) => testMutation(`${run}-${name}`, { handles })
  const { retire, shift } = provider.traffic!
  const deploy = async (version: string) => {
    const plan = await persistently(provider.plan(ref, candidate(version)))
    const releaseId = plan.candidate.id
    await persistently(provider.stage(ref, { plan, capacityPercent: 100 }, step(`stage-${version}`)))
    await persistently(shift(ref, { releaseId, percent: 100 }, step(`shift-${version}`)))
    await persistently(retire(ref, { keep: releaseId, capacityPercent: 0 }, step(`retire-${version}`)))
    return plan
  }
  await deploy("v1")
  const { checkpoint } = await deploy("v2")
  assert.strictEqual(await shown(here), "v2")
  await persistently(provider.rollback(ref, checkpoint, step("rollback")))
  assert.strictEqual(await shown(here), "v1")
  await persistently(provider.destroy(ref, step("destroy")))
  assert.isUndefined(await shown(here))
}

/** The answers of a real service ask for more; the tests have no time. */
const soon = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "0.01s" }

/** Lives once through a proxy with faults, and returns how many calls that took. */
const lived = async (seed: number, faulty: boolean): Promise<{ readonly calls: number; readonly changes: number }> => {
  const proxy = await faultProxy({ target: here.simulator.hosting.url, seed })
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
  const made = () =>
    here.simulator.changes.filter(({ failed, method }) => failed === undefined && method === "CreateRelease").length
  const before = made()
  await live(providerOf(here, proxy.url), String(seed) + String(faulty))
  return { calls: proxy.calls.length, changes: made() - before }
}

const seeds = Number(process.env["SIGNALBOX_SEEDS"] ?? 4)

describe("a site under faults", { timeout: 900_000 }, () => {
  it("ends right from every seed, with no release twice, in at most twice the calls", async () => {
    const clean = await lived(0, false)
    let calls = 0
    for (let seed = 0; seed < seeds; seed++) {
      const faulty = await lived(seed, true)
      assert.strictEqual(faulty.changes, clean.changes, `seed ${seed}`)
      calls += faulty.calls
    }
    const ratio = calls / seeds / clean.calls
    // Of a few seeds, the mean says little.
    assert.isAtMost(ratio, seeds < 20 ? 2.5 : 2)
    console.log(`${seeds} seeds: ${ratio.toFixed(2)} times the ${clean.calls} calls of a clean life`)
  })
})
