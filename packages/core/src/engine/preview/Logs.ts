/**
 * The logs of deployed stacks, read from their providers.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { StackLogLine } from "../../api/LogLineView.ts"
import { reject, type Rejected } from "../../api/Rejected.ts"
import { nearest } from "../../text/nearest.ts"
import { resolve } from "../../config/Configuration.ts"
import type { DeploymentId, EnvironmentName, StackName } from "../../domain/Ids.ts"
import type { Release } from "../../domain/Release.ts"
import type { Manifest } from "../../domain/Spec.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { Logs } from "../../spi/Logs.ts"
import type { StackRef } from "../../spi/Provider.ts"
import type { ProviderError } from "../../spi/ProviderError.ts"
import type { Providers } from "../../spi/Providers.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { eachStack } from "../admission/index.ts"
import { notInstalled, recordOf } from "./Preview.ts"

/** How long a reader that has read everything waits. */
const pause = "1 second"
/** Later pages of a reader that follows. */
const pageSize = 1_000
/** In how many executions a release is looked for. */
const reach = 100
/** In how many executions that did not complete. */
const reachOfFailed = 20

/**
 * Which lines to read.
 *
 * *Details*: the last `lines` of each stack (default 100), and with `follow` then new ones, until the reader stops.
 * `stack` limits them to one; without it, stacks whose provider has no logs are left out. `release` is the version or
 * the ID of a release; of several releases of that version it is the latest.
 */
export interface LogsOptions {
  readonly manifest: Manifest
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
  readonly stack?: StackName
  readonly release?: string
  readonly lines?: number
  readonly follow?: boolean
}

/**
 * Reads them, stack by stack, or as they come.
 *
 * *Errors*: `Rejected`: `unknown_stack`, `unknown_release`, or `logs_unsupported` if the provider of the stack, or of all
 * stacks, has no logs; `ProviderError`. A reader that follows repeats what may succeed later, for some minutes.
 */
export const logs = (
  options: LogsOptions
): Stream.Stream<StackLogLine, Rejected | ProviderError | StoreError, DeploymentStore | Providers> =>
  Stream.unwrap(
    Effect.map(sourcesOf(options), (sources) =>
      Stream.mergeAll(
        sources.map((source) => linesOf(source, options)),
        // Without an end, the first one would keep all others waiting.
        { concurrency: options.follow === true ? "unbounded" : 1 }
      )
    )
  )

interface Source {
  readonly stack: StackName
  readonly ref: StackRef
  readonly logs: Logs
  readonly releaseId: string | undefined
}

const sourcesOf = Effect.fnUntraced(function* (
  options: LogsOptions
): Effect.fn.Return<ReadonlyArray<Source>, Rejected | ProviderError | StoreError, DeploymentStore | Providers> {
  const { environment, release } = options
  const { manifest, state } = yield* recordOf(options)
  const spec = yield* resolve(manifest, environment, options.stack === undefined ? {} : { stacks: [options.stack] })
  const all = yield* eachStack(options, spec, state, Effect.succeed)
  const found = all.flatMap(({ provider, ref, stack: { name } }) =>
    provider?.logs === undefined ? [] : [{ stack: name, ref, logs: provider.logs }]
  )
  const [first] = all
  if (found.length === 0 && first !== undefined) {
    if (first.provider === undefined) return yield* notInstalled(first.stack, "logs")
    const { name: stack, provider } = first.stack
    return yield* reject("logs_unsupported", { stack, provider }, { path: `stacks.${stack}.provider` })
  }
  if (release === undefined) return found.map((source) => ({ ...source, releaseId: undefined }))
  const known = yield* releasesIn(options)
  const named = found.flatMap((source) => {
    const releases = known.get(source.stack) ?? []
    const releaseId = releases.find(({ id, version }) => version === release || id === release)?.id
    return releaseId === undefined ? [] : [{ ...source, releaseId }]
  })
  if (named.length > 0) return named
  const versions = [...new Set([...known.values()].flat().map(({ version }) => version))].slice(0, 5)
  return yield* reject("unknown_release", { release, nearest: nearest(release, versions), known: versions })
})

/** The releases of each stack by the record, the latest first. */
const releasesIn = Effect.fnUntraced(function* ({
  deploymentId,
  environment
}: LogsOptions): Effect.fn.Return<ReadonlyMap<StackName, ReadonlyArray<Release>>, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const { items } = yield* store.executions({ deploymentId, environment, limit: reach })
  const found = new Map<StackName, Array<Release>>()
  const add = (stack: StackName, releases: ReadonlyArray<Release | null | undefined>) =>
    found.set(stack, [...(found.get(stack) ?? []), ...releases.filter((one) => one != null)])
  let failed = 0
  for (const { correlationId, stacks, status } of items) {
    // A candidate that was taken back is in no state any more.
    if (status !== "completed" && status !== "queued" && failed++ < reachOfFailed) {
      for (const { event } of yield* store.events({ stream: correlationId, tags: ["StackPlanned"] })) {
        if (event._tag === "StackPlanned") add(event.stack, [event.plan.candidate])
      }
    }
    for (const { candidate, checkpoint, name, release } of stacks) add(name, [candidate, release, checkpoint?.release])
  }
  return found
})

const linesOf = ({ logs, ref, releaseId, stack }: Source, options: LogsOptions) => {
  const { follow = false, lines = 100 } = options
  const versions = new Map<string, string | null>()
  const versionOf = Effect.fnUntraced(function* (
    id: string
  ): Effect.fn.Return<string | null, StoreError, DeploymentStore> {
    if (!versions.has(id)) {
      // A release that is not on record is looked for once, not with each of its lines.
      versions.set(id, null)
      for (const release of (yield* releasesIn(options)).get(stack) ?? []) versions.set(release.id, release.version)
    }
    return versions.get(id) ?? null
  })
  const read = (cursor: string | null, limit: number) => {
    const page = logs.read(ref, { cursor, limit, ...(releaseId === undefined ? {} : { releaseId }) })
    return follow ? Effect.retry(page, { schedule: again, while: ({ isRetryable }) => isRetryable }) : page
  }
  return Stream.paginate(
    { cursor: null as string | null, begun: false, rest: false },
    Effect.fnUntraced(function* ({ begun, cursor, rest }) {
      if (begun && !rest) yield* Effect.sleep(pause)
      const limit = cursor === null ? lines : pageSize
      const page = yield* read(cursor, limit)
      const shown = yield* Effect.forEach(page.lines, (line) =>
        Effect.map(versionOf(line.releaseId), (version): StackLogLine => ({ ...line, stack, version }))
      )
      const next = { cursor: page.cursor, begun: true, rest: cursor !== null && page.lines.length >= limit }
      return [shown, follow ? Option.some(next) : Option.none()] as const
    })
  )
}

/** For about 5 minutes. */
const again = Schedule.min([Schedule.exponential(pause), Schedule.spaced("30 seconds")]).pipe(
  Schedule.upTo({ duration: "5 minutes" })
)
