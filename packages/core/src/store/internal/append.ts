import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { EnvironmentState } from "../../domain/Environment.ts"
import type { NewEvent, StoredEvent } from "../../domain/Event.ts"
import { isFinished } from "../../domain/Execution.ts"
import type { IllegalTransition } from "../../domain/Illegal.ts"
import { type Append, SequenceConflict, type StreamState } from "../../spi/DeploymentStore.ts"
import { type Lease, LeaseLost } from "../../spi/LeaseStore.ts"
import { StoreError } from "../../spi/StoreError.ts"
import type { Commit, EncodedDeploymentStore, NewEventRow, AppendOutcome } from "../Encoded.ts"
import { encodeEvent, type makeCodec, optionally, storedEvent } from "./Codec.ts"
import { fold, type States } from "./fold.ts"
import { makeKeyedLock } from "./KeyedLock.ts"
import { Lru } from "./Lru.ts"

/** The maximum number of events in one append. */
export const maxEvents = 1_000

/** A stream as this process last saw it. Never trusted: a commit succeeds only if the database still has `seq`. */
interface Seen extends Pick<States, "execution" | "deployment"> {
  readonly seq: number
  readonly ids: Set<string>
  /** The generation that wrote its states. */
  readonly generation: number
}

/** An environment as this process last saw it; `version` 0 if it has no row. */
interface SeenEnvironment {
  readonly version: number
  readonly generation: number
  readonly state: EnvironmentState | undefined
}

const missing: SeenEnvironment = { version: 0, generation: 0, state: undefined }

const placeOf = (seen: Seen, events: ReadonlyArray<NewEvent>) => {
  if (seen.execution !== undefined) return seen.execution
  const first = events[0]?.event
  return first?._tag === "ExecutionRequested" ? first : undefined
}

const newIn = (seen: Seen, events: ReadonlyArray<NewEvent>): ReadonlyArray<NewEvent> => {
  const ids = new Set<string>()
  return events.filter(({ id }) => !seen.ids.has(id) && !ids.has(id) && ids.add(id))
}

const rowsOf = (
  stream: string,
  base: number,
  states: States,
  events: ReadonlyArray<NewEvent>
): Result.Result<Array<NewEventRow>, StoreError> => {
  const owner = states.execution ?? states.deployment
  const rows: Array<NewEventRow> = []
  for (const event of events) {
    const body = encodeEvent(event)
    if (Result.isFailure(body)) return Result.fail(body.failure)
    rows.push({
      stream,
      seq: base + rows.length + 1,
      id: event.id,
      at: event.at,
      tag: event.event._tag,
      deploymentId: owner?.deploymentId ?? stream,
      environment: states.execution?.environment ?? null,
      body: body.success
    })
  }
  return Result.succeed(rows)
}

/**
 * Appends optimistically: folds over the cached states, and commits if the database still has them. Otherwise it reads
 * them and folds again. It fails only on states that were just read.
 */
export const makeAppend = (
  encoded: EncodedDeploymentStore,
  codec: ReturnType<typeof makeCodec>,
  generation: number,
  committed: Effect.Effect<void>
) => {
  const locked = makeKeyedLock()
  const streams = new Lru<string, Seen>(1_024)
  const environments = new Lru<string, SeenEnvironment>(1_024)

  const readStream = Effect.fnUntraced(function* (
    stream: string,
    before: Seen | undefined
  ): Effect.fn.Return<Seen, StoreError> {
    const head = yield* encoded.head(stream, before?.seq ?? 0)
    const ids = before !== undefined && head.continues ? before.ids : new Set<string>()
    for (const id of head.ids) ids.add(id)
    return {
      seq: head.seq,
      ids,
      generation: Math.max(head.execution?.generation ?? 0, head.deployment?.generation ?? 0),
      execution: yield* optionally(head.execution, codec.execution),
      deployment: yield* optionally(head.deployment, codec.deployment)
    }
  })

  const readEnvironment = Effect.fnUntraced(function* (
    deploymentId: string,
    environment: string
  ): Effect.fn.Return<SeenEnvironment, StoreError> {
    const row = yield* encoded.environment(deploymentId, environment)
    return row === undefined
      ? missing
      : { version: row.version, generation: row.generation, state: yield* Effect.fromResult(codec.environment(row)) }
  })

  const checkGuards = Effect.fnUntraced(function* (
    stream: string,
    guards: ReadonlyArray<Lease>
  ): Effect.fn.Return<void, LeaseLost | StoreError> {
    if (guards.length === 0) return
    const outcome = yield* encoded.commit({ stream, base: 0, events: [], guards })
    if (outcome._tag === "Lost") return yield* lost(outcome)
  })

  const attempt = Effect.fnUntraced(function* (
    { events, expected, guards = [], owes = false, stream }: Append,
    fresh: boolean
  ): Effect.fn.Return<
    ReadonlyArray<StoredEvent> | "again",
    SequenceConflict | LeaseLost | IllegalTransition | StoreError
  > {
    const before = streams.get(stream)
    const reading = fresh || before === undefined
    const seen = reading ? yield* readStream(stream, before) : before
    const added = newIn(seen, events)
    if (expected !== undefined && expected !== seen.seq) {
      if (!reading) return "again"
      yield* checkGuards(stream, guards)
      return yield* new SequenceConflict({ stream, expected, actual: seen.seq })
    }
    if (added.length === 0) {
      if (!reading) return "again"
      yield* checkGuards(stream, guards)
      return []
    }

    if (seen.generation > generation) return yield* newerWriter(stream, seen.generation, generation)
    const place = placeOf(seen, added)
    const key = place === undefined ? "" : `${place.deploymentId}/${place.environment}`
    const known = environments.get(key)
    const environment =
      place === undefined
        ? missing
        : fresh || known === undefined
          ? yield* readEnvironment(place.deploymentId, place.environment)
          : known
    const folded = fold({ ...seen, environment: environment.state }, stream, added)
    if (Result.isFailure(folded)) {
      if (!fresh) return "again"
      yield* checkGuards(stream, guards)
      return yield* Effect.fail(folded.failure)
    }
    const after = folded.success
    // The end of an execution changes its environment, unless another one replaced it. A write without the environment
    // is not checked against its version, so this must not come from the cache.
    const ends = after.execution !== undefined && isFinished(after.execution)
    if (ends && after.environment === environment.state && !fresh) return "again"
    if (after.environment !== environment.state && environment.generation > generation) {
      if (!fresh) return "again"
      return yield* newerWriter(key, environment.generation, generation)
    }
    const rows = yield* Effect.fromResult(rowsOf(stream, seen.seq, after, added))
    const version = after.environment === environment.state ? environment.version : environment.version + 1
    const commit: Commit = {
      stream,
      base: seen.seq,
      events: rows,
      guards,
      ...(owes
        ? { owed: { deploymentId: rows[0]!.deploymentId, seq: seen.seq + rows.length, at: rows.at(-1)!.at } }
        : {}),
      ...(after.execution === undefined || after.execution === seen.execution
        ? {}
        : { execution: codec.executionRow(after.execution) }),
      ...(after.environment === undefined || version === environment.version
        ? {}
        : { environment: codec.environmentRow(after.environment, version) }),
      ...(after.deployment === undefined || after.deployment === seen.deployment
        ? {}
        : { deployment: codec.deploymentRow(after.deployment) })
    }
    const outcome = yield* encoded.commit(commit)
    if (outcome._tag === "Stale") return "again"
    if (outcome._tag === "Lost") return yield* lost(outcome)

    for (const { id } of rows) seen.ids.add(id)
    const { deployment, execution } = after
    streams.set(stream, { deployment, execution, seq: seen.seq + rows.length, ids: seen.ids, generation })
    if (place !== undefined) {
      const writer = version === environment.version ? environment.generation : generation
      environments.set(key, { version, generation: writer, state: after.environment })
    }
    yield* committed
    return rows.map((row, index) => storedEvent({ ...row, position: outcome.positions[index]! }, added[index]!.event))
  })

  const forget = (stream: string) => Effect.sync(() => streams.delete(stream))

  const retried = Effect.fnUntraced(function* (append: Append) {
    if (append.events.length > maxEvents) {
      return yield* new StoreError({
        operation: "append",
        reason: "Unexpected",
        detail: `${append.events.length} events at once; at most ${maxEvents} are possible`
      })
    }
    let result = yield* attempt(append, false)
    while (result === "again") result = yield* attempt(append, true)
    return result
  })

  const read = Effect.fnUntraced(function* (stream: string): Effect.fn.Return<StreamState, StoreError> {
    const seen = yield* readStream(stream, streams.get(stream))
    streams.set(stream, seen)
    return { seq: seen.seq, execution: seen.execution, deployment: seen.deployment }
  })

  return {
    append: (append: Append) => locked(append.stream)(Effect.onError(retried(append), () => forget(append.stream))),
    stream: (stream: string) => locked(stream)(Effect.onError(read(stream), () => forget(stream)))
  }
}

const newerWriter = (what: string, writer: number, own: number) =>
  new StoreError({
    operation: "append",
    reason: "NewerWriter",
    detail: `${what} was written by a newer version of Signalbox (generation ${writer}; this one is ${own})`
  })

const lost = ({ guard }: Extract<AppendOutcome, { readonly _tag: "Lost" }>) =>
  new LeaseLost({ key: guard.key, fence: guard.fence })
