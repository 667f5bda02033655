/**
 * What a release would change, and why one is refused before anything is.
 */
import type { Candidate, PlanTarget, ProviderReason, StackPlan } from "@signalbox/core/spi"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { parseArn } from "../client/arns.ts"
import { launchDataOf, releaseFrom } from "../groups/LaunchRelease.ts"
import type { AsgProperties } from "./AsgProperties.ts"
import { fail, ownedBy, see, type SeenGroup, type AsgWork } from "./AsgWork.ts"

const invalid = (message: string, path: string, hint?: string): ProviderReason => ({
  _tag: "Invalid",
  message,
  path: [path],
  ...(hint === undefined ? {} : { hint })
})

/** Beside what it is told to wait, a refresh takes its time. */
const slack = 30 * 60_000

const timeoutOf = ({ bakeSeconds, checkpoints, checkpointSeconds }: AsgProperties): number =>
  slack + 1000 * (bakeSeconds + checkpoints.length * checkpointSeconds)

const checkGroup = ({ properties, ref }: AsgWork, { group }: SeenGroup, { account }: PlanTarget) => {
  const owner = parseArn(group.arn).account
  const configured = ref.account !== undefined && /^\d{12}$/.test(ref.account) ? ref.account : undefined
  const other = [account, configured].find((one) => one !== undefined && owner !== "" && one !== owner)
  if (other !== undefined) {
    const message = `${group.name} is in account ${owner}, not in ${other}`
    return fail({ _tag: "Denied" as const, message, hint: "Use the credentials of that account." })
  }
  if (group.mixed || (group.desired > 0 && group.templateId === null)) {
    const hint = "Use a launch template without a mixed instances policy."
    const message = `${group.name} does not launch its instances from a launch template alone`
    return fail(invalid(message, "autoScalingGroup", hint))
  }
  if (group.desired > 0 && !/^\d+$/.test(group.version ?? "")) {
    const message = `${group.name} launches version ${group.version} of its template, to which nothing can go back`
    return fail(invalid(message, "autoScalingGroup", "Set the version that it runs now by its number."))
  }
  if (group.desired === 0 && properties.capacity === undefined) {
    return fail(invalid("nothing runs yet, so the capacity is not known", "capacity", "Set capacity."))
  }
  if (group.desired === 0 && properties.capacity! < group.minimum) {
    const message = `the capacity (${properties.capacity}) is under the minimum (${group.minimum}) of ${group.name}`
    return fail(invalid(message, "capacity"))
  }
  return Effect.void
}

export const plan = (
  work: AsgWork,
  candidate: Candidate,
  target: PlanTarget
): Effect.Effect<StackPlan, ProviderReason> =>
  Effect.gen(function* () {
    const { groups, properties } = work
    const release = yield* releaseFrom(properties, candidate)
    const seen = yield* see(work)
    yield* ownedBy(work, seen)
    yield* checkGroup(work, seen, target)
    const { id, version } = properties.launchTemplate
    const base = yield* groups.version(id, version)
    if (base === null) return yield* fail(invalid(`there is no version ${version} of ${id}`, "launchTemplate"))
    yield* launchDataOf(base, release)
    const { group, stable } = seen
    const takenAt = Math.floor(yield* Clock.currentTimeMillis)
    const common = {
      checkpoint:
        stable === null
          ? { release: null, takenAt, data: null }
          : {
              release: stable,
              takenAt,
              data: {
                template: { id: group.templateId!, version: Number(group.version) },
                capacity: group.desired,
                minimum: group.minimum
              }
            },
      rollback: stable === null ? "the instances are taken away" : `the instances are replaced by ${stable.version}`,
      target,
      timeoutMs: timeoutOf(properties)
    }
    const resources = [
      {
        resource: group.name,
        type: "AWS::AutoScaling::AutoScalingGroup",
        action: "update" as const,
        replacement: false
      }
    ]
    const warnings =
      group.desired === 1 && properties.minHealthyPercentage < 100
        ? ["one instance is replaced by one: it is away for a while"]
        : []
    if (stable === null) {
      const changes = [`launch ${properties.capacity} instances of ${release.artifact} in ${group.name}`]
      return { ...common, action: "create", candidate: release, changes, warnings: [], resources }
    }
    if (stable.id === release.id && seen.refresh === undefined) {
      return {
        ...common,
        action: "none",
        candidate: stable,
        changes: [],
        warnings:
          stable.version === candidate.version
            ? []
            : [`${candidate.version} has the artifact of ${stable.version}, so nothing changes`]
      }
    }
    const changes = [`replace ${group.desired} instances of ${group.name} by ${release.artifact}`]
    return { ...common, action: "update", candidate: release, changes, warnings, resources }
  })
