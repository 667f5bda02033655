/**
 * What Cloud Monitoring has counted of a release.
 */
import * as Effect from "effect/Effect"
import { assert, describe, expect, it } from "vitest"
import { make } from "../../src/cloudrun/CloudRunProvider.ts"
import { ApiError, errorInfo } from "../../src/testing/index.ts"
import { cloud, deploy, failure, json, run, simulated } from "./driver.ts"
import { image, measuringOf, providerOf, ref } from "./platform.ts"

simulated()

const minute = 60_000

/** Sends requests, and turns the clock to the next minute. Returns the end of the minute of the requests. */
const minuteOf = async (requests: number): Promise<number> => {
  for (let n = 0; n < requests; n++) await (await fetch(json().uri!)).text()
  cloud().monitoring.later(60)
  return Math.floor(cloud().monitoring.now() / minute) * minute
}

/** Turns the clock to the beginning of a minute, so that the requests of a test are in one. */
const begin = (): number => {
  const { later, now } = cloud().monitoring
  later((minute - (now() % minute)) / 1_000)
  return Math.floor(now() / minute) * minute
}

const measure = (releaseId: string, from: number, to: number) =>
  measuringOf(cloud()).metrics!.measure(ref, { releaseId, from, to })

describe("the metrics of a service", () => {
  it("count requests and errors of the server by release, and time them", async () => {
    cloud().push(image("v1"), {
      answer: ({ url }, response) => response.writeHead(Number(url!.slice(1)) || 200).end()
    })
    const { candidate } = await deploy("v1")
    const from = begin()
    for (const path of ["", "", "404", "500", "503"]) await fetch(`${json().uri}/${path}`)
    cloud().monitoring.later(240)
    const { latency, ...measured } = await run(measure(candidate.id, from, from + minute))
    assert.deepStrictEqual(measured, {
      until: from + minute,
      requests: 5,
      errors: 2,
      healthy: 100,
      healthUnit: "release"
    })
    assert.isAbove(latency!.mean, 0)
    assert.isAtMost(latency!.p50!, latency!.p99!)
  })

  it("reach as far as there are data", async () => {
    const { candidate } = await deploy("v1")
    const from = begin()
    const first = await minuteOf(2)
    const second = await minuteOf(3)
    const third = await minuteOf(5)
    const all = () => Effect.map(measure(candidate.id, from, third), ({ requests, until }) => ({ requests, until }))
    // Nothing appears before its time, and then only what there was before the revision is certain.
    const early = await run(all())
    assert.strictEqual(early.requests, 0)
    assert.isBelow(early.until, from)
    assert.deepStrictEqual(
      await run(measure(candidate.id, from, from + 3_600_000)),
      await run(measure(candidate.id, from, third))
    )
    cloud().monitoring.later(60)
    assert.deepStrictEqual(await run(all()), { requests: 2, until: first })
    cloud().monitoring.later(120)
    assert.deepStrictEqual(await run(all()), { requests: 10, until: third })
    // The first minute of the window begins where it begins.
    assert.strictEqual((await run(measure(candidate.id, first, third))).requests, 8)
    // A minute in between had no requests; a missing one at the end may be late.
    cloud().monitoring.lose(second - 1)
    assert.deepStrictEqual(await run(all()), { requests: 7, until: third })
    cloud().monitoring.lose(third - 1)
    assert.deepStrictEqual(await run(all()), { requests: 2, until: first })
  })

  it("name the permission that is missing, and how to do without", async () => {
    const { candidate } = await deploy("v1")
    const denied = new ApiError("PERMISSION_DENIED", "Permission monitoring.timeSeries.list denied.", [
      errorInfo("IAM_PERMISSION_DENIED", { permission: "monitoring.timeSeries.list" })
    ])
    cloud().fault({ method: "ListTimeSeries", refuse: denied })
    const { message, reason } = await failure(measure(candidate.id, 0, minute))
    assert.strictEqual(reason._tag, "Denied")
    expect(message).toContain("monitoring.timeSeries.list")
    expect(reason.hint).toContain("metrics: false")
  })

  it("are there unless they are switched off, or Cloud Run is a local one without them", () => {
    assert.isDefined(make({}).metrics)
    assert.isUndefined(make({ metrics: false }).metrics)
    assert.isUndefined(providerOf(cloud()).metrics)
    assert.isDefined(measuringOf(cloud()).metrics)
  })
})
