import type { StackHealth } from "@signalbox/core/api"
import { assert, describe, it } from "vitest"
import { judge } from "../src/json/health.ts"

const release = { id: "r1", version: "1.0.0", configDigest: "" }

const stack = (health: { readonly healthy: number; readonly total: number; readonly unit?: "instance" | "release" }) =>
  ({
    name: "web",
    provider: "simulated",
    expected: true,
    errors: null,
    windowMs: 60_000,
    minHealthyPercentage: 80,
    maxErrorCount: 10,
    observation: {
      status: "ready",
      stable: release,
      candidate: null,
      traffic: [],
      health: { r1: health },
      operation: null,
      lastChangedAt: null,
      outputs: {},
      resources: []
    }
  }) as unknown as StackHealth

const bounds = { minHealthy: 80, maxErrors: 10 }

describe("the health of a stack", () => {
  it("counts instances", () => {
    const { health, reason, verdict } = judge(stack({ healthy: 3, total: 4 }), bounds)
    assert.deepEqual([verdict, reason], ["fail", "3 of 4 instances healthy (75%, at least 80%)"])
    assert.deepEqual(health, { unit: "instance", healthy: 3, total: 4 })
    assert.strictEqual(
      judge(stack({ healthy: 0, total: 0 }), bounds).reason,
      "no instance of the stable release is there"
    )
  })

  it("is ready or not ready where there are no instances to count", () => {
    const ready = judge(stack({ healthy: 1, total: 1, unit: "release" }), bounds)
    assert.deepEqual([ready.verdict, ready.reason], ["pass", "ready"])
    assert.deepEqual(ready.health, { unit: "release", healthy: 1, total: 1 })
    const not = judge(stack({ healthy: 0, total: 1, unit: "release" }), bounds)
    assert.deepEqual([not.verdict, not.reason], ["fail", "the stable release is not ready"])
  })
})
