/**
 * Launch templates, and groups of instances with their targets.
 */
import type { Made } from "./listeners.ts"
import type { Script, Side } from "./Script.ts"

interface Input {
  readonly [key: string]: unknown
}

/** Returns the id of the template. */
export const templates = async (script: Script, { aws: { ec2 }, image }: Side): Promise<string> => {
  const { refused, step } = script
  const UserData = Buffer.from("run s3://shop/v1").toString("base64")
  const { LaunchTemplate } = await ec2.createLaunchTemplate({
    LaunchTemplateName: "shop",
    LaunchTemplateData: { ImageId: image, InstanceType: "t3.micro" }
  })
  const LaunchTemplateId = LaunchTemplate!.LaunchTemplateId!
  script.name(LaunchTemplateId, "TEMPLATE")
  script.name(image, "IMAGE")
  const version = (input: Input = {}) =>
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
  return LaunchTemplateId
}

export const groups = async (
  script: Script,
  side: Side,
  { blue, green }: Made,
  LaunchTemplateId: string
): Promise<void> => {
  const { refused, step } = script
  const {
    aws: { ec2, elb, scaling },
    settle,
    subnets
  } = side
  const AutoScalingGroupName = "shop-blue"
  const create = (name: string, input: Input = {}) =>
    scaling.createAutoScalingGroup({
      AutoScalingGroupName: name,
      LaunchTemplate: { LaunchTemplateId, Version: "1" },
      MinSize: 1,
      MaxSize: 4,
      DesiredCapacity: 2,
      VPCZoneIdentifier: subnets.join(","),
      TargetGroupARNs: [blue],
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
  await step("the health of registered targets", () => health(blue))
  await step("the health of a target that is not registered", () => health(green, [{ Id: "i-0123456789abcdef0" }]))
  await refused("register an instance that does not exist", () =>
    elb.registerTargets({ TargetGroupArn: green, Targets: [{ Id: "i-0123456789abcdef0" }] })
  )
  const Targets = [{ Id: (await instances())[0]!.InstanceId! }]
  await step("the health of a target that is deregistered", async () => {
    await elb.deregisterTargets({ TargetGroupArn: blue, Targets })
    return health(blue, Targets)
  })
  await refused("delete a target group that a rule names", () => elb.deleteTargetGroup({ TargetGroupArn: green }))
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
}
