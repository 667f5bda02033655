import { assert, describe, it } from "@effect/vitest"
import { Requests } from "../src/supervisor/proxy/Requests.ts"

describe("Requests", () => {
  it("measures the requested window, and nothing before it", () => {
    const requests = new Requests()
    for (let second = 0; second < 600; second++) {
      for (let request = 0; request < 5; request++)
        requests.record(second * 1000, second < 300 ? 500 : 20, second < 300)
    }
    const recent = requests.measure(600_000, 300_000, 100)
    assert.strictEqual(recent.requests, 1500)
    assert.strictEqual(recent.errors, 0)
    assert.deepStrictEqual(recent.latency, { mean: 20, p50: 20, p95: 20, p99: 20 })
    const all = requests.measure(600_000, 900_000, 100)
    assert.strictEqual(all.requests, 3000)
    assert.strictEqual(all.errors, 1500)
    assert.strictEqual(all.samples?.length, 2000)
  })

  it("orders its percentiles and keeps the tail", () => {
    const requests = new Requests()
    for (let index = 1; index <= 1000; index++) requests.record(index, index, false)
    const { latency } = requests.measure(1000, 60_000, null)
    assert.deepStrictEqual(latency, { mean: 500.5, p50: 500, p95: 950, p99: 990 })
  })

  it("forgets requests older than a quarter of an hour rather than grow forever", () => {
    const requests = new Requests()
    for (let index = 0; index < 5000; index++) requests.record(index * 1000, 1, false)
    assert.strictEqual(requests.measure(5_000_000, 15 * 60_000, null).requests, 900)
  })

  it("knows no latency without requests", () => {
    assert.deepStrictEqual(new Requests().measure(0, 1000, 50), { requests: 0, errors: 0, latency: null, healthy: 50 })
  })
})
