/**
 * Auto Scaling groups and the versions of launch templates: how they are read and changed.
 */
import type { Activity, AutoScaling, AutoScalingGroup, InstanceRefresh } from "@aws-sdk/client-auto-scaling"
import type { EC2, LaunchTemplateVersion } from "@aws-sdk/client-ec2"
import type { Mutation, PollOptions, ProviderReason, Release } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { type Aws, type AwsPlace, Caller, type Failure } from "../client/index.ts"
import { digestOf } from "../client/digestOf.ts"
import type { AutoScalingCall, Ec2Call } from "../iam/calls.ts"
import type { TemplateVersion } from "./LaunchProperties.ts"
import { describe, launchDataOf, releaseOf } from "./LaunchRelease.ts"

/** An instance that a group has launched. */
export interface GroupInstance {
  readonly id: string
  readonly version: string | null
  readonly inService: boolean
  readonly healthy: boolean
}

/** A group, as far as it matters here. `version` is a number, `$Latest` or `$Default`; null without a launch template. */
export interface ScalingGroup {
  readonly name: string
  readonly arn: string
  readonly templateId: string | null
  readonly version: string | null
  readonly mixed: boolean
  readonly desired: number
  readonly minimum: number
  readonly maximum: number
  readonly graceSeconds: number
  readonly targetGroups: ReadonlyArray<string>
  readonly instances: ReadonlyArray<GroupInstance>
  readonly tags: ReadonlyMap<string, string>
  readonly createdAt: number | null
}

const groupFrom = (group: AutoScalingGroup): ScalingGroup => ({
  name: group.AutoScalingGroupName!,
  arn: group.AutoScalingGroupARN ?? "",
  templateId: group.LaunchTemplate?.LaunchTemplateId ?? null,
  version: group.LaunchTemplate?.Version ?? null,
  mixed: group.MixedInstancesPolicy !== undefined,
  desired: group.DesiredCapacity ?? 0,
  minimum: group.MinSize ?? 0,
  maximum: group.MaxSize ?? 0,
  graceSeconds: group.HealthCheckGracePeriod ?? 0,
  targetGroups: group.TargetGroupARNs ?? [],
  instances: (group.Instances ?? []).map((one) => ({
    id: one.InstanceId!,
    version: one.LaunchTemplate?.Version ?? null,
    inService: one.LifecycleState === "InService",
    healthy: one.HealthStatus?.toLowerCase() !== "unhealthy"
  })),
  tags: new Map((group.Tags ?? []).map(({ Key, Value }) => [Key!, Value ?? ""])),
  createdAt: group.CreatedTime?.getTime() ?? null
})

/** How large a group is to be; `version` what its instances are launched from, if that changes. */
export interface Size {
  readonly desired: number
  readonly minimum: number
  readonly maximum?: number
  readonly version?: TemplateVersion
}

/** Whether a refresh has ended. */
export const hasEnded = ({ Status }: InstanceRefresh): boolean =>
  ["Successful", "Failed", "Cancelled", "RollbackSuccessful", "RollbackFailed"].includes(Status ?? "")

export class Groups {
  readonly scaling: Caller<AutoScaling, AutoScalingCall>
  readonly #ec2: Caller<EC2, Ec2Call>
  /** A version never changes: each one is read once. */
  readonly #versions = new Map<string, LaunchTemplateVersion>()

  constructor(aws: Aws, place: AwsPlace) {
    this.scaling = new Caller("autoscaling", () => aws.autoScaling(place))
    this.#ec2 = new Caller("ec2", () => aws.ec2(place))
  }

  /** The groups of these names; one that is not there is `Missing`. */
  find(names: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<ScalingGroup>, ProviderReason> {
    return Effect.gen({ self: this }, function* () {
      const { AutoScalingGroups = [] } = yield* this.scaling.read("DescribeAutoScalingGroups", (client, options) =>
        client.describeAutoScalingGroups({ AutoScalingGroupNames: [...names] }, options)
      )
      const found = new Map(AutoScalingGroups.map((one) => [one.AutoScalingGroupName, groupFrom(one)]))
      const missing = names.find((name) => !found.has(name))
      if (missing === undefined) return names.map((name) => found.get(name)!)
      return yield* Effect.fail<ProviderReason>({
        _tag: "Missing",
        message: `there is no Auto Scaling group ${missing}`
      })
    })
  }

  one(name: string): Effect.Effect<ScalingGroup, ProviderReason> {
    return Effect.map(this.find([name]), ([group]) => group!)
  }

  /** The refreshes of a group, newest first. */
  refreshes(name: string): Effect.Effect<ReadonlyArray<InstanceRefresh>, ProviderReason> {
    return this.scaling
      .read("DescribeInstanceRefreshes", (client, options) =>
        client.describeInstanceRefreshes({ AutoScalingGroupName: name, MaxRecords: 20 }, options)
      )
      .pipe(Effect.map(({ InstanceRefreshes = [] }) => InstanceRefreshes))
  }

  /** The refresh that a group is in. */
  refreshing(name: string): Effect.Effect<InstanceRefresh | undefined, ProviderReason> {
    return Effect.map(this.refreshes(name), (all) => all.find((one) => !hasEnded(one)))
  }

  /** What a group has done lately, newest first. */
  activities(name: string): Effect.Effect<ReadonlyArray<Activity>, ProviderReason> {
    return this.scaling
      .read("DescribeScalingActivities", (client, options) =>
        client.describeScalingActivities({ AutoScalingGroupName: name, MaxRecords: 50 }, options)
      )
      .pipe(Effect.map(({ Activities = [] }) => Activities))
  }

  resize(name: string, mutation: Mutation, { desired, maximum, minimum, version }: Size): Effect.Effect<void, Failure> {
    return Effect.asVoid(
      this.scaling.change("UpdateAutoScalingGroup", mutation, (client, options) =>
        client.updateAutoScalingGroup(
          {
            AutoScalingGroupName: name,
            DesiredCapacity: desired,
            MinSize: minimum,
            ...(maximum === undefined ? {} : { MaxSize: maximum }),
            ...(version === undefined
              ? {}
              : { LaunchTemplate: { LaunchTemplateId: version.id, Version: String(version.version) } })
          },
          options
        )
      )
    )
  }

  /** A version of a launch template; null if there is none. */
  version(id: string, version: number | string): Effect.Effect<LaunchTemplateVersion | null, ProviderReason> {
    const key = `${id} ${version}`
    const known = this.#versions.get(key)
    if (known !== undefined) return Effect.succeed(known)
    return this.#ec2
      .read("DescribeLaunchTemplateVersions", (client, options) =>
        client.describeLaunchTemplateVersions({ LaunchTemplateId: id, Versions: [String(version)] }, options)
      )
      .pipe(
        Effect.map(({ LaunchTemplateVersions = [] }) => {
          const found = LaunchTemplateVersions[0] ?? null
          if (found !== null && /^\d+$/.test(String(version))) this.#versions.set(key, found)
          return found
        }),
        Effect.catch((reason) => (reason._tag === "Missing" ? Effect.succeed(null) : Effect.fail(reason)))
      )
  }

  /** The version of a launch template that runs a release; null if there is none. */
  versionFor(base: TemplateVersion, release: Release): Effect.Effect<number | null, ProviderReason> {
    return Effect.gen({ self: this }, function* () {
      for (let NextToken: string | undefined; ;) {
        const page = yield* this.#ec2.read("DescribeLaunchTemplateVersions", (client, options) =>
          client.describeLaunchTemplateVersions(
            {
              LaunchTemplateId: base.id,
              MinVersion: String(base.version),
              ...(NextToken === undefined ? {} : { NextToken })
            },
            options
          )
        )
        const found = (page.LaunchTemplateVersions ?? []).find(
          (one) => one.VersionDescription !== undefined && releaseOf(one).id === release.id
        )
        if (found !== undefined) return found.VersionNumber!
        NextToken = page.NextToken
        if (NextToken === undefined || NextToken === "") return null
      }
    })
  }

  /**
   * The version of a launch template that runs a release; makes it if there is none. Its token follows from the step, so that
   * a repeat makes no second one.
   */
  ensureVersion(base: TemplateVersion, release: Release, mutation: Mutation): Effect.Effect<number, Failure> {
    return Effect.gen({ self: this }, function* () {
      const existing = yield* this.versionFor(base, release)
      if (existing !== null) return existing
      const source = yield* this.version(base.id, base.version)
      if (source === null) {
        const message = `there is no version ${base.version} of launch template ${base.id}`
        return yield* Effect.fail<ProviderReason>({ _tag: "Missing", message })
      }
      const LaunchTemplateData = yield* launchDataOf(source, release)
      const { LaunchTemplateVersion: made } = yield* this.#ec2.change(
        "CreateLaunchTemplateVersion",
        mutation,
        (client, options) =>
          client.createLaunchTemplateVersion(
            {
              LaunchTemplateId: base.id,
              SourceVersion: String(base.version),
              ClientToken: digestOf([base, describe(release), mutation.idempotencyKey]),
              VersionDescription: describe(release),
              LaunchTemplateData
            },
            options
          )
      )
      return made!.VersionNumber!
    })
  }
}

/** What a step needs to change a group. */
export interface GroupWork {
  readonly groups: Groups
  readonly mutation: Mutation
  readonly poll: PollOptions
}
