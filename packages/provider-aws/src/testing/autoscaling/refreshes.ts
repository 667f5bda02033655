/**
 * The operations on instance refreshes.
 */
import {
  type CancelInstanceRefreshCommandInput,
  type CancelInstanceRefreshCommandOutput,
  CancelInstanceRefresh$,
  type DescribeInstanceRefreshesCommandInput,
  type DescribeInstanceRefreshesCommandOutput,
  DescribeInstanceRefreshes$,
  type RollbackInstanceRefreshCommandInput,
  type RollbackInstanceRefreshCommandOutput,
  RollbackInstanceRefresh$,
  type StartInstanceRefreshCommandInput,
  type StartInstanceRefreshCommandOutput,
  StartInstanceRefresh$
} from "@aws-sdk/client-auto-scaling"
import { AwsError, invalid } from "../wire/AwsError.ts"
import { operation, type Service } from "../wire/Endpoint.ts"
import { pageOf } from "../wire/pages.ts"
import type { AutoScaling } from "./AutoScaling.ts"
import { checkPreferences, Refresh } from "./Refresh.ts"

const moving = new Set(["$Latest", "$Default", undefined])

export const refreshOperations = (state: AutoScaling): Service["operations"] => {
  const running = (name: string | undefined): Refresh => {
    const { refresh } = state.group(name)
    if (refresh !== undefined) return refresh
    throw new AwsError(
      "ActiveInstanceRefreshNotFound",
      `No in progress or pending Instance Refresh found for Auto Scaling group ${name}`
    )
  }
  return {
    StartInstanceRefresh: operation<StartInstanceRefreshCommandInput, StartInstanceRefreshCommandOutput>(
      StartInstanceRefresh$,
      (input) => {
        const group = state.group(input.AutoScalingGroupName)
        if (group.refresh !== undefined) {
          throw new AwsError(
            "InstanceRefreshInProgress",
            "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh."
          )
        }
        const own = group.settings.template
        const desired = input.DesiredConfiguration?.LaunchTemplate
        // What $Latest and $Default mean changes, so that there is no way back.
        const reversible = desired !== undefined && !moving.has(desired.Version) && !moving.has(own.Version)
        checkPreferences(input.Preferences ?? {}, reversible)
        for (const alarm of input.Preferences?.AlarmSpecification?.Alarms ?? []) {
          if (state.around.isAlarm(alarm) === undefined) throw invalid(`The alarm ${alarm} does not exist`)
        }
        const before = state.around.templates.resolve(own)
        const refresh = new Refresh(group, state.around, input, {
          desired: desired === undefined ? before : state.around.templates.resolve(desired),
          before,
          reversible
        })
        group.refreshes.push(refresh)
        return { InstanceRefreshId: refresh.id }
      }
    ),
    DescribeInstanceRefreshes: operation<DescribeInstanceRefreshesCommandInput, DescribeInstanceRefreshesCommandOutput>(
      DescribeInstanceRefreshes$,
      ({ AutoScalingGroupName, InstanceRefreshIds: ids = [], MaxRecords, NextToken }) => {
        const all = state
          .group(AutoScalingGroupName)
          .refreshes.toReversed()
          .filter(({ id }) => ids.length === 0 || ids.includes(id))
        const { items, next } = pageOf(all, NextToken, MaxRecords, state.around.pageSize)
        return { InstanceRefreshes: items.map((refresh) => refresh.json()), NextToken: next }
      }
    ),
    CancelInstanceRefresh: operation<CancelInstanceRefreshCommandInput, CancelInstanceRefreshCommandOutput>(
      CancelInstanceRefresh$,
      ({ AutoScalingGroupName }) => {
        const refresh = running(AutoScalingGroupName)
        refresh.cancel()
        return { InstanceRefreshId: refresh.id }
      }
    ),
    RollbackInstanceRefresh: operation<RollbackInstanceRefreshCommandInput, RollbackInstanceRefreshCommandOutput>(
      RollbackInstanceRefresh$,
      ({ AutoScalingGroupName }) => {
        const refresh = running(AutoScalingGroupName)
        if (!refresh.reversible || refresh.status === "Cancelling") {
          throw new AwsError(
            "IrreversibleInstanceRefresh",
            "The instance refresh cannot be rolled back: it has no desired configuration, or a version of $Latest or $Default"
          )
        }
        if (refresh.status !== "RollbackInProgress") refresh.rollBack("Rollback requested by user")
        return { InstanceRefreshId: refresh.id }
      }
    )
  }
}
