/**
 * The outages of argo-rollouts #3333, #3926, #4595, #3617 and #4867: targets are gone while the load balancer still sends
 * requests to them.
 */
import { assert, describe, it } from "vitest"
import { type Steps, stepsOn } from "./driver.ts"
import { type Platform, platform, sharesOf } from "./platform.ts"

/** A live service whose load balancer takes new weights over after half a minute, under load. */
const late = async (
  properties: { readonly [key: string]: unknown },
  work: (steps: Steps, platform: Platform) => Promise<unknown>
): Promise<number> => {
  const it = await platform()
  try {
    it.simulator.faults.weights(30_000, 30_000)
    await work(stepsOn(it, { loaded: true, properties }), it)
    return it.simulator.ledger.toTargetsTakenAway
  } finally {
    await it.simulator.close()
  }
}

describe("requests to targets that were taken away", { concurrent: true }, () => {
  it("are lost where only the API is asked, so that the others below can fail", async () => {
    const lost = await late({ verifyTraffic: "api" }, (steps) => steps.deploy("v2"))
    assert.isAbove(lost, 0)
  })

  it("are none when a release takes over and the weights are late", async () => {
    const lost = await late({}, async (steps, it) => {
      await steps.deploy("v2", 25)
      assert.deepStrictEqual(await sharesOf(it, 10), { v2: 100 })
    })
    assert.strictEqual(lost, 0)
  })

  it("are none when the last calls are throttled", async () => {
    const lost = await late({}, async (steps, it) => {
      const plan = await steps.plan("v2")
      await steps.stage(plan)
      await steps.shift(plan, 100)
      const operation = /^(UpdateAutoScalingGroup|DescribeAutoScalingGroups|GetMetricData)$/
      it.simulator.faults.calls({ operation, throttled: true, nth: 2, times: 6 })
      await steps.retire(plan)
      assert.deepStrictEqual(await sharesOf(it, 10), { v2: 100 })
    })
    assert.strictEqual(lost, 0)
  })

  it("are none when it is aborted in the middle", async () => {
    const lost = await late({}, async (steps, it) => {
      const plan = await steps.plan("v2")
      await steps.stage(plan)
      await steps.shift(plan, 50)
      await steps.rollback(plan)
      assert.deepStrictEqual(await sharesOf(it, 10), { v1: 100 })
    })
    assert.strictEqual(lost, 0)
  })

  it("are none when it goes back right after the switch", async () => {
    const lost = await late({}, async (steps, it) => {
      const plan = await steps.plan("v2")
      await steps.stage(plan)
      await steps.shift(plan, 100)
      await steps.rollback(plan)
      assert.deepStrictEqual(await sharesOf(it, 10), { v1: 100 })
    })
    assert.strictEqual(lost, 0)
  })

  it("are none when one release follows the other at once", async () => {
    const lost = await late({}, async (steps, it) => {
      await steps.deploy("v2")
      await steps.deploy("v3", 50)
      assert.deepStrictEqual(await sharesOf(it, 10), { v3: 100 })
    })
    assert.strictEqual(lost, 0)
  })
})
