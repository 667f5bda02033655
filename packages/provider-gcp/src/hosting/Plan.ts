/**
 * What a release would change.
 */
import {
  type Candidate,
  type Checkpoint,
  noMutation,
  type PlanTarget,
  type ProviderReason,
  type Release,
  type StackPlan
} from "@signalbox/core/spi"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Option from "effect/Option"
import type { SiteFailure } from "./SiteCalls.ts"
import { digestOf } from "../marks.ts"
import { checkPins } from "./Pins.ts"
import { predeploy } from "./Predeploy.ts"
import { see, type SeenSite } from "./SeenSite.ts"
import { pinned, servingConfig } from "./ServingConfig.ts"
import { type SiteFiles, siteFiles } from "./files/SiteFiles.ts"
import { channelIsFree, fail, noSite, owned, type SiteWork } from "./SiteWork.ts"

/** What a stage needs of the plan. The files themselves are found again, and compared by their digest. */
const Planned = Schema.Struct({ files: Schema.Int, digest: Schema.String, artifact: Schema.optionalKey(Schema.String) })
export type Planned = typeof Planned.Type

export const plannedIn = ({ data }: StackPlan): Effect.Effect<Planned, ProviderReason> =>
  Option.match(Schema.decodeUnknownOption(Planned)(data), {
    onNone: () => fail({ _tag: "Invalid", message: "the plan has no files", path: [] }),
    onSome: Effect.succeed
  })

const Recorded = Schema.Struct({ version: Schema.String })

/** The ID of the version that a checkpoint goes back to. */
export const versionIn = ({ data }: Checkpoint): Effect.Effect<string, ProviderReason> =>
  Option.match(Schema.decodeUnknownOption(Recorded)(data), {
    onNone: () => fail({ _tag: "Invalid", message: "the checkpoint has no version", path: [] }),
    onSome: ({ version }) => Effect.succeed(version)
  })

/** `live` is part of a release whose backend is found out later, which therefore always is a new one. */
const releaseFrom = (version: string, files: string, config: unknown, live: string | null): Release => {
  const configDigest = digestOf(config).slice(0, 24)
  return { id: digestOf([files, configDigest, ...(live === null ? [] : [live])]).slice(0, 24), version, configDigest }
}

const none: SiteFiles = { all: [], digest: digestOf([]) }

/** The files of a plan. In a preview no command runs, so what it would build may not be there yet. */
const filesOf = (
  work: SiteWork
): Effect.Effect<{ readonly files: SiteFiles; readonly warnings: ReadonlyArray<string> }, SiteFailure> =>
  Effect.gen(function* () {
    const { config, mutation } = work
    const isPreview = mutation === noMutation
    const commands = [config.entry.predeploy ?? []].flat()
    const after = config.entry.postdeploy === undefined ? [] : ["postdeploy of firebase.json is not run"]
    if (commands.length === 0 || !isPreview) {
      if (!isPreview) yield* predeploy(commands, work, config)
      return { files: yield* siteFiles(config), warnings: after }
    }
    const files = yield* siteFiles(config).pipe(Effect.catch(() => Effect.succeed(none)))
    const warning = `predeploy runs first (${commands.join("; ")}), and may build other files than the present ones`
    return { files, warnings: [warning, ...after] }
  })

const warningsOf = ({ site }: SiteWork, { live, liveRelease, stable }: SeenSite): ReadonlyArray<string> =>
  live !== null && live.record === null && stable?.id === live.id
    ? [`what ${site} shows now was released by ${liveRelease?.by || "someone else"}, not by Signalbox`]
    : []

export const plan = (work: SiteWork, candidate: Candidate, target: PlanTarget): Effect.Effect<StackPlan, SiteFailure> =>
  Effect.gen(function* () {
    const { config, site } = work
    yield* checkPins(work, config)
    const { files, warnings } = yield* filesOf(work)
    const seen = yield* see(work)
    if (seen === null) return yield* fail(noSite(work))
    yield* owned(work, seen)
    yield* channelIsFree(work, seen)
    const { pins } = work.properties
    const targets = pinned(config.entry)
    const open = targets.some(({ serviceId }) => pins[serviceId] === undefined)
    const serving = servingConfig(config.entry, ({ serviceId }) => pins[serviceId] ?? "")
    const { candidate: staged, live, stable } = seen
    const release = releaseFrom(candidate.version, files.digest, serving, open ? (live?.id ?? "nothing") : null)
    const takenAt = Math.floor(yield* Clock.currentTimeMillis)
    const planned: Planned = {
      files: files.all.length,
      digest: files.digest,
      ...(candidate.artifact === undefined ? {} : { artifact: candidate.artifact })
    }
    const resource = { resource: site, type: "firebasehosting.googleapis.com/Site", replacement: false }
    const base = {
      checkpoint: { release: stable?.release ?? null, takenAt, data: stable === null ? null : { version: stable.id } },
      rollback: stable === null ? `${site} is taken offline` : `version ${stable.id} of ${site} is released again`,
      target: target,
      data: planned
    }
    const certain = work.mutation !== noMutation || config.entry.predeploy === undefined
    if (stable !== null && stable.id === live?.id && staged === null && stable.release.id === release.id && certain) {
      const same = stable.release.version === candidate.version
      return {
        ...base,
        action: "none",
        candidate: stable.release,
        changes: [],
        warnings: same ? [] : [`${candidate.version} has the same files and settings, so ${site} stays as it is`]
      }
    }
    const backends = targets.map(({ serviceId }) =>
      pins[serviceId] === undefined
        ? `, pinned to the revision of ${serviceId} that has the traffic then`
        : `, pinned to ${pins[serviceId]} of ${serviceId}`
    )
    return {
      ...base,
      action: stable === null ? "create" : "update",
      candidate: release,
      changes: [`release ${files.all.length} files on ${site}${backends.join("")}`],
      warnings: [...warnings, ...warningsOf(work, seen)],
      resources: [{ ...resource, action: stable === null ? "create" : "update" }]
    }
  })
