import { assert, describe, it } from "vitest"
import { summary } from "../../src/monitoring/Distribution.ts"

describe("the summary of distributions", () => {
  const exponentialBuckets = { numFiniteBuckets: 3, growthFactor: 2, scale: 100 }

  it("interpolates quantiles within the bucket, over all periods", () => {
    const bucketOptions = { exponentialBuckets }
    // 100 values: 50 of 0 to 100 ms, 40 of 100 to 200 ms, and 10 of 400 to 800 ms.
    const values = summary([
      { count: "60", mean: 80, bucketOptions, bucketCounts: ["50", "10"] },
      { count: "40", mean: 230, bucketOptions, bucketCounts: ["0", "30", "0", "10"] }
    ])
    assert.deepStrictEqual(values, { mean: 140, p50: 100, p95: 600, p99: 760 })
  })

  it("takes the last bound for what is above it", () => {
    const values = summary([
      { count: "1", mean: 5_000, bucketOptions: { exponentialBuckets }, bucketCounts: ["0", "0", "0", "0", "1"] }
    ])
    assert.strictEqual(values?.p95, 800)
  })

  it.each([
    { linearBuckets: { numFiniteBuckets: 2, width: 50, offset: 100 } },
    { explicitBuckets: { bounds: [100, 150, 200] } }
  ])("reads %j", (bucketOptions) => {
    const values = summary([{ count: "10", mean: 125, bucketOptions, bucketCounts: ["0", "10"] }])
    assert.strictEqual(values?.p50, 125)
  })

  it("has nothing to say without values", () => {
    assert.isNull(summary([]))
    assert.isNull(summary([{ count: "0" }]))
  })
})
