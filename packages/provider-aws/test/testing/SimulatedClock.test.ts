/**
 * The time of a simulator.
 */
import { assert, describe, expect, it, vi } from "vitest"
import { SimulatedClock } from "../../src/testing/SimulatedClock.ts"
import { world } from "./world.ts"

describe("the simulated time", { concurrent: true }, () => {
  it("does what is due in order, each at its own time, before it has advanced", async () => {
    const clock = new SimulatedClock(0, 0)
    const done: Array<string> = []
    const note = (name: string) => void done.push(`${name} ${clock.now()}`)
    clock.after(30, () => note("late"))
    clock.after(10, async () => {
      await Promise.resolve()
      note("early")
      clock.after(5, () => note("then"))
    })
    const cancel = clock.after(20, () => note("never"))
    cancel()
    const stop = clock.every(12, () => note("again"))
    await clock.advance(29)
    assert.deepStrictEqual(done, ["early 10", "again 12", "then 15", "again 24"])
    stop()
    await clock.advance(100)
    assert.deepStrictEqual(done.slice(4), ["late 30"])
    assert.strictEqual(clock.now(), 129)
  })

  it("stands still at a scale of 0", async () => {
    const clock = new SimulatedClock(0, 0)
    let called = false
    clock.after(0, () => void (called = true))
    await new Promise((resolve) => setImmediate(resolve))
    assert.ok(!called)
    assert.strictEqual(clock.now(), 0)
  })

  it("runs by itself at any other scale, and can still be advanced", async () => {
    await using aws = await world({ scale: 600 })
    const { blue } = aws.service
    const LaunchTemplate = { LaunchTemplateId: blue.launchTemplate, Version: "1" }
    await aws.scaling.startInstanceRefresh({
      AutoScalingGroupName: blue.group,
      DesiredConfiguration: { LaunchTemplate },
      Preferences: { InstanceWarmup: 0, BakeTime: 86_400 }
    })
    const status = async () => {
      const { InstanceRefreshes } = await aws.scaling.describeInstanceRefreshes({ AutoScalingGroupName: blue.group })
      return InstanceRefreshes![0]!.Status
    }
    await vi.waitUntil(async () => (await status()) === "Baking", { timeout: 300_000, interval: 50 })
    await aws.simulator.advance(86_400_000)
    expect(await status()).toBe("Successful")
  })
})
