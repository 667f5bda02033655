/**
 * One script of calls, for the simulator and for moto, which others have written. What they answer is compared.
 */
import type { clients } from "./world.ts"

type Clients = ReturnType<typeof clients>

/** Where the script runs. */
export interface Side {
  readonly aws: Clients
  readonly subnets: ReadonlyArray<string>
  readonly vpc: string
  readonly image: string
  /** Lets instances start. */
  readonly settle: () => Promise<void>
}

/** What was answered to each step, without what differs from run to run. */
export type Answers = ReadonlyMap<string, string>

interface Listed {
  readonly [key: string]: unknown
}

/** The answer without names that were made up by the service. */
const stable = (answer: unknown, names: ReadonlyMap<string, string>): string => {
  let text = JSON.stringify(answer, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value
  )
  for (const [made, name] of names) text = text.replaceAll(made, name)
  return text
}

export const crossCheck = async ({ aws, image, settle, subnets, vpc }: Side): Promise<Answers> => {
  const { ec2, elb, scaling, sts, watch } = aws
  const answers = new Map<string, string>()
  const names = new Map<string, string>()

  /** Does a step; what it shows, or the name of its failure, is compared. */
  const step = async (name: string, call: () => Promise<unknown>): Promise<void> => {
    try {
      answers.set(name, stable(await call(), names))
    } catch (error) {
      const { message, name: failure } = error as Error
      // What moto has not, or what makes it stumble, it answers in HTML.
      answers.set(name, message.includes("parse error") ? "HTTP 500" : failure)
    }
  }

  /** A step that AWS refuses: what was made instead is taken back. */
  const refused = (name: string, call: () => Promise<unknown>, undo: () => Promise<unknown> = async () => {}) =>
    step(name, async () => {
      await call()
      await undo()
      return "accepted"
    })

  const group = async (name: string, colour: string) => {
    const settings = { Protocol: "HTTP" as const, Port: 80, VpcId: vpc, HealthCheckPath: "/" }
    const { TargetGroups } = await elb.createTargetGroup({ Name: name, ...settings })
    const arn = TargetGroups![0]!.TargetGroupArn!
    names.set(arn, colour)
    return { arn, again: () => elb.createTargetGroup({ Name: name, ...settings }) }
  }
  const { LoadBalancers } = await elb.createLoadBalancer({ Name: "shop", Subnets: [...subnets] })
  const LoadBalancerArn = LoadBalancers![0]!.LoadBalancerArn!
  const [blue, green] = [await group("shop-blue", "BLUE"), await group("shop-green", "GREEN")]
  const to = (...weights: ReadonlyArray<readonly [string, number | undefined]>) => ({
    Type: "forward" as const,
    ForwardConfig: {
      TargetGroups: weights.map(([TargetGroupArn, Weight]) => ({
        TargetGroupArn,
        ...(Weight === undefined ? {} : { Weight })
      }))
    }
  })
  const sticky = (TargetGroupStickinessConfig: object) => {
    const { ForwardConfig, Type } = to([blue.arn, 1], [green.arn, 1])
    return { Type, ForwardConfig: { ...ForwardConfig, TargetGroupStickinessConfig } }
  }
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

  // Target groups
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

  // Listeners and weights
  const { Listeners } = await elb.createListener({
    LoadBalancerArn,
    Port: 80,
    Protocol: "HTTP",
    DefaultActions: [{ Type: "forward", TargetGroupArn: blue.arn }]
  })
  const ListenerArn = Listeners![0]!.ListenerArn!
  names.set(ListenerArn, "LISTENER")
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

  // Rules
  const Conditions = [{ Field: "path-pattern", Values: ["/api/*"] }]
  const rule = (Priority: number) =>
    elb.createRule({ ListenerArn, Priority, Conditions, Actions: [to([blue.arn, 9], [green.arn, 1])] })
  const made = (await rule(10)).Rules![0]!
  const RuleArn = made.RuleArn!
  names.set(RuleArn, "RULE")
  const rules = async () => {
    const { Rules } = await elb.describeRules({ ListenerArn })
    return Rules!.map(({ Actions, IsDefault, Priority }) => ({ Actions, IsDefault, Priority }))
  }
  await step("rules of a listener, in their order", rules)
  await refused("create a rule of a priority that is in use", () => rule(10))
  await refused("create a rule of priority 0", async () => {
    const { Rules } = await rule(0)
    await elb.deleteRule({ RuleArn: Rules![0]!.RuleArn! })
  })
  await step("weights of 50 and 50 in a rule", async () => {
    await elb.modifyRule({ RuleArn, Actions: [to([blue.arn, 50], [green.arn, 50])] })
    return rules()
  })
  const { Rules } = await elb.describeRules({ ListenerArn })
  const base = Rules!.find(({ IsDefault }) => IsDefault)!.RuleArn!
  await refused(
    "modify the default rule as a rule",
    () => elb.modifyRule({ RuleArn: base, Actions: [to([green.arn, 1])] }),
    () => put(to([blue.arn, 1], [green.arn, 0]))
  )
  await refused("delete the default rule", () => elb.deleteRule({ RuleArn: base }))
  await step("change a priority", async () => {
    await elb.setRulePriorities({ RulePriorities: [{ RuleArn, Priority: 20 }] })
    return rules()
  })
  await refused("read a rule that does not exist", () => elb.describeRules({ RuleArns: [`${RuleArn.slice(0, -1)}0`] }))

  // Tags
  const ResourceArns = [ListenerArn, RuleArn, blue.arn]
  const tags = async () => {
    const { TagDescriptions } = await elb.describeTags({ ResourceArns })
    return TagDescriptions!.map(({ ResourceArn, Tags }) => ({
      ResourceArn,
      Tags: Tags!.toSorted((a, b) => (a.Key! < b.Key! ? -1 : 1))
    }))
  }
  await step("tags of a listener, a rule and a target group", async () => {
    await elb.addTags({ ResourceArns, Tags: [{ Key: "signalbox:deployment", Value: "A & <B>" }] })
    await elb.addTags({ ResourceArns: [RuleArn], Tags: [{ Key: "other", Value: "" }] })
    return tags()
  })
  await step("remove a tag, and one that is not there", async () => {
    await elb.removeTags({ ResourceArns, TagKeys: ["signalbox:deployment", "none"] })
    return tags()
  })
  await refused("tags of a rule that does not exist", () =>
    elb.describeTags({ ResourceArns: [`${RuleArn.slice(0, -1)}0`] })
  )

  // Launch templates
  const UserData = Buffer.from("run s3://shop/v1").toString("base64")
  const { LaunchTemplate } = await ec2.createLaunchTemplate({
    LaunchTemplateName: "shop",
    LaunchTemplateData: { ImageId: image, InstanceType: "t3.micro" }
  })
  const LaunchTemplateId = LaunchTemplate!.LaunchTemplateId!
  names.set(LaunchTemplateId, "TEMPLATE")
  names.set(image, "IMAGE")
  const version = (input: Listed = {}) =>
    ec2.createLaunchTemplateVersion({ LaunchTemplateId, LaunchTemplateData: { UserData }, ...input })
  const versions = async (...Versions: ReadonlyArray<string>) => {
    const { LaunchTemplateVersions } = await ec2.describeLaunchTemplateVersions({
      LaunchTemplateId,
      ...(Versions.length === 0 ? {} : { Versions: [...Versions] })
    })
    return LaunchTemplateVersions!.map(({ DefaultVersion, LaunchTemplateData: data, VersionNumber }) => ({
      VersionNumber,
      DefaultVersion,
      ImageId: data!.ImageId,
      UserData: data!.UserData
    }))
  }
  await refused("create a launch template of a name that is taken", () =>
    ec2.createLaunchTemplate({ LaunchTemplateName: "shop", LaunchTemplateData: { ImageId: image } })
  )
  await step("a version that takes over another one", async () => {
    const { LaunchTemplateVersion: made } = await version({ SourceVersion: "1" })
    return versions(String(made!.VersionNumber))
  })
  await step("a version twice, with the same token", async () => {
    const input = { SourceVersion: "1", ClientToken: "token-1" }
    const [first, second] = [await version(input), await version(input)]
    return second.LaunchTemplateVersion!.VersionNumber! - first.LaunchTemplateVersion!.VersionNumber!
  })
  await step("versions, newest first", async () => {
    const numbers = (await versions()).map(({ VersionNumber }) => VersionNumber!)
    return numbers[0]! > numbers.at(-1)!
  })
  await step("$Latest and $Default", async () =>
    (await versions("$Latest", "$Default")).map(({ DefaultVersion }) => DefaultVersion)
  )
  await refused("a version that does not exist", () => versions("99"))
  await refused("a launch template that does not exist", () =>
    ec2.describeLaunchTemplates({ LaunchTemplateIds: ["lt-0123456789abcdef0"] })
  )
  // Auto Scaling groups and their targets
  const AutoScalingGroupName = "shop-blue"
  const create = (name: string, input: Listed = {}) =>
    scaling.createAutoScalingGroup({
      AutoScalingGroupName: name,
      LaunchTemplate: { LaunchTemplateId, Version: "1" },
      MinSize: 1,
      MaxSize: 4,
      DesiredCapacity: 2,
      VPCZoneIdentifier: subnets.join(","),
      TargetGroupARNs: [blue.arn],
      ...input
    })
  const instances = async () => {
    const { AutoScalingGroups } = await scaling.describeAutoScalingGroups({
      AutoScalingGroupNames: [AutoScalingGroupName]
    })
    return AutoScalingGroups![0]!.Instances!
  }
  await create(AutoScalingGroupName)
  await settle()
  await step("instances of a group, with their template", async () =>
    (await instances()).map(({ HealthStatus, LaunchTemplate, LifecycleState }) => ({
      HealthStatus,
      LifecycleState,
      Version: LaunchTemplate!.Version
    }))
  )
  const remove = (name: string) => () =>
    scaling.deleteAutoScalingGroup({ AutoScalingGroupName: name, ForceDelete: true })
  await refused(
    "create a group with a minimum over the maximum",
    () => create("other", { MinSize: 5, DesiredCapacity: 5, TargetGroupARNs: [] }),
    remove("other")
  )
  await refused("create a group with a version that does not exist", () =>
    create("missing", { LaunchTemplate: { LaunchTemplateId, Version: "99" } })
  )
  await step("read a group that does not exist", async () => {
    const { AutoScalingGroups } = await scaling.describeAutoScalingGroups({ AutoScalingGroupNames: ["none"] })
    return AutoScalingGroups
  })
  await refused("update a group that does not exist", () =>
    scaling.updateAutoScalingGroup({ AutoScalingGroupName: "none", MinSize: 1 })
  )
  const health = async (TargetGroupArn: string, Targets?: Array<{ Id: string }>) => {
    const { TargetHealthDescriptions } = await elb.describeTargetHealth({
      TargetGroupArn,
      ...(Targets === undefined ? {} : { Targets })
    })
    return TargetHealthDescriptions!.map(({ TargetHealth }) => [TargetHealth!.State, TargetHealth!.Reason])
  }
  await step("the health of registered targets", () => health(blue.arn))
  await step("the health of a target that is not registered", () => health(green.arn, [{ Id: "i-0123456789abcdef0" }]))
  await refused("register an instance that does not exist", () =>
    elb.registerTargets({ TargetGroupArn: green.arn, Targets: [{ Id: "i-0123456789abcdef0" }] })
  )
  const Targets = [{ Id: (await instances())[0]!.InstanceId! }]
  await step("the health of a target that is deregistered", async () => {
    await elb.deregisterTargets({ TargetGroupArn: blue.arn, Targets })
    return health(blue.arn, Targets)
  })
  await refused("delete a target group that a rule names", () => elb.deleteTargetGroup({ TargetGroupArn: green.arn }))
  await step("begin an instance refresh", async () => {
    const { InstanceRefreshId } = await scaling.startInstanceRefresh({
      AutoScalingGroupName,
      DesiredConfiguration: { LaunchTemplate: { LaunchTemplateId, Version: "2" } }
    })
    return typeof InstanceRefreshId
  })
  await refused("create a group of a name that is taken", () => create(AutoScalingGroupName))
  await refused("delete a group that has instances", () => scaling.deleteAutoScalingGroup({ AutoScalingGroupName }))

  await step("delete the default version", async () => {
    const { UnsuccessfullyDeletedLaunchTemplateVersions: failed = [] } = await ec2.deleteLaunchTemplateVersions({
      LaunchTemplateId,
      Versions: ["1"]
    })
    return failed.map(({ ResponseError }) => ResponseError!.Code)
  })

  // CloudWatch and STS
  await step("metrics that are not there", async () => {
    const { MetricDataResults } = await watch.getMetricData({
      StartTime: new Date("2026-01-01T00:00:00Z"),
      EndTime: new Date("2026-01-01T01:00:00Z"),
      MetricDataQueries: [
        { Id: "none", MetricStat: { Metric: { Namespace: "Shop", MetricName: "None" }, Period: 60, Stat: "Sum" } }
      ]
    })
    return MetricDataResults!.map(({ StatusCode, Values }) => ({ StatusCode, Values }))
  })
  await step("an alarm that does not exist", async () => {
    const { MetricAlarms } = await watch.describeAlarms({ AlarmNames: ["none"] })
    return MetricAlarms
  })
  await step("who calls", async () => Object.keys(await sts.getCallerIdentity({})).sort())
  return answers
}
