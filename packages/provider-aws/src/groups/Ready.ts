/**
 * Waits for the instances of a group: until they are there and healthy, or gone.
 */
import type { Activity } from "@aws-sdk/client-auto-scaling"
import { pollUntil, type ProviderReason, reportProgress } from "@signalbox/core/spi"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { groupPage } from "../client/console.ts"
import type { Failure } from "../client/index.ts"
import type { ScalingGroup, GroupWork } from "./Groups.ts"

/** A target as its target group sees it. */
export interface SeenTarget {
  readonly id: string
  readonly state: string
  readonly reason: string
}

/** A group that is waited for. Without target groups, `targets` is null, and what the group itself thinks counts. */
export interface Waiting extends GroupWork {
  readonly name: string
  readonly targets: Effect.Effect<ReadonlyArray<SeenTarget>, ProviderReason> | null
  /** How long an instance may be unhealthy, in seconds; by default the grace period of its group. */
  readonly startSeconds: number | undefined
}

/** How long a read may be older than a change, in milliseconds. */
const staleness = 10_000

/** Whether a group is what it was made: `Conflict` if it is no more, or not even after a while. */
const takenAway = (message: string) => {
  let was = false
  let began: number | undefined
  return (is: boolean): Effect.Effect<boolean, ProviderReason> =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      began ??= now
      was ||= is
      if (is || (!was && now - began < staleness)) return is
      return yield* Effect.fail<ProviderReason>({ _tag: "Conflict", message })
    })
}

/** What a group says of instances that it could not launch, and what that means. */
const launchFailure = (group: ScalingGroup, { StatusMessage = "" }: Activity): ProviderReason | undefined => {
  // The group tries again by itself.
  if (/sufficient .*capacity|InsufficientInstanceCapacity/i.test(StatusMessage)) return undefined
  if (/limit|quota/i.test(StatusMessage)) return { _tag: "Quota", message: StatusMessage }
  return { _tag: "Broken", message: StatusMessage, resource: group.name }
}

const unfitCause = /taken out of service in response to .*health check/i

/** Why the instances of a group do not come up, by what it did after an activity; undefined if they still may. */
export const failureSince = (
  group: ScalingGroup,
  activities: ReadonlyArray<Activity>,
  mark: string
): { readonly failure?: ProviderReason; readonly waiting?: string } => {
  const end = activities.findIndex(({ ActivityId }) => ActivityId === mark)
  const fresh = end === -1 ? activities : activities.slice(0, end)
  const unfit = fresh.find(({ Cause = "" }) => unfitCause.test(Cause))
  const url = groupPage(group.arn, group.name)
  const hint = url === undefined ? {} : { hint: `Look at what the group did: ${url}` }
  if (unfit !== undefined) {
    const message = `an instance of ${group.name} was replaced because it was unhealthy: ${unfit.Cause}`
    return { failure: { _tag: "Broken", message, resource: group.name, ...hint } }
  }
  const failed = fresh.find(({ StatusCode }) => StatusCode === "Failed")
  if (failed === undefined) return {}
  const failure = launchFailure(group, failed)
  return failure === undefined ? { waiting: failed.StatusMessage! } : { failure: { ...hint, ...failure } }
}

const prefix = "after activity "

/** Whether a handle is one of a launch. */
export const isLaunch = (handle: string): boolean => handle.startsWith(prefix)

/**
 * The newest activity of a group before this step launched something, to tell later ones from earlier ones. The handle
 * keeps it for another process.
 */
export const markOf = ({ groups, mutation }: GroupWork, name: string): Effect.Effect<string, ProviderReason> =>
  Effect.gen(function* () {
    const known = yield* mutation.handle.get
    if (known !== null && isLaunch(known)) return known.slice(prefix.length)
    const [newest] = yield* groups.activities(name)
    const mark = newest?.ActivityId ?? "none"
    yield* mutation.handle.set(prefix + mark)
    return mark
  })

/**
 * Waits until all instances run the wanted version and were healthy twice in a row.
 *
 * *Errors*: `Broken` if the group replaces one for its health, or if one is unhealthy for longer than it may be;
 * `Conflict` if another operation changes the size of the group.
 */
export const ready = (
  waiting: Waiting,
  { desired, version }: { readonly desired: number; readonly version: string },
  mark: string
): Effect.Effect<void, Failure> => {
  const { groups, mutation, name, poll, targets } = waiting
  const unhealthySince = new Map<string, number>()
  const taken = takenAway(`another operation took the instances of ${name} away`)
  let good = 0
  let told: string | undefined
  return pollUntil(
    Effect.gen(function* () {
      const { activities, found, group } = yield* Effect.all(
        { group: groups.one(name), found: targets ?? Effect.succeed(null), activities: groups.activities(name) },
        { concurrency: 3 }
      )
      if (!(yield* taken(group.version === version && group.desired >= desired))) return undefined
      if (isComplete(group, found, version)) {
        good += 1
        return good >= 2 || undefined
      }
      good = 0
      const { failure, waiting: why } = failureSince(group, activities, mark)
      if (failure !== undefined) return yield* Effect.fail(failure)
      if (why !== undefined && why !== told) {
        told = why
        yield* reportProgress(mutation, `${name} waits: ${why}`)
      }
      const late = yield* tooLate(waiting, group, found ?? [], unhealthySince)
      if (late !== undefined) return yield* Effect.fail(late)
      return undefined
    }),
    poll
  ).pipe(Effect.asVoid)
}

const isComplete = (
  { desired, instances }: ScalingGroup,
  targets: ReadonlyArray<SeenTarget> | null,
  version: string
): boolean => {
  const healthy = targets && new Set(targets.flatMap(({ id, state }) => (state === "healthy" ? [id] : [])))
  const fit = instances.filter(
    (one) => one.version === version && one.inService && one.healthy && (healthy?.has(one.id) ?? true)
  )
  return fit.length >= desired && instances.length === fit.length
}

/** Which instance has been unhealthy for too long. */
export const tooLate = (
  { startSeconds }: { readonly startSeconds?: number | undefined },
  { arn, graceSeconds, instances, name }: ScalingGroup,
  targets: ReadonlyArray<SeenTarget>,
  since: Map<string, number>
): Effect.Effect<ProviderReason | undefined> =>
  Effect.map(Clock.currentTimeMillis, (now): ProviderReason | undefined => {
    const own = new Set(instances.map(({ id }) => id))
    for (const { id, reason, state } of targets) {
      if (!own.has(id) || state !== "unhealthy") {
        since.delete(id)
        continue
      }
      const began = since.get(id) ?? now
      since.set(id, began)
      const allowed = startSeconds ?? graceSeconds
      if (now - began < allowed * 1000) continue
      const url = groupPage(arn, name, "instanceManagement")
      return {
        _tag: "Broken",
        message: `${id} of ${name} is still unhealthy after ${allowed} s: ${reason}`,
        resource: id,
        ...(url === undefined ? {} : { hint: `Look at its instances: ${url}` })
      }
    }
    return undefined
  })

/** Why one of some instances was taken out of service by its group, if its health was the reason. */
export const replacedFor = (
  group: ScalingGroup,
  activities: ReadonlyArray<Activity>,
  instances: ReadonlySet<string>
): ProviderReason | undefined => {
  const unfit = activities.find(
    ({ Cause = "", Description = "" }) =>
      unfitCause.test(Cause) && instances.has(/\bi-[0-9a-f]+/.exec(Description)?.[0] ?? "")
  )
  if (unfit === undefined) return undefined
  const message = `an instance of ${group.name} was replaced because it was unhealthy: ${unfit.Cause}`
  return { _tag: "Broken", message, resource: group.name }
}

/** Takes all instances of a group away, and waits until they have drained and are gone. */
export const empty = ({ groups, mutation, poll }: GroupWork, name: string): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { desired, instances, minimum } = yield* groups.one(name)
    if (desired === 0 && minimum === 0 && instances.length === 0) return
    if (desired > 0 || minimum > 0) {
      yield* reportProgress(mutation, `take the instances of ${name} away`)
      yield* groups.resize(name, mutation, { desired: 0, minimum: 0 })
    }
    const taken = takenAway(`another operation added instances to ${name}`)
    yield* pollUntil(
      Effect.gen(function* () {
        const group = yield* groups.one(name)
        return ((yield* taken(group.desired === 0)) && group.instances.length === 0) || undefined
      }),
      poll
    )
  })
