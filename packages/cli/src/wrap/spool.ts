/**
 * Work that was done while the store was unavailable, kept in files until it is back.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Reconciliation, Signalbox } from "@signalbox/core/engine"
import type { StoreError } from "@signalbox/core/spi"
import type { Invocation } from "../main/Invocation.ts"
import { plain } from "../live/words.ts"

export const folderOf = ({ settings }: Invocation): string => Path.join(settings.directory, ".signalbox", "degraded")

/** Keeps an entry atomically, replacing an earlier one of the same correlation ID. */
export const keep = (inv: Invocation, done: Reconciliation.DegradedRecord): void => {
  const folder = folderOf(inv)
  Fs.mkdirSync(folder, { recursive: true })
  const file = Path.join(folder, `${done.correlationId}.json`)
  Fs.writeFileSync(`${file}.new`, JSON.stringify(done), { mode: 0o600 })
  Fs.renameSync(`${file}.new`, file)
}

const read = (
  schema: typeof Reconciliation.DegradedRecord,
  file: string
): Option.Option<Reconciliation.DegradedRecord> => {
  try {
    return Schema.decodeUnknownOption(schema)(JSON.parse(Fs.readFileSync(file, "utf8")))
  } catch {
    return Option.none()
  }
}

/** Whether a command that began may still be running. */
const isUnderWay = ({ finishedAt, startedAt }: Reconciliation.DegradedRecord): boolean =>
  finishedAt === undefined && Date.now() - startedAt < 86_400_000

/** Records an entry; a failure stops nothing, unless the store is unavailable. */
const record = (inv: Invocation, file: string, reconciled: Effect.Effect<boolean, StoreError>) =>
  reconciled.pipe(
    Effect.as(true),
    Effect.catchCause((cause) => {
      const error = Cause.squash(cause)
      const away = Option.exists(Cause.findErrorOption(cause), ({ isRetryable }) => isRetryable)
      if (away || Cause.hasInterrupts(cause)) return Effect.failCause(cause)
      const why = plain(error instanceof Error ? error.message : String(error))
      return Effect.as(inv.say(`what was done without the store cannot be recorded: ${file} (${why})`), false)
    })
  )

/**
 * Records the kept entries in the store, now that it is available. Unreadable or unrecordable ones stay, and are
 * reported.
 */
export const reconcileKept = (inv: Invocation): Effect.Effect<void, StoreError, Signalbox> =>
  Effect.suspend(() => {
    const folder = folderOf(inv)
    if (!Fs.existsSync(folder)) return Effect.void
    const files = Fs.readdirSync(folder).filter((name) => name.endsWith(".json"))
    if (files.length === 0) return Effect.void
    return Effect.gen(function* () {
      const { Reconciliation } = yield* Effect.promise(() => import("../backend/engine.ts"))
      const { Signalbox } = yield* Effect.promise(() => import("../backend/facade.ts"))
      const { executions } = yield* Signalbox
      for (const name of files) {
        const file = Path.join(folder, name)
        const done = Option.getOrUndefined(read(Reconciliation.DegradedRecord, file))
        if (done === undefined) {
          yield* inv.say(`what was done without the store cannot be read: ${file}`)
        } else if (!isUnderWay(done)) {
          if (!(yield* record(inv, file, executions.reconcile(done)))) continue
          Fs.rmSync(file, { force: true })
          yield* inv.say(
            `reconciled: ${done.correlationId} ran in ${done.environment} while the store was away; see: signalbox status ${done.correlationId}`
          )
        }
      }
    })
  })
