/**
 * Target groups, and the actions of a listener.
 */
import type { Script, Side } from "./Script.ts"

/** A forward action. */
export const to = (...weights: ReadonlyArray<readonly [string, number | undefined]>) => ({
  Type: "forward" as const,
  ForwardConfig: {
    TargetGroups: weights.map(([TargetGroupArn, Weight]) => ({
      TargetGroupArn,
      ...(Weight === undefined ? {} : { Weight })
    }))
  }
})

const page = { Type: "fixed-response" as const, FixedResponseConfig: { StatusCode: "200" } }

const login = {
  Type: "authenticate-oidc" as const,
  Order: 1,
  AuthenticateOidcConfig: {
    Issuer: "https://id.example.com",
    AuthorizationEndpoint: "https://id.example.com/authorize",
    TokenEndpoint: "https://id.example.com/token",
    UserInfoEndpoint: "https://id.example.com/user",
    ClientId: "shop",
    ClientSecret: "secret"
  }
}

/** What the following steps go on with. */
export interface Made {
  readonly listener: string
  readonly blue: string
  readonly green: string
}

export const listeners = async (script: Script, { aws: { elb }, subnets, vpc }: Side): Promise<Made> => {
  const { refused, step } = script
  const group = async (name: string, colour: string) => {
    const settings = { Protocol: "HTTP" as const, Port: 80, VpcId: vpc, HealthCheckPath: "/" }
    const { TargetGroups } = await elb.createTargetGroup({ Name: name, ...settings })
    const arn = TargetGroups![0]!.TargetGroupArn!
    script.name(arn, colour)
    return { arn, again: () => elb.createTargetGroup({ Name: name, ...settings }) }
  }
  const { LoadBalancers } = await elb.createLoadBalancer({ Name: "shop", Subnets: [...subnets] })
  const LoadBalancerArn = LoadBalancers![0]!.LoadBalancerArn!
  const [blue, green] = [await group("shop-blue", "BLUE"), await group("shop-green", "GREEN")]
  const sticky = (TargetGroupStickinessConfig: object) => {
    const { ForwardConfig, Type } = to([blue.arn, 1], [green.arn, 1])
    return { Type, ForwardConfig: { ...ForwardConfig, TargetGroupStickinessConfig } }
  }
  await step("create a target group a second time, with the same settings", async () => {
    const { TargetGroups } = await blue.again()
    return TargetGroups![0]!.TargetGroupArn
  })
  await refused("create a target group of the same name, with another port", () =>
    elb.createTargetGroup({ Name: "shop-blue", Protocol: "HTTP", Port: 81, VpcId: vpc })
  )
  await step("read the defaults of a target group", async () => {
    const { TargetGroups } = await elb.describeTargetGroups({ Names: ["shop-blue"] })
    const {
      HealthCheckIntervalSeconds,
      HealthCheckTimeoutSeconds,
      HealthyThresholdCount,
      Matcher,
      UnhealthyThresholdCount
    } = TargetGroups![0]!
    return {
      HealthCheckIntervalSeconds,
      HealthCheckTimeoutSeconds,
      HealthyThresholdCount,
      Matcher,
      UnhealthyThresholdCount
    }
  })
  const attribute = (Key: string, Value: string) =>
    elb.modifyTargetGroupAttributes({ TargetGroupArn: blue.arn, Attributes: [{ Key, Value }] })
  await step("set the deregistration delay", async () => {
    const { Attributes } = await attribute("deregistration_delay.timeout_seconds", "30")
    return Attributes!.find(({ Key }) => Key === "deregistration_delay.timeout_seconds")
  })
  await refused("set an attribute that does not exist", () => attribute("no.such.attribute", "1"))

  const { Listeners } = await elb.createListener({
    LoadBalancerArn,
    Port: 80,
    Protocol: "HTTP",
    DefaultActions: [{ Type: "forward", TargetGroupArn: blue.arn }]
  })
  const ListenerArn = Listeners![0]!.ListenerArn!
  script.name(ListenerArn, "LISTENER")
  const actions = async () => {
    const { Listeners } = await elb.describeListeners({ ListenerArns: [ListenerArn] })
    return Listeners![0]!.DefaultActions
  }
  const put = async (...DefaultActions: ReadonlyArray<object>) => {
    await elb.modifyListener({ ListenerArn, DefaultActions: DefaultActions as never })
    return actions()
  }
  await step("read a listener that forwards to one group", actions)
  await step("weights of 95 and 5 in a listener", () => put(to([blue.arn, 95], [green.arn, 5])))
  await step("weights that are left out", () => put(to([blue.arn, undefined], [green.arn, undefined])))
  await step("weights of 0 and 0", () => put(to([blue.arn, 0], [green.arn, 0])))
  await refused("a weight of 1000", () => put(to([blue.arn, 1000])))
  await refused("a weight of -1", () => put(to([blue.arn, -1])))
  await refused("a group twice in one action", () => put(to([blue.arn, 1], [blue.arn, 1])))
  await refused("a group that does not exist", () => put(to([`${blue.arn.slice(0, -1)}0`, 1])))
  await step("stickiness of 60 seconds", () => put(sticky({ Enabled: true, DurationSeconds: 60 })))
  await refused("stickiness without a duration", () => put(sticky({ Enabled: true })))
  await refused("stickiness of 604801 seconds", () => put(sticky({ Enabled: true, DurationSeconds: 604_801 })))
  await refused("two actions that both end", () => put(page, to([blue.arn, 1])))
  await refused("no action that ends", () => put(login))
  await refused("authentication in a listener without encryption", () => put(login, { ...to([blue.arn, 1]), Order: 2 }))
  await step("back to weights of 1 and 0", () => put(to([blue.arn, 1], [green.arn, 0])))
  await refused("read a listener that does not exist", () =>
    elb.describeListeners({ ListenerArns: [`${ListenerArn.slice(0, -1)}0`] })
  )
  await refused("create a second listener on the port", () =>
    elb.createListener({ LoadBalancerArn, Port: 80, Protocol: "HTTP", DefaultActions: [page] })
  )
  return { listener: ListenerArn, blue: blue.arn, green: green.arn }
}
