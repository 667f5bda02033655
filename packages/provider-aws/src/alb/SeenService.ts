/**
 * A service as it is found at AWS, and the observation that the port makes of it.
 */
import type { InstanceRefresh } from "@aws-sdk/client-auto-scaling"
import type { Action } from "@aws-sdk/client-elastic-load-balancing-v2"
import { absent, type Observation, type ProviderReason, type Release, type Resource } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { ScalingGroup, Groups } from "../groups/Groups.ts"
import { releaseOf } from "../groups/LaunchRelease.ts"
import type { SeenTarget } from "../groups/Ready.ts"
import { weightsIn } from "./Actions.ts"
import { isRule, listenerOf } from "../client/arns.ts"
import type { BalancerCalls } from "../elb/BalancerCalls.ts"
import { listenerPage } from "../client/console.ts"
import { stackKey } from "../client/stackTag.ts"
import { type Colour, colours, forwarderOf, otherThan, type AlbProperties } from "./AlbProperties.ts"
import { readState, shareOf, type State, stateKey, type Weights } from "./State.ts"

/** One of the two places. Without instances, asked for or running, it has no release. */
export interface SeenSide {
  readonly colour: Colour
  readonly group: ScalingGroup
  readonly targets: ReadonlyArray<SeenTarget>
  readonly release: Release | null
  readonly refresh: InstanceRefresh | undefined
}

/**
 * *Details*: `stable` carries the traffic apart from the candidate. `stack` is the one that the listener or rule is
 * tagged with.
 */
export interface SeenService {
  readonly forwarder: string
  readonly actions: ReadonlyArray<Action>
  readonly weights: Weights
  readonly stack: string | null
  readonly state: State | null
  readonly sides: Readonly<Record<Colour, SeenSide>>
  readonly stable: SeenSide | null
  readonly candidate: SeenSide | null
}

/** How a service is reached. */
export interface AlbCalls {
  readonly calls: BalancerCalls
  readonly groups: Groups
}

const isUsed = ({ desired, instances }: ScalingGroup): boolean => desired > 0 || instances.length > 0

const seeSide = (
  { calls, groups }: AlbCalls,
  colour: Colour,
  targetGroup: string,
  group: ScalingGroup
): Effect.Effect<SeenSide, ProviderReason> =>
  Effect.gen(function* () {
    const used = isUsed(group)
    const { refresh, targets, version } = yield* Effect.all(
      {
        targets: calls.targets(targetGroup),
        refresh: used ? groups.refreshing(group.name) : Effect.undefined,
        version:
          used && group.templateId !== null && group.version !== null
            ? groups.version(group.templateId, group.version)
            : Effect.succeed(null)
      },
      { concurrency: 3 }
    )
    const release = !used ? null : releaseOf(version ?? { LaunchTemplateId: group.name })
    return { colour, group, targets, release, refresh }
  })

/** The place that carries the traffic: the recorded one, or the one with more weight. */
const stableOf = (
  sides: Readonly<Record<Colour, SeenSide>>,
  weights: Weights,
  state: State | null
): SeenSide | null => {
  const used = colours.map((colour) => sides[colour]).filter(({ release }) => release !== null)
  const recorded = used.find(({ colour }) => colour === state?.stable)
  if (recorded !== undefined || state !== null) return recorded ?? null
  const carrying = used.filter(({ colour }) => weights[colour] > 0)
  return carrying.toSorted((left, right) => weights[right.colour] - weights[left.colour])[0] ?? null
}

/** Looks at a service. */
export const see = (access: AlbCalls, properties: AlbProperties): Effect.Effect<SeenService, ProviderReason> =>
  Effect.gen(function* () {
    const forwarder = forwarderOf(properties)
    const { actions, found, tags } = yield* Effect.all(
      {
        actions: access.calls.actions(forwarder),
        tags: access.calls.tags(forwarder),
        found: access.groups.find(colours.map((colour) => properties[colour].autoScalingGroup))
      },
      { concurrency: 3 }
    )
    const [blue, green] = yield* Effect.forEach(
      colours,
      (colour, index) => seeSide(access, colour, properties[colour].targetGroup, found[index]!),
      { concurrency: 2 }
    )
    const sides = { blue: blue!, green: green! }
    const weights = weightsIn(actions, properties)
    const state = readState(tags.get(stateKey))
    const stable = stableOf(sides, weights, state)
    const other = stable === null ? colours.find((colour) => sides[colour].release !== null) : otherThan(stable.colour)
    const candidate = other === undefined || sides[other].release === null ? null : sides[other]
    return { forwarder, actions, weights, stack: tags.get(stackKey) ?? null, state, sides, stable, candidate }
  })

/** The instances of a release that the load balancer sends requests to. */
export const healthyOf = ({ group, targets }: SeenSide): number => {
  const healthy = new Set(targets.flatMap(({ id, state }) => (state === "healthy" ? [id] : [])))
  return group.instances.filter(({ healthy: ok, id, inService }) => ok && inService && healthy.has(id)).length
}

/** Instances that are on their way out do not count. */
const totalOf = ({ group }: SeenSide): number => group.desired

const resourcesOf = ({ group, release, targets }: SeenSide): ReadonlyArray<Resource> => {
  const states = new Map(targets.map((target) => [target.id, target]))
  return group.instances.map(({ id, inService }) => {
    const { reason = "", state = inService ? "not registered" : "starting" } = states.get(id) ?? {}
    const why = [release?.version, reason].filter(Boolean).join(": ")
    return { id, type: "AWS::EC2::Instance", status: state, ...(why === "" ? {} : { reason: why }) }
  })
}

/** A refresh to the version that the group has already is one of Signalbox, which restarts like that. */
export const isOwn = ({ group: { version }, refresh }: SeenSide): boolean =>
  refresh?.DesiredConfiguration?.LaunchTemplate?.Version === version

/** The operation that is in progress. */
export const operationOf = ({ sides }: SeenService): Observation["operation"] => {
  const side = colours.map((colour) => sides[colour]).find(({ refresh }) => refresh !== undefined)
  if (side === undefined) return null
  const { InstanceRefreshId, StartTime, Status } = side.refresh!
  return {
    id: InstanceRefreshId!,
    description: `instance refresh ${InstanceRefreshId} of ${side.group.name} is ${Status}`,
    foreign: !isOwn(side),
    startedAt: StartTime?.getTime() ?? null
  }
}

/** What the port says of a service. */
export const observation = (seen: SeenService, properties: AlbProperties): Observation => {
  const { candidate, forwarder, stable, state, weights } = seen
  const used = [stable, candidate].filter((side) => side !== null)
  if (used.length === 0) return absent
  const operation = operationOf(seen)
  const shares = used.flatMap(({ colour, release }) => {
    const percent = Math.round(10 * shareOf(weights, colour)) / 10
    return percent > 0 ? [{ releaseId: release!.id, percent }] : []
  })
  const url = listenerPage(isRule(forwarder) ? listenerOf(forwarder) : forwarder)
  const tested = candidate !== null && properties.testUrl !== undefined && healthyOf(candidate) > 0
  return {
    status: operation !== null || stable === null ? "changing" : healthyOf(stable) === 0 ? "failed" : "ready",
    stable: stable?.release ?? null,
    candidate: candidate?.release ?? null,
    traffic: shares,
    trafficSource: "configured",
    health: Object.fromEntries(
      used.map((side) => [side.release!.id, { healthy: healthyOf(side), total: totalOf(side) }])
    ),
    operation,
    lastChangedAt: state === null ? null : state.since * 1000,
    outputs:
      stable === null ? {} : { targetGroup: properties[stable.colour].targetGroup, version: stable.release!.version },
    ...(tested ? { endpoints: { [candidate.release!.id]: properties.testUrl! } } : {}),
    resources: used.flatMap(resourcesOf),
    ...(url === undefined ? {} : { consoleUrl: url })
  }
}
