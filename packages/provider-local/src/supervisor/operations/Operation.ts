/**
 * What the operations share: their input, and what each checks before it changes anything.
 */
import type { Release } from "@signalbox/core/spi"
import { refuse, type ReleaseRecord } from "../Protocol.ts"
import type { Stack } from "../Stack.ts"
import type { KnownRelease } from "../State.ts"

/** The input of an operation: `effect` records, once, that something is being changed. */
export interface Run {
  readonly key: string
  readonly signal: AbortSignal
  readonly progress: (message: string, resource?: string) => void
  readonly effect: (releaseId: string | null) => void
}

/** Ends an operation that another one has replaced. */
export const superseded = (run: Run): void => {
  if (run.signal.aborted) refuse({ _tag: "Conflict", message: "another operation took over" })
}

/** A release, in messages. */
export const name = (release: Release): string => `${release.version} (${release.id.slice(0, 12)})`

/** Records a release, unless it is known. */
export const learn = (stack: Stack, record: ReleaseRecord): KnownRelease =>
  (stack.state.releases[record.release.id] ??= { ...record, wanted: 0, usedAt: Date.now() })

/** Refuses to start a release without its secrets, before anything changes. */
export const needSecrets = (stack: Stack, known: KnownRelease, wanted: number): void => {
  if (stack.of(known.release.id).filter(({ alive }) => alive).length >= wanted) return
  const [missing] = stack.missing(known)
  if (missing === undefined) return
  refuse({
    _tag: "Invalid",
    message: `${name(known.release)} is not started without ${missing.variable}, which is not set here and which no process of it has`,
    path: ["env", missing.property],
    hint: `Set ${missing.variable} where signalbox runs.`
  })
}
