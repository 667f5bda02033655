/**
 * Mutations on clouds that work in operations of their own: an operation has a name, goes on without its caller, and is
 * polled. The upper half is the cloud, the lower half is what an adapter does with it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Mutation, ProviderError, ProviderEvent, ProviderReason, StackRef } from "../../spi/index.ts"
import type { SimulatedCloud } from "./SimulatedCloud.ts"
import type { Fault, SimulatedOperation } from "./SimulatedControls.ts"
import type { Mutate } from "./SimulatedPort.ts"
import { type Cell, effective, keyOf, observation, restore, setTraffic, snapshot } from "./SimulatedState.ts"

/**
 * *Details*: `operationMillis` is the shortest time of an operation, `cancelMillis` how long it takes to undo one,
 * `lagMillis` how long a new operation cannot be found, `pollMillis` the time between two polls. `exclusive`: only one
 * operation of a stack at a time; otherwise a newer one takes over. `etags`: a write names the state that it has read,
 * and is refused if that has changed.
 */
export interface LongOptions {
  readonly operationMillis: number
  readonly cancelMillis: number
  readonly lagMillis: number
  readonly pollMillis: number
  readonly exclusive: boolean
  readonly etags: boolean
}

/** An operation of the cloud, with the token of the caller who began it. */
interface LongOperation {
  readonly id: string
  readonly token: string
  readonly kind: SimulatedOperation
  readonly began: ProviderEvent
  ended: ProviderEvent | undefined
  reason: ProviderReason | undefined
}

type Change = Parameters<Mutate>[3]

/** Why the cloud refuses to begin. */
type Refusal = ProviderError | "in_progress" | "no_changes" | "stale"

class Operations {
  readonly #cloud: SimulatedCloud
  readonly #options: LongOptions
  readonly #all = new Map<string, LongOperation>()
  readonly #etags = new Map<string, number>()
  /** What becomes of an operation that does not reach its own end. */
  readonly #turns = new Map<string, Readonly<Record<"superseded" | "undone", (at: number) => void>>>()

  constructor(cloud: SimulatedCloud, options: LongOptions) {
    this.#cloud = cloud
    this.#options = options
  }

  etag(ref: StackRef): number {
    return this.#etags.get(keyOf(ref)) ?? 0
  }

  /** Begins an operation, or says why not. */
  begin(
    kind: SimulatedOperation,
    ref: StackRef,
    mutation: Mutation,
    etag: number,
    { apply, finish, releaseId }: Change
  ): Effect.Effect<LongOperation | Refusal> {
    return Effect.map(this.#cloud.settled(ref), ({ cell, now }) => {
      const refused = this.#cloud.admit(kind, ref, cell, mutation)
      if (refused !== undefined) return refused
      if (this.#options.exclusive && cell.operation !== null) return "in_progress"
      if (this.#options.etags && etag !== this.etag(ref)) return "stale"
      const before = snapshot(cell, now)
      const last = cell.traffic.at(-1)
      const { changed, reason, until: ready } = apply(cell, now)
      if (reason !== undefined) return this.#cloud.failure(kind, ref, reason)
      if (!changed && ready <= now) return "no_changes"
      const until = Math.max(ready, now + this.#options.operationMillis)
      if (until > ready) {
        // What is live once the operation ends is not live before.
        if (cell.traffic.at(-1) !== last) {
          cell.traffic.pop()
          setTraffic(cell, now, until, cell.asked)
        }
        for (const [id, capacity] of cell.capacity) {
          if (before.capacity.every(([known]) => known !== id)) capacity.readyAt = until
        }
      }
      const after = this.#afterwards(cell, before, now)
      if (cell.operation !== null) this.#turns.get(cell.operation.id)?.superseded(now)
      const { idempotencyKey: token } = mutation
      const id = `operations/${keyOf(ref)}/${this.#all.size + 1}`
      const event = (at: number, message: string, more?: { readonly done?: boolean; readonly failed?: boolean }) =>
        this.#cloud.event(ref, at, releaseId, { message: `${kind} ${message}`, ...more })
      const one: LongOperation = { id, token, kind, began: event(now, "began"), ended: undefined, reason: undefined }
      const failed = (at: number, reason: ProviderReason) => {
        one.reason = reason
        one.ended = event(at, `failed: ${reason.message}`, { failed: true })
      }
      const end = (at: number) => {
        after?.(at)
        const reason = finish?.(cell, at)
        if (reason === undefined) one.ended = event(at, "is done", { done: true })
        else {
          failed(at, reason)
          if (this.#options.exclusive) restore(cell, before, at)
        }
      }
      this.#turns.set(id, {
        superseded: (at) => failed(at, { _tag: "Conflict", message: "a newer operation took over" }),
        undone: (at) => {
          failed(at, { _tag: "Conflict", message: "it was cancelled" })
          restore(cell, before, at)
        }
      })
      this.#all.set(id, one)
      this.#etags.set(keyOf(ref), this.etag(ref) + 1)
      cell.lastChangedAt = now
      cell.operation = { id, description: kind, foreign: false, startedAt: now, until, end }
      if (changed) this.#cloud.record(kind, ref, mutation, { at: now, releaseId })
      return one
    })
  }

  /** A stack is removed at the end of the operation; in a transaction, the stable release changes at its end too. */
  #afterwards(cell: Cell, before: ReturnType<typeof snapshot>, now: number): ((at: number) => void) | undefined {
    const { stable } = cell
    if (cell.capacity.size === 0 && before.capacity.length > 0) {
      restore(cell, before, now)
      return (at) => {
        cell.capacity.clear()
        Object.assign(cell, { stable: null, candidate: null, drift: [] })
        setTraffic(cell, at, at, {})
      }
    }
    if (!this.#options.exclusive || stable === before.stable) return undefined
    cell.stable = before.stable
    return () => void (cell.stable = stable)
  }

  /** Turns back an operation; a delete goes on. */
  cancel(ref: StackRef, id: string, mutation: Mutation): Effect.Effect<ProviderError | undefined> {
    return Effect.map(this.#cloud.settled(ref), ({ cell, now }) => {
      const refused = this.#cloud.admit("rollback", ref, cell, mutation)
      const end = this.#turns.get(id)?.undone
      if (refused !== undefined || cell.operation?.id !== id || end === undefined) return refused
      setTraffic(cell, now, now, effective(cell, now))
      cell.operation = { ...cell.operation, description: "cancel", until: now + this.#options.cancelMillis, end }
      return undefined
    })
  }

  /** The operation in progress, if Signalbox began it. */
  inProgress(ref: StackRef): Effect.Effect<LongOperation | undefined> {
    return Effect.map(this.#cloud.settled(ref), ({ cell }) =>
      cell.operation === null ? undefined : this.#all.get(cell.operation.id)
    )
  }

  /** Finds an operation by its name or by its token; the last one, and only after a while. */
  find(ref: StackRef, is: (one: LongOperation) => boolean): Effect.Effect<LongOperation | undefined> {
    return Effect.map(this.#cloud.settled(ref), ({ now }) =>
      [...this.#all.values()].findLast((one) => is(one) && one.began.at + this.#options.lagMillis <= now)
    )
  }
}

/** Handles that are no names: the token is about to be sent; there was nothing to do. */
const sending = "sending"
const unchanged = "unchanged"

/** Operations that a rollback or a deletion turns back instead of waiting for their end. */
const cancellable: ReadonlySet<SimulatedOperation> = new Set(["stage", "shift", "retire", "restart", "correct"])

/** Carries out mutations as operations of the cloud. */
export const longMutations = (cloud: SimulatedCloud, options: LongOptions): Mutate => {
  const operations = new Operations(cloud, options)
  const { lagMillis, pollMillis } = options

  const waitFor = (ref: StackRef, id: string): Effect.Effect<LongOperation, ProviderError> =>
    Effect.gen(function* () {
      for (;;) {
        const fault = yield* cloud.enter("poll", ref)
        // A poll that fails is repeated; without credentials, the caller decides.
        if (fault?.reason._tag === "Throttled") yield* Effect.sleep(fault.reason.retryAfterMs)
        else if (fault?.reason._tag === "Unavailable") yield* Effect.sleep(pollMillis)
        else if (fault !== undefined) return yield* cloud.failure("poll", ref, fault.reason)
        else {
          const found = yield* operations.find(ref, (one) => one.id === id)
          if (found?.ended !== undefined) return found
          yield* Effect.sleep(pollMillis)
        }
      }
    })

  /** The operation of a token whose sending was prepared: it may have arrived, and be found a little later. */
  const sent = (ref: StackRef, token: string) =>
    Effect.gen(function* () {
      const since = yield* Clock.currentTimeMillis
      for (;;) {
        const found = yield* operations.find(ref, (one) => one.token === token)
        if (found !== undefined || (yield* Clock.currentTimeMillis) > since + lagMillis) return found
        yield* Effect.sleep(pollMillis)
      }
    })

  /** Lets another operation of ours end, so that this one can begin. */
  const makeWay = (kind: SimulatedOperation, ref: StackRef, mutation: Mutation) =>
    Effect.gen(function* () {
      const other = yield* operations.inProgress(ref)
      if (other === undefined) return
      if ((kind === "rollback" || kind === "destroy") && cancellable.has(other.kind)) {
        yield* mutation.guard
        const refused = yield* operations.cancel(ref, other.id, mutation)
        if (refused !== undefined) return yield* refused
      }
      yield* waitFor(ref, other.id)
    })

  const begin = (
    kind: SimulatedOperation,
    ref: StackRef,
    mutation: Mutation,
    change: Change,
    fault: Fault | undefined
  ): Effect.Effect<string, ProviderError> =>
    Effect.gen(function* () {
      yield* mutation.handle.set(sending)
      for (;;) {
        const etag = operations.etag(ref)
        yield* mutation.guard
        const begun = yield* operations.begin(kind, ref, mutation, etag, change)
        if (typeof begun === "object") {
          if (!("token" in begun)) return yield* begun
          // The answer is lost, and so is the name.
          if (fault !== undefined) return yield* cloud.failure(kind, ref, fault.reason)
          yield* mutation.handle.set(begun.id)
          yield* mutation.progress(begun.began)
          return begun.id
        }
        if (begun === "no_changes") {
          yield* mutation.handle.set(unchanged)
          return unchanged
        }
        if (begun === "in_progress") yield* makeWay(kind, ref, mutation)
      }
    })

  return (kind, ref, mutation, change) =>
    Effect.gen(function* () {
      const fault = yield* cloud.enter(kind, ref)
      if (fault !== undefined && fault.after !== true) return yield* cloud.failure(kind, ref, fault.reason)
      const handle = yield* mutation.handle.get
      const known = handle === sending ? (yield* sent(ref, mutation.idempotencyKey))?.id : (handle ?? undefined)
      if (known !== undefined && known !== handle) yield* mutation.handle.set(known)
      const id = known ?? (yield* begin(kind, ref, mutation, change, fault))
      if (id !== unchanged) {
        const { ended, reason } = yield* waitFor(ref, id)
        yield* mutation.progress(ended!)
        if (reason !== undefined) {
          const failed = cloud.failure(kind, ref, reason)
          // A repeat begins again. Any other failure must stay known: a process that takes over would begin it once more.
          if (failed.isRetryable) yield* mutation.handle.set(null)
          return yield* failed
        }
      }
      const { cell, now } = yield* cloud.settled(ref)
      return observation(cloud.world, cell, now, cloud.outputs(ref))
    })
}
