/**
 * One Auto Scaling group that a step works on, as it is found, and what every step does first.
 */
import type { InstanceRefresh } from "@aws-sdk/client-auto-scaling"
import {
  absent,
  type Mutation,
  type Observation,
  type PollOptions,
  type ProviderReason,
  type Release,
  type StackRef
} from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { groupPage } from "../client/console.ts"
import type { AwsPlace, Failure } from "../client/index.ts"
import type { BalancerCalls } from "../elb/BalancerCalls.ts"
import { type ScalingGroup, type Groups, hasEnded } from "../groups/Groups.ts"
import { isRelease, releaseOf } from "../groups/LaunchRelease.ts"
import type { SeenTarget } from "../groups/Ready.ts"
import { stackIn, stackKey } from "../client/stackTag.ts"
import type { AsgProperties } from "./AsgProperties.ts"

export interface AsgWork {
  readonly ref: StackRef
  readonly place: AwsPlace
  readonly properties: AsgProperties
  readonly mutation: Mutation
  readonly poll: PollOptions
  readonly groups: Groups
  readonly calls: BalancerCalls
}

/**
 * *Details*: `stable` is the release that the group launches, `coming` the one that its refresh brings. `own` says
 * whether Signalbox has begun that refresh.
 */
export interface SeenGroup {
  readonly group: ScalingGroup
  readonly targets: ReadonlyArray<SeenTarget> | null
  readonly refresh: InstanceRefresh | undefined
  readonly stable: Release | null
  readonly coming: Release | null
  readonly own: boolean
  readonly changedAt: number | null
}

/** What the target groups of a group think of its instances; null if it has none. */
export const targetsOf = (
  calls: BalancerCalls,
  group: Pick<ScalingGroup, "targetGroups">
): Effect.Effect<ReadonlyArray<SeenTarget>, ProviderReason> | null =>
  group.targetGroups.length === 0
    ? null
    : Effect.map(
        Effect.forEach(group.targetGroups, (arn) => calls.targets(arn)),
        (all) => all.flat()
      )

/** Looks at a group. */
export const see = ({ calls, groups, properties }: AsgWork): Effect.Effect<SeenGroup, ProviderReason> =>
  Effect.gen(function* () {
    const group = yield* groups.one(properties.autoScalingGroup)
    const used = group.desired > 0 || group.instances.length > 0
    const refreshes = used ? yield* groups.refreshes(group.name) : []
    const refresh = refreshes.find((one) => !hasEnded(one))
    const launched = (template: string | null | undefined, version: string | null | undefined) =>
      !template || !version ? Effect.succeed(null) : groups.version(template, version)
    const now = used ? yield* launched(group.templateId, group.version) : null
    const { LaunchTemplateId, Version } = refresh?.DesiredConfiguration?.LaunchTemplate ?? {}
    const next = yield* launched(LaunchTemplateId ?? group.templateId, Version)
    return {
      group,
      targets: used ? yield* targetsOf(calls, group) ?? Effect.succeed(null) : null,
      refresh,
      stable: used ? releaseOf(now ?? { LaunchTemplateId: group.name }) : null,
      coming: next === null ? null : releaseOf(next),
      own: next !== null && (isRelease(next) || Version === group.version),
      changedAt: (refreshes[0]?.EndTime ?? refreshes[0]?.StartTime)?.getTime() ?? group.createdAt
    }
  })

/** How many instances of a version are healthy, for the group and for its target groups. */
export const healthyOf = ({ group, targets }: SeenGroup, version: string | null): number => {
  const fit = targets && new Set(targets.flatMap(({ id, state }) => (state === "healthy" ? [id] : [])))
  return group.instances.filter(
    (one) => one.version === version && one.inService && one.healthy && (fit?.has(one.id) ?? true)
  ).length
}

/** What the port says of a group. */
export const observation = (seen: SeenGroup): Observation => {
  const { coming, group, own, refresh, stable } = seen
  if (stable === null) return absent
  const url = groupPage(group.arn, group.name, "instanceRefresh")
  const other = coming !== null && coming.id !== stable.id ? coming : null
  const next = refresh?.DesiredConfiguration?.LaunchTemplate?.Version ?? null
  const rest = group.instances.filter(({ version }) => version !== group.version).length
  return {
    status: refresh !== undefined ? "changing" : healthyOf(seen, group.version) === 0 ? "failed" : "ready",
    stable,
    candidate: other,
    traffic: [{ releaseId: stable.id, percent: 100 }],
    trafficSource: "configured",
    health: {
      [stable.id]: {
        healthy: healthyOf(seen, group.version),
        total: other === null ? group.desired : Math.max(0, group.instances.length - rest)
      },
      ...(other === null ? {} : { [other.id]: { healthy: healthyOf(seen, next), total: group.desired } })
    },
    operation:
      refresh === undefined
        ? null
        : {
            id: refresh.InstanceRefreshId!,
            description: `instance refresh ${refresh.InstanceRefreshId} of ${group.name} is ${refresh.Status}`,
            foreign: !own,
            startedAt: refresh.StartTime?.getTime() ?? null
          },
    lastChangedAt: seen.changedAt,
    outputs: { version: stable.version },
    resources: group.instances.map(({ healthy, id, inService, version }) => ({
      id,
      type: "AWS::EC2::Instance",
      status: !inService ? "starting" : healthy ? "in service" : "unhealthy",
      ...(version === null ? {} : { reason: `version ${version} of the launch template` })
    })),
    ...(url === undefined ? {} : { consoleUrl: url })
  }
}

export const fail = (reason: ProviderReason) => Effect.fail(reason)

/** Fails if the group belongs to another stack. */
export const ownedBy = ({ ref }: AsgWork, { group }: SeenGroup): Effect.Effect<void, ProviderReason> => {
  const stack = group.tags.get(stackKey)
  if (stack === undefined || stack === stackIn(ref)) return Effect.void
  const hint = `Name another one, or remove its tag ${stackKey} if that stack is gone.`
  return fail({ _tag: "Invalid", message: `${group.name} belongs to stack ${stack}`, path: ["autoScalingGroup"], hint })
}

/** Looks at the group before it is changed: fails if it belongs to another stack, or if others refresh it. */
export const begin = (work: AsgWork): Effect.Effect<SeenGroup, Failure> =>
  Effect.gen(function* () {
    yield* work.mutation.guard
    const seen = yield* see(work)
    yield* ownedBy(work, seen)
    const { group, own, refresh } = seen
    if (refresh === undefined || own) return seen
    const url = groupPage(group.arn, group.name, "instanceRefresh")
    return yield* fail({
      _tag: "Busy",
      message: `someone else refreshes the instances of ${group.name}`,
      operation: `instance refresh ${refresh.InstanceRefreshId} is ${refresh.Status}`,
      ...(refresh.StartTime === undefined ? {} : { since: refresh.StartTime.getTime() }),
      ...(url === undefined ? {} : { url })
    })
  })
