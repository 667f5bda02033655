/**
 * A service as it is found at Cloud Run, and the observation that the port makes of it.
 */
import { absent, type Observation, type ProviderReason, type Release } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Place } from "../client/index.ts"
import type { Calls } from "./Calls.ts"
import { consolePage, failureOf } from "./Cause.ts"
import { releaseOf, type ServiceState, stateOf } from "./Record.ts"
import type { RunRevision, RunService } from "./RunService.ts"
import { effectiveSplit, type Split, tagged } from "./Split.ts"

/** A revision with its release. */
export interface SeenRevision extends RunRevision {
  readonly release: Release
}

/**
 * A service with its revisions that matter.
 *
 * *Details*: `stable` carries the traffic apart from the candidate; where the candidate carries all of it, `stable` is the
 * revision that did so before, until the candidate takes its place. `foreign` says that the change in progress is not
 * one of Signalbox.
 */
export interface Seen {
  readonly service: RunService
  readonly state: ServiceState | null
  readonly split: Split
  readonly revisions: ReadonlyMap<string, SeenRevision>
  readonly stable: SeenRevision | null
  readonly candidate: SeenRevision | null
  readonly foreign: boolean
}

const largest = (split: Split, preferred: string | null): string | null => {
  if (preferred !== null && split.has(preferred)) return preferred
  let found: string | null = null
  for (const [revision, percent] of split) if (found === null || percent > split.get(found)!) found = revision
  return found
}

/** Looks at a service; null if there is none. `tag` is the one of the candidate. */
export const see = (calls: Calls, name: string, tag: string): Effect.Effect<Seen | null, ProviderReason> =>
  Effect.gen(function* () {
    const service = yield* calls.service(name)
    if (service === null) return null
    const state = stateOf(service)
    const split = effectiveSplit(service)
    // Before its first revision is ready, a service has no traffic, and its candidate needs no tag.
    const candidateName =
      state === null ? null : split.size === 0 ? service.latestCreated || null : tagged(service, tag)
    const names = new Set([...split.keys(), ...[candidateName, state?.stable ?? null].flatMap((one) => one ?? [])])
    const found = yield* Effect.forEach(names, (revision) => calls.revision(name, revision), { concurrency: 4 })
    const revisions = new Map(
      found.flatMap((one) => (one === null ? [] : [[one.name, { ...one, release: releaseOf(one) }] as const]))
    )
    const others = new Map([...split].filter(([revision]) => revision !== candidateName))
    const before = others.size > 0 ? largest(others, state?.stable ?? null) : (state?.stable ?? null)
    const stableName = before !== null && revisions.has(before) ? before : largest(split, null)
    const stable = revisions.get(stableName ?? "") ?? null
    const candidate = candidateName === stableName ? null : (revisions.get(candidateName ?? "") ?? null)
    const foreign = service.reconciling && state?.generation !== service.generation
    return { service, state, split, revisions, stable, candidate, foreign }
  })

/** What the port says of a service. */
export const observation = (seen: Seen | null, place: Place, name: string): Observation => {
  if (seen === null) return absent
  const { candidate, foreign, revisions, service, split, stable, state } = seen
  const failure = failureOf(service)
  const shares = new Map<string, number>()
  for (const [revision, percent] of split) {
    const id = revisions.get(revision)?.release.id ?? revision
    shares.set(id, (shares.get(id) ?? 0) + percent)
  }
  const shown = [...revisions.values()].filter((one) => one === stable || one === candidate || split.has(one.name))
  const addresses = service.effective.flatMap(({ revision, tag, uri }) =>
    uri !== undefined && tag !== undefined && candidate !== null && revision === candidate.name
      ? [[candidate.release.id, uri] as const]
      : []
  )
  return {
    status: service.reconciling || service.deleting ? "changing" : stable === null ? "failed" : "ready",
    ...(failure === undefined ? {} : { reason: failure }),
    ...(state === null ? {} : { fence: state.fence }),
    stable: stable?.release ?? null,
    candidate: candidate?.release ?? null,
    traffic: [...shares].map(([releaseId, percent]) => ({ releaseId, percent })),
    trafficSource: "configured",
    health: Object.fromEntries(
      shown.map(({ release, state }) => [
        release.id,
        { healthy: state === "ready" ? 1 : 0, total: 1, unit: "release" as const }
      ])
    ),
    operation: service.reconciling
      ? {
          id: `${service.name}@${service.generation}`,
          description: `generation ${service.generation} of ${name} is being brought in`,
          foreign,
          startedAt: service.changedAt
        }
      : null,
    lastChangedAt: service.changedAt,
    outputs: stable === null ? {} : { url: service.uri, revision: stable.name },
    endpoints: Object.fromEntries(addresses),
    resources: shown.map(({ condition, name, state }) => ({
      id: name,
      type: "run.googleapis.com/Revision",
      status: state,
      ...(condition.message === "" ? {} : { reason: condition.message })
    })),
    consoleUrl: consolePage(place, name)
  }
}
