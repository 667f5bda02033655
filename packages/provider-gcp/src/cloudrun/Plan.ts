/**
 * What a release would change.
 */
import type { Candidate, PlanTarget, ProviderReason, StackPlan } from "@signalbox/core/spi"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { take } from "./Checkpoint.ts"
import { defaultService, longestService, longestTagged, revisionOf } from "./Names.ts"
import { see, type Seen } from "./Seen.ts"
import { showSplit } from "./Split.ts"
import { releaseFrom, templateOf } from "./Template.ts"
import { ownedBy, type Work } from "./Work.ts"

const invalid = (message: string, path: string, hint?: string): ProviderReason => ({
  _tag: "Invalid",
  message,
  path: [path],
  ...(hint === undefined ? {} : { hint })
})

/** Fails if a name that was put together is too long. */
export const checkNames = ({ name, properties, ref }: Work): Effect.Effect<void, ProviderReason> => {
  const { service, tag } = properties
  if (service !== undefined) return Effect.void
  const hint = "Set service to a shorter name."
  if (name.length > longestService) {
    return Effect.fail(invalid(`${name} is longer than ${longestService} characters`, "service", hint))
  }
  return name.length + tag.length > longestTagged
    ? Effect.fail(
        invalid(`${defaultService(ref)} and tag ${tag} have over ${longestTagged} characters together`, "service", hint)
      )
    : Effect.void
}

const part = "[a-z0-9]+(?:[._-]+[a-z0-9]+)*"
const imageName = new RegExp(`^${part}(?::\\d+)?(?:/${part})*(?::\\w[\\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`)

/** The image of a candidate. */
export const imageFor = (
  properties: { readonly image?: string },
  { artifact }: Candidate
): Effect.Effect<string, ProviderReason> => {
  const found = artifact ?? properties.image
  if (found === undefined) {
    return Effect.fail(invalid("there is no image", "image", "Set image, or name one with --artifact."))
  }
  return imageName.test(found)
    ? Effect.succeed(found)
    : Effect.fail(invalid(`${found} is not the name of an image`, "image"))
}

/** What a person should know of the service as it is. */
const warningsOf = ({ name, properties: { tag } }: Work, seen: Seen): ReadonlyArray<string> => {
  const { foreign, service, split, state } = seen
  const followed = service.traffic.filter(({ revision, tag }) => revision === null && tag !== undefined)
  return [
    ...(foreign ? [`someone else is changing ${name}`] : []),
    ...(split.size > 1
      ? [
          `the traffic is divided (${showSplit(split)}): a shift gives the rest to one of them, a rollback restores the split`
        ]
      : []),
    ...followed.map(
      (target) => `tag ${target.tag} follows the latest revision; it is pinned to the one that it shows now`
    ),
    ...(state === null && service.traffic.some((target) => target.tag === tag)
      ? [`tag ${tag} is in use; it is moved to the candidate`]
      : [])
  ]
}

export const plan = (work: Work, candidate: Candidate, target: PlanTarget): Effect.Effect<StackPlan, ProviderReason> =>
  Effect.gen(function* () {
    const { calls, name, properties, ref } = work
    yield* checkNames(work)
    const artifact = yield* imageFor(properties, candidate)
    const release = releaseFrom(candidate.version, artifact, properties)
    const seen = yield* see(calls, name, properties.tag)
    if (seen !== null) yield* ownedBy(ref, name, seen)
    const checkpoint = take(seen, Math.floor(yield* Clock.currentTimeMillis))
    const stable = seen?.stable ?? null
    const base = {
      checkpoint,
      rollback:
        stable === null
          ? `${name} is deleted`
          : `the traffic goes back to ${showSplit(new Map(seen!.split.size > 1 ? seen!.split : [[stable.name, 100]]))}`,
      target,
      data: templateOf(properties, artifact)
    }
    const resource = { resource: name, type: "run.googleapis.com/Service", replacement: false }
    const revision = revisionOf(name, release.id)
    if (seen === null || stable === null) {
      return {
        ...base,
        action: "create",
        candidate: release,
        changes: [seen === null ? `create the service ${name}` : `bring in revision ${revision}`],
        warnings: yield* work.actAs(properties.serviceAccount),
        resources: [{ ...resource, action: seen === null ? "create" : "update" }]
      }
    }
    if (stable.release.id === release.id && seen.split.get(stable.name) === 100 && seen.candidate === null) {
      const same = stable.release.version === candidate.version
      return {
        ...base,
        action: "none",
        candidate: stable.release,
        changes: [],
        warnings: same
          ? []
          : [`${candidate.version} reaches neither the image nor its configuration, so ${name} stays as it is`]
      }
    }
    return {
      ...base,
      action: "update",
      candidate: release,
      changes: [`bring in revision ${revision} of ${name}, from ${artifact}`],
      warnings: [...warningsOf(work, seen), ...(yield* work.actAs(properties.serviceAccount))],
      resources: [{ ...resource, action: "update" }]
    }
  })
