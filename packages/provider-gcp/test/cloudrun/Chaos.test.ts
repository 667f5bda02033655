/**
 * Steps that are killed after any call, and finished by another process, on a service that others use too.
 */
import type { Mutation, Provider, ProviderError } from "@signalbox/core/spi"
import { testMutation } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { assert, describe, it } from "vitest"
import { cloud, edit, json, traffic } from "./driver.ts"
import { candidate, effectsOf, image, providerOf, ref, service, sharesOf } from "./platform.ts"

/** A sequence of numbers from 0 to 1 that only depends on its seed (mulberry32). */
const random = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let hash = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  hash = (hash + Math.imul(hash ^ (hash >>> 7), 61 | hash)) ^ hash
  return ((hash ^ (hash >>> 14)) >>> 0) / 2 ** 32
}

describe("a service whose deployments are killed", () => {
  it("gets no second revision of a template, no change twice and no foreign change, by 300 kills", async () => {
    const next = random(1)
    let kills = 0
    let steps = 0

    /** Starts a step, kills it after so many calls, and starts it again elsewhere, until it ends. */
    const killed = async <A>(
      name: string,
      step: (provider: Provider, mutation: Mutation) => Effect.Effect<A, ProviderError>
    ): Promise<A> => {
      const key = `${name}-${++steps}`
      const handles = new Map<string, string | null>()
      for (let left = Math.floor(next() * 4); ; left--) {
        const call = step(providerOf(cloud()), testMutation(key, { handles }))
        if (left <= 0) {
          const result = await Effect.runPromise(call)
          assert.isAtMost(effectsOf(cloud(), key), 1, key)
          return result
        }
        const last = cloud().calls.length + 1 + Math.floor(next() * 6)
        const fiber = Effect.runFork(call)
        let over = false
        fiber.addObserver(() => void (over = true))
        while (!over && cloud().calls.length < last) await new Promise((resolve) => setImmediate(resolve))
        if (!over) kills += 1
        await Effect.runPromise(Fiber.interrupt(fiber))
      }
    }

    const deploy = async (version: string) => {
      const plan = await Effect.runPromise(providerOf(cloud()).plan(ref, candidate(version)))
      const releaseId = plan.candidate.id
      await killed("stage", (provider, mutation) => provider.stage(ref, { plan, capacityPercent: 100 }, mutation))
      for (const percent of [10, 100]) {
        await killed("shift", ({ traffic }, mutation) => traffic!.shift(ref, { releaseId, percent }, mutation))
      }
      await killed("retire", ({ traffic }, mutation) =>
        traffic!.retire(ref, { keep: releaseId, capacityPercent: 0 }, mutation)
      )
      return plan
    }

    await deploy("v1")
    const first = json().latestReadyRevision!.replace(/.*\//, "")
    const green = { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: first, tag: "green" }
    await edit({ traffic: [...json().traffic, green] })
    for (let round = 0; kills < 300; round++) {
      const version = `r${round % 40}`
      cloud().push(image(version), { body: version })
      const plan = await deploy(version)
      assert.deepStrictEqual(await sharesOf(cloud(), 4), { [version]: 100 })
      if (round % 2 === 0) {
        await killed("rollback", (provider, mutation) => provider.rollback(ref, plan.checkpoint, mutation))
      }
      assert.include(traffic(), `0 ${first} green`)
      const templates = [...cloud().images(service).values()]
      assert.strictEqual(new Set(templates).size, templates.length, "each image has one revision")
    }
    await killed("destroy", (provider, mutation) => provider.destroy(ref, mutation))
    assert.isUndefined(cloud().service(service))
  })
})
