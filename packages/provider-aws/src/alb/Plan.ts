/**
 * What a release would change, and why one is refused before anything is.
 */
import type { Action } from "@aws-sdk/client-elastic-load-balancing-v2"
import type { Candidate, PlanTarget, ProviderReason, StackPlan } from "@signalbox/core/spi"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ScalingGroup } from "../groups/Groups.ts"
import { launchDataOf, releaseFrom } from "../groups/LaunchRelease.ts"
import { forwardIn, stickySeconds, strangersIn } from "./Actions.ts"
import { parseArn } from "../client/arns.ts"
import { take } from "./Checkpoint.ts"
import { type Colour, colours, forwarderOf, otherThan, type AlbProperties } from "./AlbProperties.ts"
import { healthyOf, see, type SeenService } from "./SeenService.ts"
import { shareOf, showWeights } from "./State.ts"
import { fail, ownedBy, type AlbWork } from "./AlbWork.ts"

const WeightsData = Schema.Struct({ blue: Schema.Int, green: Schema.Int })

/** What the plan of a release keeps for its steps: the weights that it started from, and the size of the release. */
export const PlanData = Schema.Struct({ weights: WeightsData, capacity: Schema.Int, minimum: Schema.Int })
export type PlanData = typeof PlanData.Type

const invalid = (message: string, path: ReadonlyArray<string>, hint?: string): ProviderReason => ({
  _tag: "Invalid",
  message,
  path,
  ...(hint === undefined ? {} : { hint })
})

/** Fails if the credentials or the configuration lead to another account than the listener's. */
const checkAccount = ({ properties, ref }: AlbWork, target: PlanTarget): Effect.Effect<void, ProviderReason> => {
  const forwarder = forwarderOf(properties)
  const { account } = parseArn(forwarder)
  const configured = ref.account !== undefined && /^\d{12}$/.test(ref.account) ? ref.account : undefined
  const other = [target.account, configured].find((one) => one !== undefined && one !== account)
  if (other === undefined) return Effect.void
  const whose = other === target.account ? "the credentials belong to" : "the environment names"
  return fail({
    _tag: "Denied",
    message: `${forwarder} is in account ${account}, and ${whose} account ${other}`,
    hint: "Use the credentials of the account, or name a listener of it."
  })
}

const checkActions = (
  actions: ReadonlyArray<Action>,
  properties: AlbProperties
): Effect.Effect<void, ProviderReason> => {
  const path = [properties.rule === undefined ? "listener" : "rule"]
  const forwarder = forwarderOf(properties)
  if (forwardIn(actions) === undefined) {
    const found = actions.map(({ Type }) => Type).join(", ") || "none"
    return fail(invalid(`${forwarder} has no forward action, but ${found}`, path))
  }
  const [stranger] = strangersIn(actions, properties)
  if (stranger !== undefined) {
    const hint = "Take it out of the forward action, or name it as blue or green."
    return fail(invalid(`${forwarder} also forwards to ${stranger}`, path, hint))
  }
  const seconds = stickySeconds(actions)
  if (seconds > 0 && properties.stickiness === "refuse") {
    const hint = 'Set stickiness: "wait" to let sessions end first, or switch it off.'
    const message = `sessions stick to a target group for ${seconds} s, whatever its weight is`
    return fail(invalid(message, ["stickiness"], hint))
  }
  return Effect.void
}

const checkGroup = (
  group: ScalingGroup,
  colour: Colour,
  properties: AlbProperties
): Effect.Effect<void, ProviderReason> => {
  const path = [colour, "autoScalingGroup"]
  if (!group.targetGroups.includes(properties[colour].targetGroup)) {
    const hint = "Attach the target group to it."
    const message = `${group.name} does not register its instances with ${properties[colour].targetGroup}`
    return fail(invalid(message, path, hint))
  }
  if (group.mixed || (group.desired > 0 && group.templateId === null)) {
    const hint = "Use a launch template without a mixed instances policy."
    return fail(invalid(`${group.name} does not launch its instances from a launch template alone`, path, hint))
  }
  if (group.desired > 0 && !/^\d+$/.test(group.version ?? "")) {
    const hint = `Set the version that it runs now by its number.`
    const message = `${group.name} launches version ${group.version} of its template, which may be another one tomorrow`
    return fail(invalid(message, path, hint))
  }
  return Effect.void
}

/** How many instances a release has. What automatic scaling has added is kept. */
export const sizeOf = (
  properties: AlbProperties,
  { stable, state }: Pick<SeenService, "stable" | "state">
): Effect.Effect<{ readonly capacity: number; readonly minimum: number }, ProviderReason> => {
  const group = stable?.group
  const before = Math.max(group?.desired ?? 0, state !== null && stable !== null ? state.capacity : 0)
  const capacity = properties.capacity ?? before
  if (capacity === 0) {
    return fail(invalid("nothing runs yet, so the capacity is not known", ["capacity"], "Set capacity."))
  }
  const least = state !== null && stable !== null ? state.minimum : (group?.minimum ?? 0)
  const minimum = properties.minimum ?? (stable === null ? capacity : least)
  if (capacity < minimum) {
    const hint = `Set capacity to ${minimum} at least, or lower minimum.`
    const message = `the capacity (${capacity}) is under the minimum (${minimum})`
    return fail(invalid(message, ["capacity"], hint))
  }
  const grown = group !== undefined && group.desired > (state?.capacity ?? 0) ? group.desired : 0
  return Effect.succeed({ capacity: Math.max(capacity, grown), minimum })
}

const warningsOf = ({ properties }: AlbWork, { sides, stable, state, weights }: SeenService): ReadonlyArray<string> => {
  const idle = colours.filter((colour) => weights[colour] > 0 && sides[colour].release === null)
  const split = stable !== null && shareOf(weights, otherThan(stable.colour)) > 0
  return [
    ...(stable !== null && idle.length > 0
      ? [`${idle.join(" and ")} has a weight and no instances: the first shift gives its traffic to ${stable.colour}`]
      : []),
    ...(split && idle.length === 0 ? [`the traffic is divided: ${showWeights(weights)}`] : []),
    ...(properties.verifyTraffic === "api"
      ? ["verifyTraffic is api: instances are taken away without a look at the requests that they still get"]
      : []),
    ...(state === null && stable !== null ? [`${stable.colour} was not deployed by Signalbox; it is adopted`] : []),
    ...(stable !== null && healthyOf(stable) === 0 ? [`no instance of ${stable.colour} is healthy`] : [])
  ]
}

export const plan = (
  work: AlbWork,
  candidate: Candidate,
  target: PlanTarget
): Effect.Effect<StackPlan, ProviderReason> =>
  Effect.gen(function* () {
    const { calls, groups, properties, ref } = work
    yield* checkAccount(work, target)
    const release = yield* releaseFrom(properties, candidate)
    const seen = yield* see(work, properties)
    yield* ownedBy(ref, seen)
    yield* checkActions(seen.actions, properties)
    for (const colour of colours) yield* checkGroup(seen.sides[colour].group, colour, properties)
    const known = yield* calls.targetGroups(colours.map((colour) => properties[colour].targetGroup))
    const lost = colours.find((colour) => !known.includes(properties[colour].targetGroup))
    if (lost !== undefined) {
      return yield* fail(invalid(`${properties[lost].targetGroup} is not there`, [lost, "targetGroup"]))
    }
    const { id, version } = properties.launchTemplate
    const base = yield* groups.version(id, version)
    if (base === null) return yield* fail(invalid(`there is no version ${version} of ${id}`, ["launchTemplate"]))
    yield* launchDataOf(base, release)
    const { stable } = seen
    const size = yield* sizeOf(properties, seen)
    const checkpoint = take(seen, Math.floor(yield* Clock.currentTimeMillis))
    const base_ = {
      checkpoint,
      rollback:
        stable === null
          ? "the instances are taken away"
          : `the traffic goes back to ${stable.release!.version} on ${stable.colour}`,
      target,
      data: { weights: seen.weights, ...size }
    }
    const colour = stable === null ? firstColour(seen) : otherThan(stable.colour)
    const name = properties[colour].autoScalingGroup
    const resources = [
      { resource: name, type: "AWS::AutoScaling::AutoScalingGroup", action: "update" as const, replacement: false },
      {
        resource: forwarderOf(properties),
        type: `AWS::ElasticLoadBalancingV2::Listener${properties.rule === undefined ? "" : "Rule"}`,
        action: "update" as const,
        replacement: false
      }
    ]
    const changes = [`launch ${size.capacity} instances of ${release.artifact} on ${colour} (${name})`]
    if (stable === null) {
      return { ...base_, action: "create", candidate: release, changes, warnings: warningsOf(work, seen), resources }
    }
    const alone = seen.candidate === null && shareOf(seen.weights, stable.colour) === 100
    if (stable.release!.id === release.id && alone) {
      const same = stable.release!.version === candidate.version
      const warnings = same
        ? []
        : [`${candidate.version} has the artifact of ${stable.release!.version}, so nothing changes`]
      return { ...base_, action: "none", candidate: stable.release!, changes: [], warnings }
    }
    return { ...base_, action: "update", candidate: release, changes, warnings: warningsOf(work, seen), resources }
  })

/** Where a first release is brought in: where the traffic is not. */
export const firstColour = ({ candidate, weights }: Pick<SeenService, "candidate" | "weights">): Colour =>
  candidate?.colour ?? (weights.blue <= weights.green ? "blue" : "green")
