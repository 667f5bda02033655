/**
 * Jobs that are run once, whatever happens to the runner, the answers and the job.
 */
import type { ProviderError, StackPlan } from "@signalbox/core/spi"
import { testMutation } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, expect, it, type TestContext } from "vitest"
import { candidate, image, platform } from "../cloudrun/platform.ts"
import { configured, executionsOf, job, providerOf, ref } from "./platform.ts"

const run = <A>(effect: Effect.Effect<A, ProviderError>): Promise<A> => Effect.runPromise(effect)
const failure = (effect: Effect.Effect<unknown, ProviderError>) => Effect.runPromise(Effect.flip(effect))

const world = async (onTestFinished: TestContext["onTestFinished"]) => {
  const simulator = await platform()
  onTestFinished(() => simulator.close())
  const provider = providerOf(simulator)
  const plan = (version: string): Promise<StackPlan> => run(provider.plan(ref, candidate(version)))
  const stage = (plan: StackPlan, key: string, fence = 1) =>
    provider.stage(ref, { plan, capacityPercent: 100 }, testMutation(key, { fence }))
  const started = async (count: number) => {
    while (simulator.executions(job).length < count) await new Promise((resolve) => setImmediate(resolve))
  }
  return { simulator, provider, plan, stage, started }
}

describe("a job of Cloud Run", { concurrent: true }, () => {
  it("runs the command of its image to the end, with its variables", async ({ onTestFinished }) => {
    const { plan, simulator, stage } = await world(onTestFinished)
    const directory = mkdtempSync(join(tmpdir(), "signalbox-job-"))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    const file = join(directory, "rows")
    const program = `require("node:fs").appendFileSync(${JSON.stringify(file)}, process.env.CLOUD_RUN_JOB)`
    simulator.push(image("v1"), { command: [process.execPath, "-e", program] })
    await run(stage(await plan("v1"), "migrate"))
    assert.strictEqual(readFileSync(file, "utf8"), "migrate")
  })

  it("is waited for, not started again, by a runner that takes over", async ({ onTestFinished }) => {
    const { plan, simulator, stage, started } = await world(onTestFinished)
    const planned = await plan("slow")
    const first = Effect.runFork(stage(planned, "first", 1))
    await started(1)
    await run(Fiber.interrupt(first))
    // Another step of the same release, as a deployment that supersedes the first one has it.
    const seen = await run(stage(planned, "second", 2))
    assert.strictEqual(seen.stable?.id, planned.candidate.id)
    assert.strictEqual(simulator.executions(job).length, 1)
  })

  it("that failed is not tried again by its step, but by the next one", async ({ onTestFinished }) => {
    const { plan, simulator, stage } = await world(onTestFinished)
    const planned = await plan("broken")
    for (let attempt = 0; attempt < 2; attempt++) {
      const { reason } = await failure(stage(planned, "first"))
      expect(reason).toMatchObject({
        _tag: "Broken",
        message: expect.stringContaining("task0 failed"),
        hint: expect.stringContaining("https://console.cloud.google.com/logs")
      })
    }
    assert.strictEqual(executionsOf(simulator, "first").length, 1)
    simulator.push(image("broken"), {})
    await run(stage(await plan("broken"), "second"))
    assert.strictEqual(executionsOf(simulator, "second").length, 1)
  })

  it("whose image is missing says which one to push", async ({ onTestFinished }) => {
    const { plan, simulator, stage } = await world(onTestFinished)
    const { reason } = await failure(stage(await plan("v9"), "first"))
    expect(reason).toMatchObject({ _tag: "Broken", hint: `Push the image: ${image("v9")}` })
    assert.deepStrictEqual(simulator.executions(job), [])
  })

  it("is run by one of two runners that start it at once", async ({ onTestFinished }) => {
    const { plan, simulator, stage } = await world(onTestFinished)
    await run(stage(await plan("v1"), "v1"))
    const planned = await plan("slow")
    const both = await Promise.all([1, 2].map(() => Effect.runPromise(Effect.result(stage(planned, "both")))))
    assert.isTrue(both.some(({ _tag }) => _tag === "Success"))
    for (const result of both) {
      if (result._tag === "Failure") assert.strictEqual(result.failure.reason._tag, "Conflict")
    }
    assert.strictEqual(executionsOf(simulator, "both").length, 1)
  })

  it("is configured as it was by a rollback, which runs nothing", async ({ onTestFinished }) => {
    const { plan, provider, simulator, stage } = await world(onTestFinished)
    await run(stage(await plan("v1"), "v1"))
    const v2 = await plan("v2")
    await run(stage(v2, "v2"))
    await run(provider.rollback(ref, v2.checkpoint, testMutation("back")))
    assert.deepStrictEqual(configured(simulator), { v1: 1 })
    assert.strictEqual(simulator.executions(job).length, 2)
    assert.strictEqual((await run(provider.canGoBack!(ref, v2.checkpoint))).how, "switch")
  })

  it("of another stack is refused", async ({ onTestFinished }) => {
    const { plan, provider, stage } = await world(onTestFinished)
    await run(stage(await plan("v1"), "v1"))
    const other = { ...ref, stack: "other" as typeof ref.stack }
    const { reason } = await failure(provider.plan(other, candidate("v2")))
    expect(reason).toMatchObject({
      _tag: "Invalid",
      path: ["job"],
      message: "migrate belongs to stack DX6604E/test/migrate"
    })
  })
})
