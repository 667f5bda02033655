/**
 * What changes a group: refreshes that bring a release in, turn it back, or replace the instances.
 */
import type { InstanceRefresh, RefreshPreferences } from "@aws-sdk/client-auto-scaling"
import type { Checkpoint, ProviderReason, Release, StackPlan, WayBack } from "@signalbox/core/spi"
import { reportProgress } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Failure } from "../client/index.ts"
import type { TemplateVersion } from "../groups/LaunchProperties.ts"
import { releaseOf } from "../groups/LaunchRelease.ts"
import { empty, markOf, ready, replacedFor, tooLate } from "../groups/Ready.ts"
import { beginRefresh, ownRefresh, refreshEnd, restartRefresh } from "../groups/Refresh.ts"
import type { AsgProperties } from "./AsgProperties.ts"
import { stackIn, stackKey } from "../client/stackTag.ts"
import { begin, fail, see, type SeenGroup, targetsOf, type AsgWork } from "./AsgWork.ts"

const Recorded = Schema.Struct({
  template: Schema.Struct({ id: Schema.String, version: Schema.Int }),
  capacity: Schema.Int,
  minimum: Schema.Int
})

const recorded = ({ data }: Checkpoint): Effect.Effect<typeof Recorded.Type, ProviderReason> =>
  Option.match(Schema.decodeUnknownOption(Recorded)(data), {
    onNone: () => fail({ _tag: "Invalid", message: "the checkpoint has no launch template", path: [] }),
    onSome: (found) => Effect.succeed(found)
  })

/** What a refresh is told, the same for going forth and for going back. */
const preferencesOf = (properties: AsgProperties): RefreshPreferences => ({
  MinHealthyPercentage: properties.minHealthyPercentage,
  ...(properties.maxHealthyPercentage === undefined ? {} : { MaxHealthyPercentage: properties.maxHealthyPercentage }),
  ...(properties.warmupSeconds === undefined ? {} : { InstanceWarmup: properties.warmupSeconds }),
  SkipMatching: true
})

/** What the refresh of a new release is told besides: to wait, and to turn back by itself. */
const cautious = ({ alarms, bakeSeconds, checkpoints, checkpointSeconds }: AsgProperties): RefreshPreferences => ({
  AutoRollback: true,
  ...(checkpoints.length === 0
    ? {}
    : {
        CheckpointPercentages: checkpoints.at(-1) === 100 ? [...checkpoints] : [...checkpoints, 100],
        CheckpointDelay: checkpointSeconds
      }),
  ...(bakeSeconds === 0 ? {} : { BakeTime: bakeSeconds }),
  ...(alarms.length === 0 ? {} : { AlarmSpecification: { Alarms: [...alarms] } })
})

const claim = (work: AsgWork, { group }: SeenGroup): Effect.Effect<void, Failure> =>
  group.tags.get(stackKey) === stackIn(work.ref)
    ? Effect.void
    : Effect.asVoid(
        work.groups.scaling.change("CreateOrUpdateTags", work.mutation, (client, options) =>
          client.createOrUpdateTags(
            {
              Tags: [
                {
                  ResourceId: group.name,
                  ResourceType: "auto-scaling-group",
                  Key: stackKey,
                  Value: stackIn(work.ref),
                  PropagateAtLaunch: false
                }
              ]
            },
            options
          )
        )
      )

/** Launches the instances of a group that has none. */
const launch = (
  work: AsgWork,
  { group }: SeenGroup,
  template: TemplateVersion,
  { capacity, minimum }: { readonly capacity: number; readonly minimum: number }
): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { calls, groups, mutation, properties } = work
    const mark = yield* markOf(work, group.name)
    const version = String(template.version)
    if (group.version !== version || group.templateId !== template.id || group.desired < capacity) {
      yield* reportProgress(mutation, `launch ${capacity} instances of version ${version} in ${group.name}`)
      const maximum = Math.max(group.maximum, capacity)
      yield* groups.resize(group.name, mutation, { desired: capacity, minimum, maximum, version: template })
    }
    const waiting = {
      ...work,
      name: group.name,
      targets: targetsOf(calls, group),
      startSeconds: properties.startSeconds
    }
    yield* ready(waiting, { desired: capacity, version }, mark)
  })

const told =
  ({ mutation }: AsgWork) =>
  ({ InstanceRefreshId, PercentageComplete = 0, Status }: InstanceRefresh) =>
    reportProgress(mutation, `${Status}: ${PercentageComplete} % of the instances are replaced`, {
      resource: InstanceRefreshId!
    })

/** Finds out that a refresh cannot succeed. By itself, it would wait for an hour. */
const hopeless = (work: AsgWork, name: string) => {
  const { calls, groups, properties } = work
  const since = new Map<string, number>()
  const own = new Set<string>()
  return (refresh: InstanceRefresh): Effect.Effect<ProviderReason | undefined, ProviderReason> =>
    Effect.gen(function* () {
      const version = refresh.DesiredConfiguration?.LaunchTemplate?.Version
      if (refresh.Status !== "InProgress" || version === undefined) return undefined
      const group = yield* groups.one(name)
      const instances = group.instances.filter((one) => one.version === version)
      for (const { id } of instances) own.add(id)
      const replaced = replacedFor(group, yield* groups.activities(name), own)
      if (replaced !== undefined) return replaced
      const targets = yield* targetsOf(calls, group) ?? Effect.succeed([])
      return yield* tooLate(properties, { ...group, instances }, targets, since)
    })
}

/** Follows a refresh that is to bring a release in, to its end, and turns it back if it is hopeless. */
const arrived = (work: AsgWork, name: string, id: string): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const look = hopeless(work, name)
    let why: string | undefined
    const { Status, StatusReason } = yield* refreshEnd(work, name, id, (refresh) =>
      Effect.gen(function* () {
        yield* told(work)(refresh)
        const reason = yield* look(refresh)
        if (reason === undefined) return
        why = reason.message
        yield* turnBack(work, name, id)
      })
    )
    if (Status === "Successful") return
    const reason = why ?? StatusReason ?? "no reason is given"
    if (Status === "Cancelled") {
      return yield* fail({ _tag: "Conflict", message: `someone cancelled the refresh ${id} of ${name}` })
    }
    const back = Status === "RollbackSuccessful" ? ", and the old instances are back" : ""
    const message = `the refresh ${id} of ${name} is ${Status}${back}: ${reason}`
    return yield* fail({ _tag: "Broken", message, resource: name })
  })

/** Turns a refresh in progress back. */
const turnBack = ({ groups, mutation }: AsgWork, name: string, id: string): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    yield* reportProgress(mutation, `turn the refresh ${id} back`)
    const turned = groups.scaling.change("RollbackInstanceRefresh", mutation, (client, options) =>
      client.rollbackInstanceRefresh({ AutoScalingGroupName: name }, options)
    )
    // It has ended in this moment, or cannot be turned back; the next look tells.
    yield* turned.pipe(
      Effect.catch((failure: Failure) =>
        failure._tag === "Missing" || failure._tag === "Invalid" ? Effect.void : Effect.fail(failure)
      )
    )
  })

/** Brings a release in: launches it, or replaces the instances by a refresh. */
export const stage = (work: AsgWork, { candidate }: StackPlan): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { groups, mutation, properties } = work
    const name = properties.autoScalingGroup
    yield* mutation.guard
    const begun = yield* ownRefresh(work, name)
    if (begun !== undefined) return yield* arrived(work, name, begun)
    const seen = yield* begin(work)
    if (seen.stable?.id === candidate.id && seen.refresh === undefined && isWhole(seen)) return
    const version = yield* groups.ensureVersion(properties.launchTemplate, candidate, mutation)
    const template = { id: properties.launchTemplate.id, version }
    yield* claim(work, seen)
    if (seen.stable === null || seen.stable.id === candidate.id) {
      const capacity = properties.capacity ?? seen.group.desired
      return yield* launch(work, seen, template, { capacity, minimum: Math.min(seen.group.minimum, capacity) })
    }
    yield* settled(work, seen, candidate)
    yield* reportProgress(mutation, `replace the instances of ${name} by version ${version}`)
    const id = yield* beginRefresh(
      work,
      name,
      { id: template.id, version: String(version) },
      { ...preferencesOf(properties), ...cautious(properties) }
    )
    yield* arrived(work, name, id)
  })

/** Lets another refresh of Signalbox end, which an earlier step has begun. */
const settled = (
  work: AsgWork,
  { coming, group, refresh }: SeenGroup,
  candidate: Release
): Effect.Effect<void, Failure> =>
  refresh === undefined || coming?.id === candidate.id
    ? Effect.void
    : Effect.asVoid(refreshEnd(work, group.name, refresh.InstanceRefreshId!))

const isWhole = ({ group }: SeenGroup): boolean =>
  group.instances.length >= group.desired &&
  group.instances.every(({ healthy, inService, version }) => inService && healthy && version === group.version)

/** Puts the instances of a checkpoint back: a refresh in progress is turned back, one that has ended is followed by another. */
export const rollback = (work: AsgWork, checkpoint: Checkpoint): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    if (checkpoint.release === null) return yield* destroy(work)
    const { mutation, properties } = work
    const goal = yield* recorded(checkpoint)
    const name = properties.autoScalingGroup
    let seen = yield* begin(work)
    if (seen.refresh !== undefined) {
      const { InstanceRefreshId: running = "", Status = "" } = seen.refresh
      if (Status !== "RollbackInProgress" && Status !== "Cancelling") yield* turnBack(work, name, running)
      yield* refreshEnd(work, name, running, told(work))
      seen = yield* begin(work)
    }
    const { group, stable } = seen
    const back = yield* templateOf(work, goal.template, checkpoint.release)
    if (stable === null) return yield* launch(work, seen, back, goal)
    const all = group.instances.every(({ version }) => version === String(back.version))
    if (stable.id === checkpoint.release.id && all) {
      if (isWhole(seen)) return
      return yield* launch(work, seen, back, { ...goal, capacity: group.desired })
    }
    yield* reportProgress(mutation, `replace the instances of ${name} by ${checkpoint.release.version}`)
    const version = { id: back.id, version: String(back.version) }
    const id = yield* beginRefresh(work, name, version, preferencesOf(properties))
    yield* arrived(work, name, id)
  })

/** The version of a checkpoint, made again if it was deleted. */
const templateOf = (
  { groups, mutation, properties }: AsgWork,
  template: TemplateVersion,
  release: Release
): Effect.Effect<TemplateVersion, Failure> =>
  Effect.gen(function* () {
    const there = yield* groups.version(template.id, template.version)
    if (there !== null && releaseOf(there).id === release.id) return template
    const version = yield* groups.ensureVersion(properties.launchTemplate, release, mutation)
    return { id: properties.launchTemplate.id, version }
  })

/** How a checkpoint can be restored. */
export const wayBack = (work: AsgWork, checkpoint: Checkpoint): Effect.Effect<WayBack, ProviderReason> =>
  Effect.gen(function* () {
    if (checkpoint.release === null) return { how: "switch", why: "nothing was there before" }
    const { template } = yield* recorded(checkpoint)
    const { version } = checkpoint.release
    const { stable } = yield* see(work)
    if (stable?.id === checkpoint.release.id) return { how: "switch", why: `${version} still runs` }
    const there = yield* work.groups.version(template.id, template.version)
    if (there !== null) return { how: "rebuild", why: `a refresh launches ${version} again` }
    return checkpoint.release.artifact === undefined
      ? { how: "impossible", why: `version ${template.version} of ${template.id} was deleted` }
      : { how: "rebuild", why: `a refresh launches ${checkpoint.release.artifact} again` }
  })

/** Takes all instances away. The group is not Signalbox's, and stays. */
export const destroy = (work: AsgWork): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { groups, mutation, properties } = work
    const name = properties.autoScalingGroup
    const seen = yield* begin(work)
    if (seen.refresh !== undefined) {
      const cancelled = groups.scaling.change("CancelInstanceRefresh", mutation, (client, options) =>
        client.cancelInstanceRefresh({ AutoScalingGroupName: name }, options)
      )
      yield* cancelled.pipe(
        Effect.catch((failure: Failure) => (failure._tag === "Missing" ? Effect.void : Effect.fail(failure)))
      )
      yield* refreshEnd(work, name, seen.refresh.InstanceRefreshId!)
    }
    yield* empty(work, name)
    if (!seen.group.tags.has(stackKey)) return
    yield* groups.scaling.change("DeleteTags", mutation, (client, options) =>
      client.deleteTags({ Tags: [{ ResourceId: name, ResourceType: "auto-scaling-group", Key: stackKey }] }, options)
    )
  })

/** Replaces the instances by others of the same release. */
export const restart = (work: AsgWork): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { group, stable } = yield* begin(work)
    if (stable === null) return yield* fail({ _tag: "Missing", message: "nothing runs" })
    yield* restartRefresh(work, group)
  })
