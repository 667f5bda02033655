/**
 * Steps that are killed after any call, and finished by another process, on a service that others use too.
 */
import type { Mutation, Provider, ProviderError } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import assert from "node:assert/strict"
import { testMutation } from "../../../core/src/testing/provider/testMutation.ts"
import { candidate, effectsOf, image, platform, providerOf, ref, service, sharesOf } from "../cloudrun/platform.ts"
import { random } from "./random.ts"

/** Deploys and goes back until so many steps were interrupted, and checks each of them. */
export const interrupted = async (kills: number, seed: number): Promise<void> => {
  const simulator = await platform()
  const next = random(seed)
  let killed = 0
  let steps = 0
  const json = () => simulator.service(service)!

  /** Starts a step, kills it after so many calls, and starts it again elsewhere, until it ends. */
  const step = async <A>(
    name: string,
    call: (provider: Provider, mutation: Mutation) => Effect.Effect<A, ProviderError>
  ): Promise<A> => {
    const key = `${name}-${++steps}`
    const handles = new Map<string, string | null>()
    for (let left = Math.floor(next() * 4); ; left--) {
      const once = call(providerOf(simulator), testMutation(key, { handles }))
      if (left <= 0) {
        const result = await Effect.runPromise(once)
        assert.ok(effectsOf(simulator, key) <= 1, `${key} took effect more than once`)
        return result
      }
      const last = simulator.calls.length + 1 + Math.floor(next() * 6)
      const fiber = Effect.runFork(once)
      let over = false
      fiber.addObserver(() => void (over = true))
      while (!over && simulator.calls.length < last) await new Promise((resolve) => setImmediate(resolve))
      if (!over) killed += 1
      await Effect.runPromise(Fiber.interrupt(fiber))
    }
  }

  const deploy = async (version: string) => {
    const plan = await Effect.runPromise(providerOf(simulator).plan(ref, candidate(version)))
    const releaseId = plan.candidate.id
    await step("stage", (provider, mutation) => provider.stage(ref, { plan, capacityPercent: 100 }, mutation))
    for (const percent of [10, 100]) {
      await step("shift", ({ traffic }, mutation) => traffic!.shift(ref, { releaseId, percent }, mutation))
    }
    await step("retire", ({ traffic }, mutation) =>
      traffic!.retire(ref, { keep: releaseId, capacityPercent: 0 }, mutation)
    )
    return plan
  }

  try {
    await deploy("v1")
    const first = json().latestReadyRevision!.replace(/.*\//, "")
    const green = { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: first, tag: "green" }
    await simulator.edit(service, { traffic: [...json().traffic, green] })
    while (json().reconciling) await new Promise((resolve) => setImmediate(resolve))
    for (let round = 0; killed < kills; round++) {
      const version = `r${round % 40}`
      simulator.push(image(version), { body: version })
      const plan = await deploy(version)
      assert.deepEqual(await sharesOf(simulator, 4), { [version]: 100 })
      if (round % 2 === 0) {
        await step("rollback", (provider, mutation) => provider.rollback(ref, plan.checkpoint, mutation))
      }
      const others = json().traffic.filter(({ tag }) => tag === "green")
      assert.deepEqual(
        others.map(({ revision }) => revision),
        [first],
        "the tag of others stays where it is"
      )
      const templates = [...simulator.images(service).values()]
      assert.equal(new Set(templates).size, templates.length, "each image has one revision")
    }
    await step("destroy", (provider, mutation) => provider.destroy(ref, mutation))
    assert.equal(simulator.service(service), undefined)
  } finally {
    await simulator.close()
  }
}
