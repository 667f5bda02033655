/**
 * The states of targets.
 */
import { assert, describe, expect, it } from "vitest"
import { world } from "./world.ts"

describe("the health of targets", { concurrent: true }, () => {
  it("is not checked in a group that no rule names, and goes from initial to healthy in one that is named", async () => {
    await using aws = await world()
    const { green } = aws.service
    await aws.launch(green, "s3://shop/v2", 2)
    await aws.simulator.advance(60_000)
    expect(await aws.states(green.targetGroup)).toEqual(Array(2).fill("unused Target.NotInUse"))
    await aws.weigh(1, 0)
    expect(await aws.states(green.targetGroup)).toEqual(Array(2).fill("initial Elb.RegistrationInProgress"))
    await aws.simulator.advance(1000)
    expect(await aws.states(green.targetGroup)).toEqual(Array(2).fill("healthy"))
    await aws.elb.modifyListener({
      ListenerArn: aws.service.listener,
      DefaultActions: [{ Type: "forward", TargetGroupArn: aws.service.blue.targetGroup }]
    })
    expect(await aws.states(green.targetGroup)).toEqual(Array(2).fill("unused Target.NotInUse"))
  })

  it("becomes unhealthy after two failures, and healthy again only after as many passes as the group wants", async () => {
    await using aws = await world({ apps: { "s3://shop/bad": { status: 404 } } }, { source: "s3://shop/v1" })
    const { green } = aws.service
    await aws.elb.modifyTargetGroup({ TargetGroupArn: green.targetGroup, HealthyThresholdCount: 3 })
    await aws.scaling.updateAutoScalingGroup({ AutoScalingGroupName: green.group, HealthCheckType: "EC2" })
    await aws.launch(green, "s3://shop/bad", 1)
    await aws.weigh(1, 0)
    await aws.simulator.advance(12_000)
    expect(await aws.states(green.targetGroup)).toEqual(["initial Elb.InitialHealthChecking"])
    await aws.simulator.advance(10_000)
    expect(await aws.states(green.targetGroup)).toEqual(["unhealthy Target.ResponseCodeMismatch"])
    await aws.elb.modifyTargetGroup({ TargetGroupArn: green.targetGroup, Matcher: { HttpCode: "200,400-404" } })
    await aws.simulator.advance(20_000)
    expect(await aws.states(green.targetGroup)).toEqual(["unhealthy Target.ResponseCodeMismatch"])
    await aws.simulator.advance(10_000)
    expect(await aws.states(green.targetGroup)).toEqual(["healthy"])
  })

  it("is draining for as long as the group says, then not registered", async () => {
    await using aws = await world({}, { drainSeconds: 40 })
    const { blue } = aws.service
    const Targets = [{ Id: aws.simulator.instances()[0]!.id }]
    await aws.elb.deregisterTargets({ TargetGroupArn: blue.targetGroup, Targets })
    await aws.simulator.advance(39_000)
    expect((await aws.states(blue.targetGroup)).sort()).toEqual(["draining Target.DeregistrationInProgress", "healthy"])
    await aws.simulator.advance(2000)
    expect(await aws.states(blue.targetGroup)).toEqual(["healthy"])
    const asked = await aws.elb.describeTargetHealth({ TargetGroupArn: blue.targetGroup, Targets })
    expect(asked.TargetHealthDescriptions![0]!.TargetHealth).toMatchObject({
      State: "unused",
      Reason: "Target.NotRegistered"
    })
  })

  it("refuses targets that do not run", async () => {
    await using aws = await world()
    const registered = aws.elb.registerTargets({
      TargetGroupArn: aws.service.green.targetGroup,
      Targets: [{ Id: "i-0123456789abcdef0" }]
    })
    await expect(registered).rejects.toMatchObject({ name: "InvalidTargetException" })
  })

  it("stays initial where a fault holds it, and goes on afterwards", async () => {
    await using aws = await world()
    const { green } = aws.service
    aws.simulator.faults.stuck(green.targetGroup)
    await aws.launch(green, "s3://shop/v2", 1)
    await aws.weigh(1, 0)
    await aws.simulator.advance(600_000)
    expect(await aws.states(green.targetGroup)).toEqual(["initial Elb.InitialHealthChecking"])
    aws.simulator.faults.stuck(green.targetGroup, false)
    await aws.simulator.advance(10_000)
    expect(await aws.states(green.targetGroup)).toEqual(["healthy"])
  })

  it("makes a group replace an instance that is unhealthy or gone, which the capacity shows", async () => {
    await using aws = await world()
    const { blue, listener } = aws.service
    const [first, second] = aws.simulator.instances()
    await aws.simulator.faults.kill(first!.id)
    await aws.simulator.advance(180_000)
    await aws.simulator.faults.terminate(second!.id)
    expect(await aws.states(blue.targetGroup)).toContain("unused Target.InvalidState")
    await aws.simulator.advance(180_000)
    const now = aws.simulator.instances(blue.group).map(({ id }) => id)
    assert.strictEqual(now.length, 2)
    assert.ok(!now.includes(first!.id) && !now.includes(second!.id))
    expect(aws.simulator.ledger.capacity.get(blue.group)).toEqual({ now: 2, minimum: 1 })
    expect(aws.simulator.ledger.capacity.get(listener)).toEqual({ now: 2, minimum: 1 })
  })
})
