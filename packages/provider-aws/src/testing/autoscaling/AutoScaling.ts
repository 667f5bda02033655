/**
 * The Auto Scaling groups of an account.
 */
import type { CreateAutoScalingGroupCommandInput, TagDescription } from "@aws-sdk/client-auto-scaling"
import { arnOf } from "../Place.ts"
import { AwsError, invalid } from "../wire/AwsError.ts"
import { Group } from "./Group.ts"
import type { GroupSurroundings } from "./GroupState.ts"

/** How often groups take up a step, in simulated milliseconds. */
const interval = 1000

export class AutoScaling {
  readonly groups = new Map<string, Group>()
  readonly around: GroupSurroundings
  readonly #stop: () => void

  /** `stepped` is called after each step of all groups. */
  constructor(around: GroupSurroundings, stepped: () => void) {
    this.around = around
    this.#stop = around.clock.every(interval, async () => {
      for (const group of this.groups.values()) {
        await group.step()
        if (group.isRemoved && group.members.length === 0) this.groups.delete(group.settings.name)
      }
      stepped()
    })
  }

  group(name: string | undefined): Group {
    const found = this.groups.get(name ?? "")
    if (found === undefined) throw invalid(`AutoScalingGroup name not found - AutoScalingGroup '${name}' not found`)
    return found
  }

  create(input: CreateAutoScalingGroupCommandInput): Group {
    const name = input.AutoScalingGroupName!
    if (this.groups.has(name)) {
      throw new AwsError(
        "AlreadyExists",
        "AutoScalingGroup by this name already exists - A group with the name already exists"
      )
    }
    if (input.LaunchTemplate === undefined) {
      throw invalid(
        "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or MixedInstancesPolicy parameter."
      )
    }
    const min = input.MinSize!
    const group = new Group(
      {
        name,
        min,
        max: input.MaxSize!,
        desired: input.DesiredCapacity ?? min,
        template: input.LaunchTemplate,
        targetGroups: input.TargetGroupARNs ?? [],
        healthCheckType: input.HealthCheckType ?? "EC2",
        grace: input.HealthCheckGracePeriod ?? 0,
        warmup: input.DefaultInstanceWarmup,
        subnets: input.VPCZoneIdentifier ?? "",
        tags: (input.Tags ?? []).map((tag) => tagOf(name, tag))
      },
      arnOf(
        this.around.place,
        "autoscaling",
        `autoScalingGroup:${this.around.place.id(8)}:autoScalingGroupName/${name}`
      ),
      this.around
    )
    this.check(group)
    for (const arn of group.settings.targetGroups) this.checkTargetGroup(arn)
    this.groups.set(name, group)
    return group
  }

  /** Refuses sizes that contradict each other, and templates that are not there. */
  check({ settings }: Group): void {
    const { desired, max, min, template } = settings
    if (min > max) throw invalid(`Max bound, ${max}, must be greater than or equal to min bound, ${min}`)
    if (desired > max)
      throw invalid(`Desired capacity:${desired} must be less than or equal to specified max size:${max}`)
    if (desired < min) {
      throw invalid(`Desired capacity:${desired} must be greater than or equal to specified min size:${min}`)
    }
    this.around.templates.resolve({ ...template, Version: template.Version ?? "$Default" })
  }

  checkTargetGroup(arn: string): void {
    if (!this.around.balancing.groups.has(arn)) {
      throw invalid("Provided Target Groups may not be valid. Please ensure they exist and try again.")
    }
  }

  close(): void {
    this.#stop()
  }
}

/** A tag as it is described. */
export const tagOf = (
  group: string,
  tag: {
    readonly Key?: string | undefined
    readonly Value?: string | undefined
    readonly PropagateAtLaunch?: boolean | undefined
  }
): TagDescription => ({
  Key: tag.Key,
  Value: tag.Value ?? "",
  PropagateAtLaunch: tag.PropagateAtLaunch ?? false,
  ResourceId: group,
  ResourceType: "auto-scaling-group"
})
