import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { EventId } from "../../domain/EventId.ts"
import type { Event, EventOf, NewEvent } from "../../domain/Event.ts"
import * as Execution from "../../domain/Execution.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import type { IllegalTransition } from "../../domain/Illegal.ts"
import type { Json } from "../../domain/Release.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { Lease, LeaseLost } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { type DueEvent, write as writeEvents } from "./ExecutionLog.ts"
import { lostBy } from "../lease/index.ts"

/**
 * The journal of one execution: its events, as one runner writes them.
 *
 * *Details*: `record` folds an event into `state` at once and writes it soon; `commit` returns when everything recorded
 * so far is durable. Events recorded together are written in one transaction, so a receipt costs nothing extra when the
 * next intent follows it. An event whose id exists already is dropped, which makes a replay harmless. An unavailable
 * store is retried forever: the keeper of the lease decides when to give up.
 */
export interface Journal {
  readonly correlationId: CorrelationId
  readonly request: EventOf<"ExecutionRequested">
  readonly state: () => Execution.ExecutionState
  /** The number of its events. */
  readonly size: () => number
  /** Whether an event with this id was recorded. */
  readonly has: (id: EventId) => boolean
  /** When the intent of a step was recorded. */
  readonly startedAt: (step: string) => number | undefined
  /**
   * How long the execution had no runner, in milliseconds since a time: between a runner's last event and its
   * successor's first.
   */
  readonly idle: (since: number) => number
  /** The encoded outcome of a finished step. */
  readonly receipt: (step: string) => Json | undefined
  /** What a step calls its operation, and how often it was given a name. */
  readonly handle: (step: string) => { readonly handle: string | null; readonly count: number }
  readonly deferred: (name: string) => Json | undefined
  /** When a durable clock fires. */
  readonly clock: (name: string) => number | undefined
  /** A function decides from the state at the moment of recording; nothing is recorded if it returns nothing. */
  readonly record: (
    id: EventId,
    event: Event | ((state: Execution.ExecutionState) => Event | undefined)
  ) => Effect.Effect<void>
  readonly commit: Effect.Effect<void>
  /** Fails once nothing can be written any more: a lease was lost, or the store failed permanently. */
  readonly lost: Effect.Effect<never, LeaseLost | StoreError>
}

/** What calls report. One that was given up may still do so when the execution has ended. */
const ofCalls: ReadonlySet<Event["_tag"]> = new Set(["ProgressReported", "HandleRecorded"])

type Item =
  | { readonly _tag: "Event"; readonly event: DueEvent }
  | { readonly _tag: "Commit"; readonly done: Deferred.Deferred<void> }

const readAll = Effect.fnUntraced(function* (stream: string) {
  const store = yield* DeploymentStore
  const events = yield* store.events({ stream, limit: 10_000 })
  const all = [...events]
  let last = events.at(-1)
  while (last !== undefined && all.length % 10_000 === 0) {
    const more = yield* store.events({ stream, after: last.position, limit: 10_000 })
    if (more.length === 0) break
    all.push(...more)
    last = more.at(-1)
  }
  return all
})

const withTurn = (
  request: EventOf<"ExecutionRequested">,
  { _tag, ...from }: EventOf<"ExecutionAdmitted">
): EventOf<"ExecutionRequested"> => ({ ...request, ...from })

/**
 * The request, with what the execution starts from since its admission.
 */
export const requestOf = Effect.fnUntraced(function* (
  correlationId: CorrelationId
): Effect.fn.Return<EventOf<"ExecutionRequested"> | undefined, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const events = yield* store.events({
    stream: correlationId,
    tags: ["ExecutionRequested", "ExecutionAdmitted"],
    limit: 2
  })
  return events.reduce<EventOf<"ExecutionRequested"> | undefined>(
    (request, { event }) =>
      event._tag === "ExecutionRequested"
        ? event
        : event._tag === "ExecutionAdmitted" && request !== undefined
          ? withTurn(request, event)
          : request,
    undefined
  )
})

/**
 * Opens the journal of an execution that exists, for a runner that holds `guards`.
 *
 * *Errors*: `StoreError`. An illegal transition is a defect of the engine and dies.
 */
export const openJournal = Effect.fnUntraced(function* (
  correlationId: CorrelationId,
  guards: () => ReadonlyArray<Lease>
): Effect.fn.Return<Journal, StoreError, DeploymentStore | Scope.Scope> {
  const store = yield* DeploymentStore
  const ids = new Set<string>()
  const intents = new Map<string, number>()
  const receipts = new Map<string, Json>()
  const handles = new Map<string, { readonly handle: string | null; readonly count: number }>()
  const gaps: Array<{ readonly at: number; readonly ms: number }> = []
  let lastAt = 0
  const deferreds = new Map<string, Json>()
  const clocks = new Map<string, number>()
  let state: Execution.ExecutionState | undefined
  let request: EventOf<"ExecutionRequested"> | undefined

  const apply = ({ at, event, id }: NewEvent): IllegalTransition | undefined => {
    const folded = Execution.evolve(state, at, event)
    if (Result.isFailure(folded)) return folded.failure
    state = folded.success
    ids.add(id)
    if (event._tag === "RunnerClaimed" && event.resumed) gaps.push({ at, ms: at - lastAt })
    lastAt = at
    switch (event._tag) {
      case "ExecutionRequested":
        request = event
        break
      case "ExecutionAdmitted":
        request = withTurn(request!, event)
        break
      case "StepStarted":
        intents.set(`${event.step}#${event.attempt}`, at)
        break
      case "StepFinished":
        receipts.set(`${event.step}#${event.attempt}`, event.exit)
        break
      case "HandleRecorded":
        handles.set(event.step, { handle: event.handle, count: (handles.get(event.step)?.count ?? 0) + 1 })
        break
      case "DeferredDone":
        deferreds.set(event.name, event.exit)
        break
      case "ClockSet":
        clocks.set(event.name, event.wakeAt)
        break
    }
    return undefined
  }

  for (const event of yield* readAll(correlationId)) {
    const illegal = apply(event)
    if (illegal !== undefined) return yield* Effect.die(illegal)
  }

  const queue = yield* Queue.unbounded<Item>()
  const lost = yield* Deferred.make<never, LeaseLost | StoreError>()

  const write = (events: ReadonlyArray<DueEvent>) => {
    let outage: StoreError | undefined
    return Effect.suspend(() => writeEvents(correlationId, events, guards())).pipe(
      Effect.provideService(DeploymentStore, store),
      Effect.tapErrorTag("StoreError", (error) => Effect.sync(() => void (outage = error))),
      Effect.retry({
        schedule: Schedule.min([Schedule.exponential("20 millis"), Schedule.spaced("1 second")]),
        while: (error) => error._tag === "StoreError" && error.isRetryable
      }),
      Effect.catchTags({
        IllegalTransition: Effect.die,
        LeaseLost: ({ fence, key }) => Effect.fail(lostBy({ fence, key }, outage))
      })
    )
  }

  yield* Queue.takeAll(queue).pipe(
    Effect.flatMap((items) => {
      const events = items.flatMap((item) => (item._tag === "Event" ? [item.event] : []))
      const settle = Effect.forEach(
        items,
        (item) => (item._tag === "Commit" ? Deferred.succeed(item.done, undefined) : Effect.void),
        { discard: true }
      )
      return events.length === 0 ? settle : Effect.andThen(write(events), settle)
    }),
    Effect.forever,
    Effect.catchCause((cause) => Deferred.failCause(lost, cause)),
    Effect.forkScoped
  )

  return {
    correlationId,
    get request() {
      return request!
    },
    state: () => state!,
    size: () => ids.size,
    has: (id) => ids.has(id),
    startedAt: (step) => intents.get(step),
    idle: (since) => gaps.reduce((sum, { at, ms }) => (at >= since ? sum + ms : sum), 0),
    receipt: (step) => receipts.get(step),
    handle: (step) => handles.get(step) ?? { handle: null, count: 0 },
    deferred: (name) => deferreds.get(name),
    clock: (name) => clocks.get(name),
    // One synchronous block: no other fiber records between the decision and the fold.
    record: (id, given) =>
      Clock.clockWith((clock) => {
        if (ids.has(id)) return Effect.void
        const event = typeof given === "function" ? given(state!) : given
        if (event === undefined || (ofCalls.has(event._tag) && Execution.isFinished(state!))) return Effect.void
        const entry: DueEvent = { id, at: Math.floor(clock.currentTimeMillisUnsafe()), event }
        const illegal = apply(entry)
        if (illegal !== undefined) return Effect.die(illegal)
        Queue.offerUnsafe(queue, { _tag: "Event", event: entry })
        return Effect.void
      }),
    commit: Effect.gen(function* () {
      const done = yield* Deferred.make<void>()
      yield* Queue.offer(queue, { _tag: "Commit", done })
      yield* Deferred.await(done)
    }),
    lost: Deferred.await(lost)
  }
})
