/**
 * Refreshes of the instances of a group. They have no token of the caller: a step remembers which refresh was the newest
 * before it began one, and so knows its own again.
 */
import type { InstanceRefresh, RefreshPreferences } from "@aws-sdk/client-auto-scaling"
import { pollUntil, type ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Failure } from "../client/index.ts"
import { type ScalingGroup, type Groups, type GroupWork, hasEnded } from "./Groups.ts"
import { isLaunch } from "./Ready.ts"

/** How handles begin that name what was there before. Others name a refresh or, after a launch, an activity. */
const prefix = "after refresh "

const newest = (groups: Groups, name: string): Effect.Effect<InstanceRefresh | undefined, ProviderReason> =>
  Effect.map(groups.refreshes(name), ([first]) => first)

/** The refresh that this step has begun, also in another process; undefined if it has begun none. */
export const ownRefresh = (
  { groups, mutation }: GroupWork,
  name: string
): Effect.Effect<string | undefined, ProviderReason> =>
  Effect.gen(function* () {
    const handle = yield* mutation.handle.get
    if (handle === null || isLaunch(handle)) return undefined
    if (!handle.startsWith(prefix)) return handle
    const before = handle.slice(prefix.length)
    const refresh = yield* newest(groups, name)
    const id = refresh?.InstanceRefreshId
    if (id === undefined || id === before) return undefined
    yield* mutation.handle.set(id)
    return id
  })

/** Begins a refresh, once for each step, and returns its id. */
export const beginRefresh = (
  work: GroupWork,
  name: string,
  version: { readonly id: string; readonly version: string },
  preferences: RefreshPreferences
): Effect.Effect<string, Failure> =>
  Effect.gen(function* () {
    const { groups, mutation } = work
    const known = yield* ownRefresh(work, name)
    if (known !== undefined) return known
    const before = yield* newest(groups, name)
    yield* mutation.handle.set(`${prefix}${before?.InstanceRefreshId ?? "none"}`)
    const begun = groups.scaling.change("StartInstanceRefresh", mutation, (client, options) =>
      client.startInstanceRefresh(
        {
          AutoScalingGroupName: name,
          Strategy: "Rolling",
          DesiredConfiguration: { LaunchTemplate: { LaunchTemplateId: version.id, Version: version.version } },
          Preferences: preferences
        },
        options
      )
    )
    const id = yield* begun.pipe(
      Effect.map(({ InstanceRefreshId }) => InstanceRefreshId!),
      // The client repeats a call whose answer was lost, and then its own refresh is in the way.
      Effect.catch((failure: Failure): Effect.Effect<string, Failure> =>
        failure._tag !== "Busy"
          ? Effect.fail(failure)
          : Effect.flatMap(ownRefresh(work, name), (own) =>
              own === undefined ? Effect.fail(failure) : Effect.succeed(own)
            )
      )
    )
    yield* mutation.handle.set(id)
    return id
  })

/** Waits for the end of a refresh. */
export const refreshEnd = (
  { groups, poll }: Pick<GroupWork, "groups" | "poll">,
  name: string,
  id: string,
  look: (refresh: InstanceRefresh) => Effect.Effect<void, Failure> = () => Effect.void
): Effect.Effect<InstanceRefresh, Failure> =>
  pollUntil(
    Effect.gen(function* () {
      const found = (yield* groups.refreshes(name)).find(({ InstanceRefreshId }) => InstanceRefreshId === id)
      if (found === undefined) return undefined
      yield* look(found)
      return hasEnded(found) ? found : undefined
    }),
    poll
  )

/** Waits until a group has no instance that is on its way out. */
const drained = ({ groups, poll }: GroupWork, name: string): Effect.Effect<void, Failure> =>
  Effect.asVoid(
    pollUntil(
      Effect.map(groups.one(name), ({ desired, instances }) => instances.length <= desired || undefined),
      poll
    )
  )

/** Replaces the instances of a group by others of the same version. */
export const restartRefresh = (work: GroupWork, group: ScalingGroup): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { name, templateId, version } = group
    const id = yield* beginRefresh(
      work,
      name,
      { id: templateId!, version: version! },
      // A successor is launched first, so that the capacity never falls.
      { MinHealthyPercentage: 100, MaxHealthyPercentage: 200, SkipMatching: false }
    )
    const { Status, StatusReason } = yield* refreshEnd(work, name, id)
    if (Status === "Successful") return yield* drained(work, name)
    const message = `the refresh ${id} of ${name} is ${Status}: ${StatusReason ?? "no reason is given"}`
    return yield* Effect.fail<ProviderReason>({ _tag: "Broken", message, resource: name })
  })
