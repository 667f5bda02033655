/**
 * Ways back, and work that was cut off: pruned revisions, lost answers, operations that do not end, late runners.
 */
import { testMutation } from "@signalbox/core/testing"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { assert, describe, expect, it } from "vitest"
import { ApiError } from "../../src/testing/index.ts"
import {
  cloud,
  deploy,
  failure,
  json,
  mutation,
  observe,
  plan,
  provider,
  run,
  settled,
  shift,
  simulated,
  stage
} from "./driver.ts"
import { effectsOf, image, ref, service, sharesOf } from "./platform.ts"

simulated()

const stableOf = async (): Promise<string> => String((await observe()).outputs["revision"])

describe("ways back on Cloud Run", () => {
  it("builds a revision that was pruned again, from the digest that it had", async () => {
    await deploy("v1")
    const old = await stableOf()
    const v2 = await deploy("v2")
    await cloud().prune(`${service}/revisions/${old}`)
    // The tag names another image by now.
    cloud().push(image("v1"), { body: "moved" })
    const way = await run(provider().canGoBack!(ref, v2.checkpoint))
    expect(way).toMatchObject({ how: "rebuild", why: expect.stringContaining(`${old} was pruned`) })
    await run(provider().rollback(ref, v2.checkpoint, mutation()))
    assert.deepStrictEqual(await sharesOf(cloud(), 10), { v1: 100 })
    const { stable } = await observe()
    assert.strictEqual(stable?.id, v2.checkpoint.release?.id)
    // A second rollback finds what the first one has built.
    const before = cloud().revisions(service).length
    await run(provider().rollback(ref, v2.checkpoint, mutation()))
    assert.strictEqual(cloud().revisions(service).length, before)
    assert.strictEqual((await run(provider().canGoBack!(ref, v2.checkpoint))).how, "switch")
  })

  it("brings in a release again whose revision failed, once the reason is gone", async () => {
    await deploy("v1")
    const first = await plan("broken")
    const failed = await failure(stage(first, "first"))
    assert.strictEqual(failed.reason._tag, "Broken")
    expect(failed.reason.hint).toContain("has to listen on the port")
    expect(failed.reason.hint).toContain("https://console.cloud.google.com/logs")
    // A repeat of the same step does not try again.
    assert.strictEqual((await failure(stage(first, "first"))).reason._tag, "Broken")
    await run(provider().rollback(ref, first.checkpoint, mutation()))
    cloud().push(image("broken"), { body: "mended" })
    const again = await plan("broken")
    await run(stage(again, "second"))
    await run(shift(again, 100))
    assert.deepStrictEqual(await sharesOf(cloud(), 10), { mended: 100 })
  })

  it("says that an image is missing, and is ready for the next deployment", async () => {
    await deploy("v1")
    const missing = await plan("v9")
    const { reason } = await failure(stage(missing))
    expect(reason).toMatchObject({ _tag: "Broken", hint: expect.stringContaining(`Push the image: ${image("v9")}`) })
    await run(provider().rollback(ref, missing.checkpoint, mutation()))
    assert.strictEqual((await observe()).status, "ready")
    await deploy("v2")
    assert.deepStrictEqual(await sharesOf(cloud(), 10), { v2: 100 })
  })
})

describe("work on Cloud Run that was cut off", () => {
  it("finds a service that was created although the answer was a timeout", async () => {
    const v1 = await plan("v1")
    cloud().fault({ method: "CreateService", nth: 1, lost: true })
    await run(stage(v1, "lost"))
    assert.deepStrictEqual(await sharesOf(cloud(), 10), { v1: 100 })
    await run(stage(v1, "lost"))
    assert.strictEqual(effectsOf(cloud(), "lost"), 1)
    assert.strictEqual(cloud().revisions(service).length, 1)
  })

  it("waits for an operation that does not end, and goes back from it", async () => {
    await deploy("v1")
    const v2 = await plan("v2")
    cloud().pace({ operationMillis: 3_600_000 })
    const fiber = Effect.runFork(stage(v2, "stuck"))
    while (!json().reconciling) await new Promise((resolve) => setImmediate(resolve))
    const { operation } = await observe()
    expect(operation).toMatchObject({ foreign: false, description: expect.stringContaining("is being brought in") })
    await run(Fiber.interrupt(fiber))
    cloud().pace({ operationMillis: 0 })
    await run(provider().rollback(ref, v2.checkpoint, mutation()))
    assert.strictEqual((await observe()).status, "ready")
    assert.deepStrictEqual(await sharesOf(cloud(), 10), { v1: 100 })
  })

  it("keeps the time of a call below what is left of the lease", async () => {
    await deploy("v1")
    const v2 = await plan("v2")
    const ends = cloud().fault({ method: "UpdateService", delayed: 3_600_000 })
    const began = Date.now()
    const short = testMutation("short", { leaseLeft: Effect.succeed(Duration.millis(1_500)) })
    const { reason } = await failure(provider().stage(ref, { plan: v2, capacityPercent: 100 }, short))
    assert.strictEqual(reason._tag, "Unavailable")
    assert.isBelow(Date.now() - began, 10_000)
    ends()
    const over = testMutation("over", { leaseLeft: Effect.succeed(Duration.millis(400)) })
    const before = cloud().changes.length
    expect((await failure(provider().stage(ref, { plan: v2, capacityPercent: 100 }, over))).message).toContain("lease")
    assert.strictEqual(cloud().changes.length, before)
  })

  it("ends by its deadline when it is interrupted, and writes nothing after its lease is lost", async () => {
    await deploy("v1")
    const v2 = await plan("v2")
    const [arrived, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    cloud().fault({
      method: "UpdateService",
      nth: 1,
      delayed: () => {
        arrived.resolve()
        return release.promise
      }
    })
    const short = testMutation("late", { leaseLeft: Effect.succeed(Duration.millis(1_500)) })
    const fiber = Effect.runFork(provider().stage(ref, { plan: v2, capacityPercent: 100 }, short))
    await arrived.promise
    const began = Date.now()
    await run(Fiber.interrupt(fiber))
    assert.isBelow(Date.now() - began, 10_000)
    // The next holder of the lease goes on, while the call of the first one is still on its way.
    await run(provider().stage(ref, { plan: v2, capacityPercent: 100 }, mutation("next", 2)))
    const before = json().etag
    release.resolve()
    const late = () => cloud().calls.find(({ failed, method }) => method === "UpdateService" && failed !== undefined)
    while (late() === undefined) await new Promise((resolve) => setImmediate(resolve))
    assert.strictEqual(late()!.failed, "ABORTED")
    assert.strictEqual(json().etag, before)
  })

  it("is refused by the service itself after a newer holder of the lease was there", async () => {
    await deploy("v1")
    const v2 = await plan("v2")
    await run(provider().stage(ref, { plan: v2, capacityPercent: 100 }, mutation("newer", 7)))
    const before = json().generation
    const { reason } = await failure(
      provider().traffic!.shift(ref, { releaseId: v2.candidate.id, percent: 100 }, mutation("older", 6))
    )
    expect(reason).toMatchObject({ _tag: "Fenced", fence: 7 })
    assert.strictEqual(json().generation, before)
  })

  it("goes on polling while reads are throttled or fail", async () => {
    await deploy("v1")
    const v2 = await plan("slow")
    const fiber = Effect.runFork(stage(v2))
    while (!json().reconciling) await new Promise((resolve) => setImmediate(resolve))
    cloud().fault({ method: "GetService", nth: 1, refuse: new ApiError("RESOURCE_EXHAUSTED", "slow down") })
    cloud().fault({ method: "GetService", nth: 1, refuse: new ApiError("INTERNAL", "try again") })
    await settled()
    const seen = await run(Fiber.join(fiber))
    assert.strictEqual(seen.candidate?.id, v2.candidate.id)
  })
})
