/**
 * Calls: what is refused, disturbed and counted.
 */
import { paginateDescribeAutoScalingGroups } from "@aws-sdk/client-auto-scaling"
import { ElasticLoadBalancingV2, paginateDescribeRules } from "@aws-sdk/client-elastic-load-balancing-v2"
import { STS } from "@aws-sdk/client-sts"
import { assert, describe, expect, it } from "vitest"
import { world } from "./world.ts"

type World = Awaited<ReturnType<typeof world>>

const weights = async (aws: World) => {
  const { Listeners } = await aws.elb.describeListeners({ ListenerArns: [aws.service.listener] })
  return Listeners![0]!.DefaultActions![0]!.ForwardConfig!.TargetGroups!.map(({ Weight }) => Weight)
}

/** A client that does not repeat calls. */
const once = (aws: World) =>
  new ElasticLoadBalancingV2({
    endpoint: aws.simulator.endpoint,
    region: "eu-central-1",
    credentials: { accessKeyId: "deployer", secretAccessKey: "simulated" },
    maxAttempts: 1
  })

describe("calls", { concurrent: true }, () => {
  it("that the simulator does not have are refused by name, in every protocol", async () => {
    await using aws = await world()
    const refused = { name: "InvalidAction", $metadata: { httpStatusCode: 400 } }
    await expect(aws.elb.describeSSLPolicies({})).rejects.toMatchObject(refused)
    await expect(aws.scaling.describePolicies({})).rejects.toMatchObject(refused)
    await expect(aws.ec2.describeVpcs({})).rejects.toMatchObject(refused)
    await expect(aws.watch.listDashboards({})).rejects.toMatchObject(refused)
    await expect(aws.sts.getSessionToken({})).rejects.toMatchObject(refused)
    assert.strictEqual(aws.simulator.ledger.calls.length, 5)
  })

  it("with actions that AWS does not take change nothing", async () => {
    await using aws = await world()
    const { blue, green, listener: ListenerArn } = aws.service
    const put = (...DefaultActions: ReadonlyArray<object>) =>
      aws.elb.modifyListener({ ListenerArn, DefaultActions: DefaultActions as never })
    const group = (TargetGroupArn: string, Weight: number) => ({ TargetGroupArn, Weight })
    const to = (...TargetGroups: ReadonlyArray<object>) => ({ Type: "forward", ForwardConfig: { TargetGroups } })
    const refused: ReadonlyArray<readonly [ReadonlyArray<object>, string]> = [
      [[to(group(blue.targetGroup, 1000))], "ValidationError"],
      [[to(group(blue.targetGroup, -1))], "ValidationError"],
      [[to(...Array.from({ length: 6 }, (_, at) => group(`${blue.targetGroup}${at}`, 1)))], "ValidationError"],
      [[to(group(blue.targetGroup, 1), group(blue.targetGroup, 1))], "InvalidLoadBalancerActionException"],
      [[to(group(`${blue.targetGroup}0`, 1))], "TargetGroupNotFoundException"],
      [[to(group(blue.targetGroup, 1)), to(group(green.targetGroup, 1))], "InvalidLoadBalancerActionException"],
      [[{ Type: "authenticate-cognito" }, to(group(blue.targetGroup, 1))], "InvalidLoadBalancerActionException"]
    ]
    for (const [actions, name] of refused) await expect(put(...actions)).rejects.toMatchObject({ name })
    assert.deepStrictEqual(await weights(aws), [1])
    const other = await aws.elb.createLoadBalancer({ Name: "other", Subnets: ["subnet-0a"] })
    const made = aws.elb.createListener({
      LoadBalancerArn: other.LoadBalancers![0]!.LoadBalancerArn!,
      Port: 80,
      Protocol: "HTTP",
      DefaultActions: [{ Type: "forward", TargetGroupArn: blue.targetGroup }]
    })
    await expect(made).rejects.toMatchObject({ name: "TargetGroupAssociationLimitException" })
  })

  it("of the default rule are for the listener alone", async () => {
    await using aws = await world()
    const { Rules } = await aws.elb.describeRules({ ListenerArn: aws.service.listener })
    const RuleArn = Rules![0]!.RuleArn!
    const refused = { name: "OperationNotPermittedException" }
    await expect(aws.elb.modifyRule({ RuleArn, Actions: [aws.forward(1, 1)] })).rejects.toMatchObject(refused)
    await expect(aws.elb.deleteRule({ RuleArn })).rejects.toMatchObject(refused)
  })

  it("are throttled from the nth on, which clients repeat", async () => {
    await using aws = await world()
    aws.simulator.faults.calls({ operation: "ModifyListener", nth: 2, times: 1, throttled: true })
    await aws.weigh(90, 10)
    await expect(once(aws).modifyListener({ ListenerArn: aws.service.listener })).rejects.toMatchObject({
      name: "Throttling",
      message: "Rate exceeded"
    })
    await aws.weigh(80, 20)
    expect(aws.simulator.ledger.writes.map(({ failed }) => failed)).toEqual([undefined, "Throttling", undefined])
  })

  it("take effect even if the connection is dropped before the answer", async () => {
    await using aws = await world()
    const end = aws.simulator.faults.calls({ operation: /^Modify/, dropped: true })
    const lost = once(aws).modifyListener({ ListenerArn: aws.service.listener, DefaultActions: [aws.forward(7, 3)] })
    await expect(lost).rejects.toThrow("socket hang up")
    end()
    assert.deepStrictEqual(await weights(aws), [7, 3])
    await aws.weigh(6, 4)
    assert.strictEqual(aws.simulator.ledger.writes.length, 2)
  })

  it("read what was before, where a fault wants stale reads", async () => {
    await using aws = await world()
    await aws.weigh(9, 1)
    assert.deepStrictEqual(await weights(aws), [9, 1])
    aws.simulator.faults.staleReads("DescribeListeners", 2)
    await aws.weigh(5, 5)
    assert.deepStrictEqual(
      [await weights(aws), await weights(aws), await weights(aws)],
      [
        [9, 1],
        [9, 1],
        [5, 5]
      ]
    )
  })

  it("of others are seen, and not counted as own writes", async () => {
    await using aws = await world()
    const { listener: ListenerArn } = aws.service
    await aws.simulator.edit("ModifyListener", { ListenerArn, DefaultActions: [aws.forward(2, 8)] })
    assert.deepStrictEqual(await weights(aws), [2, 8])
    assert.strictEqual(aws.simulator.ledger.writes.length, 0)
    expect(aws.simulator.ledger.calls.map(({ caller, operation }) => [caller, operation])).toEqual([
      ["another-caller", "ModifyListener"],
      ["deployer", "DescribeListeners"]
    ])
  })

  it("are of the account that the access key names", async () => {
    await using aws = await world()
    assert.strictEqual((await aws.sts.getCallerIdentity({})).Account, aws.simulator.account)
    const other = new STS({
      endpoint: aws.simulator.endpoint,
      region: "eu-central-1",
      credentials: { accessKeyId: "999988887777", secretAccessKey: "simulated" }
    })
    assert.strictEqual((await other.getCallerIdentity({})).Account, "999988887777")
  })

  it("are answered page by page", async () => {
    await using aws = await world({ pageSize: 2 })
    const { listener: ListenerArn } = aws.service
    for (const Priority of [1, 2, 3]) {
      const Conditions = [{ Field: "path-pattern", Values: [`/${Priority}`] }]
      await aws.elb.createRule({ ListenerArn, Priority, Conditions, Actions: [aws.forward(1, 1)] })
    }
    const priorities: Array<string | undefined> = []
    for await (const { Rules } of paginateDescribeRules({ client: aws.elb }, { ListenerArn })) {
      assert.ok(Rules!.length <= 2)
      priorities.push(...Rules!.map(({ Priority }) => Priority))
    }
    expect(priorities).toEqual(["1", "2", "3", "default"])
    const groups: Array<string | undefined> = []
    for await (const page of paginateDescribeAutoScalingGroups({ client: aws.scaling, pageSize: 1 }, {})) {
      groups.push(...page.AutoScalingGroups!.map(({ AutoScalingGroupName }) => AutoScalingGroupName))
    }
    expect(groups).toEqual(["shop-blue", "shop-green"])
    const wrong = aws.elb.describeRules({ ListenerArn, Marker: "none" })
    await expect(wrong).rejects.toMatchObject({ name: "ValidationError" })
  })

  it("with a token that was used create nothing twice", async () => {
    await using aws = await world()
    const version = (ClientToken: string, ImageId: string) =>
      aws.ec2.createLaunchTemplateVersion({
        LaunchTemplateId: aws.service.green.launchTemplate,
        ClientToken,
        LaunchTemplateData: { ImageId }
      })
    const numbers = [await version("a", "ami-1"), await version("a", "ami-1"), await version("b", "ami-1")]
    expect(numbers.map(({ LaunchTemplateVersion }) => LaunchTemplateVersion!.VersionNumber)).toEqual([2, 2, 3])
    await expect(version("a", "ami-2")).rejects.toMatchObject({ name: "IdempotentParameterMismatch" })
  })
})
