/**
 * The operations on Auto Scaling groups.
 */
import {
  type AttachLoadBalancerTargetGroupsCommandInput,
  type AttachLoadBalancerTargetGroupsCommandOutput,
  AttachLoadBalancerTargetGroups$,
  type CreateAutoScalingGroupCommandInput,
  type CreateAutoScalingGroupCommandOutput,
  CreateAutoScalingGroup$,
  type CreateOrUpdateTagsCommandInput,
  type CreateOrUpdateTagsCommandOutput,
  CreateOrUpdateTags$,
  type DeleteAutoScalingGroupCommandInput,
  type DeleteAutoScalingGroupCommandOutput,
  DeleteAutoScalingGroup$,
  type DeleteTagsCommandInput,
  type DeleteTagsCommandOutput,
  DeleteTags$,
  type DescribeAutoScalingGroupsCommandInput,
  type DescribeAutoScalingGroupsCommandOutput,
  DescribeAutoScalingGroups$,
  type DescribeScalingActivitiesCommandInput,
  type DescribeScalingActivitiesCommandOutput,
  DescribeScalingActivities$,
  type DetachLoadBalancerTargetGroupsCommandInput,
  type DetachLoadBalancerTargetGroupsCommandOutput,
  DetachLoadBalancerTargetGroups$,
  type SetDesiredCapacityCommandInput,
  type SetDesiredCapacityCommandOutput,
  SetDesiredCapacity$,
  type UpdateAutoScalingGroupCommandInput,
  type UpdateAutoScalingGroupCommandOutput,
  UpdateAutoScalingGroup$
} from "@aws-sdk/client-auto-scaling"
import { AwsError } from "../wire/AwsError.ts"
import { operation, type Service } from "../wire/Endpoint.ts"
import { pageOf } from "../wire/pages.ts"
import { type AutoScaling, tagOf } from "./AutoScaling.ts"
import type { Group } from "./Group.ts"
import type { GroupSettings } from "./GroupState.ts"

export const autoScalingGroupOperations = (state: AutoScaling): Service["operations"] => {
  /** Changes settings, if the result may be. */
  const change = (group: Group, changes: Partial<GroupSettings>): void => {
    const before = { ...group.settings }
    Object.assign(group.settings, changes)
    try {
      state.check(group)
    } catch (error) {
      Object.assign(group.settings, before)
      throw error
    }
  }
  return {
    CreateAutoScalingGroup: operation<CreateAutoScalingGroupCommandInput, CreateAutoScalingGroupCommandOutput>(
      CreateAutoScalingGroup$,
      (input) => {
        state.create(input)
        return {}
      }
    ),
    DescribeAutoScalingGroups: operation<DescribeAutoScalingGroupsCommandInput, DescribeAutoScalingGroupsCommandOutput>(
      DescribeAutoScalingGroups$,
      ({ AutoScalingGroupNames: names = [], Filters = [], MaxRecords, NextToken }) => {
        // Names that are not there are left out.
        const found = [...state.groups.values()]
          .filter(({ settings }) => names.length === 0 || names.includes(settings.name))
          .filter(({ settings: { tags } }) =>
            Filters.every(({ Name = "", Values = [] }) =>
              tags.some(({ Key, Value }) => Key === Name.replace("tag:", "") && Values.includes(Value ?? ""))
            )
          )
        const { items, next } = pageOf(found, NextToken, MaxRecords, state.around.pageSize)
        return { AutoScalingGroups: items.map((group) => group.json()), NextToken: next }
      }
    ),
    UpdateAutoScalingGroup: operation<UpdateAutoScalingGroupCommandInput, UpdateAutoScalingGroupCommandOutput>(
      UpdateAutoScalingGroup$,
      (input) => {
        const group = state.group(input.AutoScalingGroupName)
        const { settings } = group
        const min = input.MinSize ?? settings.min
        const max = input.MaxSize ?? settings.max
        // Without a number of its own, the desired capacity follows new limits.
        const desired = input.DesiredCapacity ?? Math.min(max, Math.max(min, settings.desired))
        change(group, {
          min,
          max,
          desired,
          template: input.LaunchTemplate ?? settings.template,
          healthCheckType: input.HealthCheckType ?? settings.healthCheckType,
          grace: input.HealthCheckGracePeriod ?? settings.grace,
          warmup: input.DefaultInstanceWarmup ?? settings.warmup,
          subnets: input.VPCZoneIdentifier ?? settings.subnets
        })
        return {}
      }
    ),
    SetDesiredCapacity: operation<SetDesiredCapacityCommandInput, SetDesiredCapacityCommandOutput>(
      SetDesiredCapacity$,
      ({ AutoScalingGroupName, DesiredCapacity }) => {
        const group = state.group(AutoScalingGroupName)
        change(group, { desired: DesiredCapacity! })
        return {}
      }
    ),
    DeleteAutoScalingGroup: operation<DeleteAutoScalingGroupCommandInput, DeleteAutoScalingGroupCommandOutput>(
      DeleteAutoScalingGroup$,
      ({ AutoScalingGroupName, ForceDelete }) => {
        const group = state.group(AutoScalingGroupName)
        if (ForceDelete !== true && group.members.length > 0) {
          throw new AwsError(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group."
          )
        }
        Object.assign(group.settings, { min: 0, desired: 0 })
        group.isRemoved = true
        if (group.members.length === 0) state.groups.delete(group.settings.name)
        return {}
      }
    ),
    AttachLoadBalancerTargetGroups: operation<
      AttachLoadBalancerTargetGroupsCommandInput,
      AttachLoadBalancerTargetGroupsCommandOutput
    >(AttachLoadBalancerTargetGroups$, ({ AutoScalingGroupName, TargetGroupARNs = [] }) => {
      const group = state.group(AutoScalingGroupName)
      for (const arn of TargetGroupARNs) state.checkTargetGroup(arn)
      group.attach([...new Set([...group.settings.targetGroups, ...TargetGroupARNs])])
      return {}
    }),
    DetachLoadBalancerTargetGroups: operation<
      DetachLoadBalancerTargetGroupsCommandInput,
      DetachLoadBalancerTargetGroupsCommandOutput
    >(DetachLoadBalancerTargetGroups$, ({ AutoScalingGroupName, TargetGroupARNs = [] }) => {
      const group = state.group(AutoScalingGroupName)
      group.attach(group.settings.targetGroups.filter((arn) => !TargetGroupARNs.includes(arn)))
      return {}
    }),
    DescribeScalingActivities: operation<DescribeScalingActivitiesCommandInput, DescribeScalingActivitiesCommandOutput>(
      DescribeScalingActivities$,
      ({ AutoScalingGroupName, MaxRecords, NextToken }) => {
        const groups =
          AutoScalingGroupName === undefined ? [...state.groups.values()] : [state.group(AutoScalingGroupName)]
        const all = groups.flatMap(({ activities }) => activities)
        const { items, next } = pageOf(all, NextToken, MaxRecords, state.around.pageSize)
        return { Activities: items, NextToken: next }
      }
    ),
    CreateOrUpdateTags: operation<CreateOrUpdateTagsCommandInput, CreateOrUpdateTagsCommandOutput>(
      CreateOrUpdateTags$,
      ({ Tags = [] }) => {
        for (const tag of Tags) {
          const { settings } = state.group(tag.ResourceId)
          settings.tags = [...settings.tags.filter(({ Key }) => Key !== tag.Key), tagOf(settings.name, tag)]
        }
        return {}
      }
    ),
    DeleteTags: operation<DeleteTagsCommandInput, DeleteTagsCommandOutput>(DeleteTags$, ({ Tags = [] }) => {
      for (const tag of Tags) {
        const { settings } = state.group(tag.ResourceId)
        settings.tags = settings.tags.filter(({ Key }) => Key !== tag.Key)
      }
      return {}
    })
  }
}
