import { assert, describe, it } from "vitest"
import * as Effect from "effect/Effect"
import { stepsOn } from "./driver.ts"
import { platform, sharesOf } from "./platform.ts"

const minute = 60_000

describe("the metrics of a release", { concurrent: true }, () => {
  it("count answers of the load balancer itself against the release whose weight moved", async () => {
    const here = await platform()
    const { service, simulator } = here
    const steps = stepsOn(here)
    const plan = await steps.plan("v2")
    await steps.stage(plan)
    await steps.shift(plan, 50)
    const from = Math.ceil(simulator.now() / minute) * minute
    await simulator.advance(from - simulator.now())
    await sharesOf(here, 20)
    // Its targets are still healthy for the load balancer, and answer no more.
    for (const { id } of simulator.instances(service.green.group)) await simulator.faults.kill(id)
    await sharesOf(here, 20)
    await simulator.advance(4 * minute)
    const measure = (releaseId: string) =>
      Effect.runPromise(steps.provider.metrics!.measure(steps.ref, { releaseId, from, to: from + minute }))
    const candidate = await measure(plan.candidate.id)
    assert.strictEqual(candidate.until, from + minute)
    assert.isAtLeast(candidate.errors, 9)
    assert.isAtLeast(candidate.requests, candidate.errors)
    assert.strictEqual((await measure(plan.checkpoint.release!.id)).errors, 0)
    await simulator.close()
  })

  it("wait for sessions that stick to the old release, before its instances go", async () => {
    const here = await platform()
    const { service, simulator } = here
    const TargetGroups = [
      { TargetGroupArn: service.blue.targetGroup, Weight: 1 },
      { TargetGroupArn: service.green.targetGroup, Weight: 0 }
    ]
    const TargetGroupStickinessConfig = { Enabled: true, DurationSeconds: 900 }
    const DefaultActions = [{ Type: "forward", ForwardConfig: { TargetGroups, TargetGroupStickinessConfig } }]
    await simulator.edit("ModifyListener", { ListenerArn: service.listener, DefaultActions })
    const steps = stepsOn(here, { properties: { stickiness: "wait", verifyTraffic: "api" } })
    const plan = await steps.plan("v2")
    await steps.stage(plan)
    await steps.shift(plan, 100)
    const began = simulator.now()
    await steps.retire(plan)
    assert.isAtLeast(simulator.now() - began, 890_000)
    await simulator.close()
  })
})
