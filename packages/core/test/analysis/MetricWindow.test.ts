import { assert, describe, it } from "vitest"
import * as MetricWindow from "../../src/analysis/MetricWindow.ts"

const minute = 60_000
const coarse = { resolution: minute, lag: 2 * minute }

describe("the window of a look", () => {
  it("is the last time span if the source counts single requests", () => {
    const window = MetricWindow.windowAt({ resolution: 0, lag: 0 }, { now: 10_123, length: 5_000, notBefore: 8_000 })
    assert.deepEqual(window, { from: 5_123, to: 10_123 })
  })

  it("has whole periods that are complete, and none from before the shift", () => {
    const at = (now: number) => MetricWindow.windowAt(coarse, { now, length: 5 * minute, notBefore: 90_000 })
    // Shifted at 1:30: the first whole period is the third minute, complete at 5:00.
    assert.deepEqual(at(4 * minute + 59_999), { from: 2 * minute, to: 2 * minute })
    assert.deepEqual(at(5 * minute), { from: 2 * minute, to: 3 * minute })
    assert.deepEqual(at(20 * minute + 10_000), { from: 13 * minute, to: 18 * minute })
  })

  it("has at least one period, however short the gate's window is", () => {
    const window = MetricWindow.windowAt(coarse, { now: 20 * minute, length: 1_000, notBefore: 0 })
    assert.deepEqual(window, { from: 17 * minute, to: 18 * minute })
  })

  it("holds for every moment: aligned, complete, after the shift", () => {
    for (let now = 0; now < 30 * minute; now += 7_919) {
      for (const notBefore of [0, 1, 59_999, 60_000, 61_000, 400_000]) {
        const { from, to } = MetricWindow.windowAt(coarse, { now: notBefore + now, length: 90_000, notBefore })
        assert.strictEqual(from % minute, 0)
        assert.strictEqual(to % minute, 0)
        assert.isAtMost(to + coarse.lag, notBefore + now)
        assert.isAtMost(from, to)
        if (from < to) assert.isAtLeast(from, notBefore)
      }
    }
  })
})

describe("a look counts", () => {
  it("if its data reach a whole period further", () => {
    const first = MetricWindow.firstCounted(coarse, 90_000)
    assert.strictEqual(first, 2 * minute)
    assert.isFalse(MetricWindow.advances(coarse, first, 2 * minute + 59_999))
    assert.isTrue(MetricWindow.advances(coarse, first, 3 * minute))
  })

  it("at every moment if the source counts single requests", () => {
    const grain = { resolution: 0, lag: 0 }
    assert.isTrue(MetricWindow.advances(grain, MetricWindow.firstCounted(grain, 5), 0))
    assert.isTrue(MetricWindow.advances(grain, 10, 11))
    assert.isFalse(MetricWindow.advances(grain, 10, 10))
  })
})

describe("patience", () => {
  it("lasts for as many periods as passes are needed, and their lag", () => {
    assert.strictEqual(MetricWindow.patience({ resolution: 0, lag: 0 }, 3, 10_000), 60_000)
    assert.isAtLeast(MetricWindow.patience(coarse, 3, 10_000), 3 * minute + 2 * minute)
    assert.isAtLeast(MetricWindow.patience(coarse, 1, 10_000), minute + 2 * minute)
  })
})
