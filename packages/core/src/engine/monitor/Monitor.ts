/**
 * Watches executions: each alert is raised once, however many monitors there are and however often they are killed.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as EventId from "../../domain/EventId.ts"
import type { StoredEvent } from "../../domain/Event.ts"
import { type ExecutionState, isFinished, isQueued } from "../../domain/Execution.ts"
import type { CorrelationId, Timestamp } from "../../domain/Ids.ts"
import { steadyTime } from "../../internal/steadyTime.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { Observation } from "../../spi/Provider.ts"
import type { ProviderError } from "../../spi/ProviderError.ts"
import type { Providers } from "../../spi/Providers.ts"
import { StoreError } from "../../spi/StoreError.ts"
import { type DueAlert, type DueEvent, ExecutionLog, type Journal, lastingChanges, requestOf } from "../log/index.ts"
import { endOfObserved } from "./ForeignDeployments.ts"
import { thresholdsFor } from "./AlertThresholds.ts"
import { type ProgressSource, pollProgress, progressSources } from "./ProviderProgress.ts"
import * as State from "./MonitorState.ts"
import * as StallDetection from "./StallDetection.ts"

export { foreign, observedId, type ForeignPlace } from "./ForeignDeployments.ts"
export { isForeignEvent, type MonitorState, silentFor, underWay } from "./MonitorState.ts"

/**
 * A watcher: a process of a monitor that is restarted when it dies.
 *
 * *Details*: `run` is the same for all its processes, `restarts` counts them from 0. `gapMs` is how long there was no
 * watcher before this one, `heardTo` the position that the previous one had reached.
 */
export interface Watcher {
  readonly monitor: string
  readonly run: string
  readonly restarts: number
  readonly gapMs?: number
  readonly heardTo?: number
}

/**
 * How to watch.
 *
 * *Details*: providers are asked every `interval` (default 30 seconds); it is a stall after `stallAfter` without an
 * event (10 minutes), or if a stage lasts longer than 95 % of its predecessors; it is overdue after `overdueAfter`, or
 * if it lasts longer than 95 % of earlier executions of its kind. With `once` it looks once. `onEvent` runs for each
 * event of the log, `onLook` after each look, `onTrouble` if a provider does not answer, `onStore` once if the store is
 * unavailable, and once without an error when it is back.
 */
export interface MonitorOptions {
  readonly interval?: Duration.Duration
  readonly stallAfter?: Duration.Duration
  readonly overdueAfter?: Duration.Duration
  readonly watcher?: Watcher
  readonly once?: boolean
  readonly onEvent?: (event: StoredEvent, state: State.MonitorState) => Effect.Effect<void>
  readonly onLook?: (state: State.MonitorState, now: number) => Effect.Effect<void>
  readonly onTrouble?: (error: ProviderError) => Effect.Effect<void>
  readonly onStore?: (error: StoreError | undefined) => Effect.Effect<void>
}

const defaults = { interval: Duration.seconds(30), stallAfter: Duration.minutes(10) }

/**
 * Retries an operation on an unavailable store every second, until it is back. `told` is called once when it is
 * unavailable, and once without an error when it is back.
 */
export const enduring = (
  told: NonNullable<MonitorOptions["onStore"]> = () => Effect.void
): (<A, E, R>(effect: Effect.Effect<A, E | StoreError, R>) => Effect.Effect<A, E | StoreError, R>) => {
  let away = false
  const isAway = (error: unknown): error is StoreError => error instanceof StoreError && error.isRetryable
  const tell = (error: StoreError | undefined) =>
    Effect.suspend(() => {
      if (away === (error !== undefined)) return Effect.void
      away = !away
      return told(error)
    })
  return (effect) =>
    effect.pipe(
      Effect.tapError((error) => (isAway(error) ? tell(error) : Effect.void)),
      Effect.retry({ schedule: Schedule.spaced("1 second"), while: isAway }),
      Effect.tap(() => tell(undefined))
    )
}

/** Reads new log entries, and folds them. */
const reader = Effect.fnUntraced(function* (
  id: CorrelationId,
  onEvent: NonNullable<MonitorOptions["onEvent"]> = () => Effect.void
) {
  const store = yield* DeploymentStore
  const time = yield* steadyTime(yield* Clock.currentTimeMillis)
  let state = State.initial
  let lookedAt = 0
  const read = Effect.gen(function* () {
    const now = yield* time
    while (true) {
      const events = yield* store.events({ stream: id, after: state.position, limit: 1_000 })
      for (const event of events) {
        // It happened since the last look, whatever the writer's clock says.
        state = State.observeEvent(state, event, Math.max(lookedAt, Math.min(event.at, now)))
        yield* onEvent(event, state)
      }
      if (events.length < 1_000) break
    }
    lookedAt = now
    return now
  })
  return { read, state: () => state, time }
})

/** Writes events that may exist already. Events that the execution's state does not allow (any more) are dropped. */
const write = (
  id: CorrelationId,
  events: ReadonlyArray<DueEvent>
): Effect.Effect<boolean, StoreError, DeploymentStore> =>
  events.length === 0
    ? Effect.succeed(false)
    : ExecutionLog.write(id, events).pipe(
        Effect.map((written) => written.length > 0),
        Effect.catchTag(["IllegalTransition", "LeaseLost"], () => Effect.succeed(false))
      )

const stamped = (events: ReadonlyArray<DueAlert>): Effect.Effect<ReadonlyArray<DueEvent>> =>
  Effect.map(Clock.currentTimeMillis, (at) => events.map((event) => ({ ...event, at })))

/** What a monitor process records about itself, and about the time without a watcher. */
const took = (watcher: Watcher, at: Timestamp, telling: boolean): ReadonlyArray<DueEvent> => {
  const { monitor, restarts, run } = watcher
  const gap = watcher.gapMs === undefined ? undefined : Math.round(watcher.gapMs)
  return [
    {
      id: EventId.monitor(run, restarts),
      at,
      event: { _tag: "MonitorClaimed", monitor, restarts, ...(gap === undefined ? {} : { gapMs: gap }) }
    },
    ...(telling
      ? [
          {
            id: EventId.monitoringGap(run, restarts),
            at,
            event: { _tag: "AlertRaised", kind: "monitoring_gap", elapsedMs: gap ?? 0 }
          } as const
        ]
      : [])
  ]
}

const limitsOf = ({ overdueAfter, stallAfter = defaults.stallAfter }: MonitorOptions): StallDetection.AlertLimits => ({
  stallAfterMs: Duration.toMillis(stallAfter),
  ...(overdueAfter === undefined ? {} : { overdueAfterMs: Duration.toMillis(overdueAfter) })
})

/**
 * Watches an execution until it has ended and that was reported; returns its knowledge at that time. Carries on
 * nothing.
 *
 * *Details*: the log is its memory. An alert is an event whose id follows from its subject, so several
 * monitors, or one that is killed and restarted, raise it once. Output follows the log, not the alert: `onEvent`
 * gets every event from the first on, and knows by its position whether it was shown.
 *
 * *Errors*: `StoreError`; a retryable one only with `once`: otherwise it waits.
 */
export const watch = Effect.fnUntraced(function* (
  id: CorrelationId,
  options: MonitorOptions = {}
): Effect.fn.Return<State.MonitorState, StoreError, DeploymentStore | Providers | Scope.Scope> {
  const store = yield* DeploymentStore
  const interval = options.interval ?? defaults.interval
  const { watcher } = options
  const { heardTo = Number.POSITIVE_INFINITY } = watcher ?? {}
  let missed = false
  const log = yield* reader(id, (event, state) => {
    missed ||= event.position > heardTo && State.isForeignEvent(event)
    return options.onEvent?.(event, state) ?? Effect.void
  })
  const waits = options.once !== true
  const lasting = waits ? enduring(options.onStore) : identity
  yield* lasting(log.read)
  const first = log.state().execution
  if (first === undefined) return log.state()
  if (watcher !== undefined && !State.isOver(log.state())) {
    const long = watcher.gapMs !== undefined && watcher.gapMs > Duration.toMillis(interval)
    const events = took(watcher, yield* Clock.currentTimeMillis, watcher.restarts > 0 && (long || missed))
    yield* lasting(write(id, events))
  }
  const limits = { ...(yield* lasting(thresholdsFor(first))), ...limitsOf(options) }
  const look: Effect.Effect<void, StoreError, DeploymentStore> = Effect.gen(function* () {
    const now = yield* log.read
    const found = StallDetection.dueAlerts(log.state(), now, limits)
    if (yield* write(id, yield* stamped(found))) return yield* look
    yield* options.onLook?.(log.state(), now) ?? Effect.void
  })
  const asking = yield* lasting(poller(id, log.state, options.onTrouble))
  // A loop that finds nothing to write does not learn that the store is back.
  const poll = waits ? enduring()(asking) : asking
  if (!waits) {
    yield* poll
    yield* look
    return log.state()
  }
  const looking = Stream.merge(lastingChanges(store), Stream.tick("1 second")).pipe(
    Stream.mapEffect(() => lasting(look)),
    Stream.takeUntil(() => State.isOver(log.state())),
    Stream.runDrain
  )
  const polling = poll.pipe(Effect.andThen(Effect.sleep(interval)), Effect.forever)
  yield* Effect.raceFirst(looking, polling)
  return log.state()
})

/** Asks the providers once, and writes what is new. A missing answer holds up nothing. */
const poller = Effect.fnUntraced(function* (
  id: CorrelationId,
  state: () => State.MonitorState,
  onTrouble: NonNullable<MonitorOptions["onTrouble"]> = () => Effect.void,
  which: (asked: ProgressSource) => boolean = () => true
) {
  const request = yield* requestOf(id)
  const before = new Map<string, Observation>()
  return Effect.gen(function* () {
    const { execution } = state()
    if (request === undefined || execution === undefined || isFinished(execution) || isQueued(execution)) return
    const all = (yield* progressSources(request, execution)).filter(which)
    yield* Effect.forEach(
      all,
      (asked) =>
        pollProgress(asked, state(), before).pipe(
          Effect.flatMap((events) => write(id, events)),
          Effect.andThen(
            execution.kind === "observe" ? conclude(execution, asked, before.get(asked.ref.stack)) : Effect.void
          ),
          Effect.catchTag("ProviderError", onTrouble)
        ),
      { concurrency: request.spec.parallelism, discard: true }
    )
  })
})

/** Ends an observed execution whose operation is over. */
const conclude = Effect.fnUntraced(function* (
  execution: ExecutionState,
  { provider, ref }: ProgressSource,
  seen: Observation | undefined
) {
  const observed = seen ?? (yield* provider.observe(ref))
  const at = yield* Clock.currentTimeMillis
  yield* write(execution.correlationId, endOfObserved(execution, ref.stack, observed, at))
})

/**
 * Watches the execution that this process runs, until its scope closes. The journal reports its end.
 *
 * *Details*: it looks every 30 seconds, not before the first are over. It asks only providers that report their own
 * events, or all of them while a foreign command runs: steps report their own work. An unavailable store is retried at
 * the next look.
 */
export const attend = Effect.fnUntraced(function* (
  journal: Journal
): Effect.fn.Return<void, never, DeploymentStore | Providers | Scope.Scope> {
  const id = journal.correlationId
  const watching = Effect.gen(function* () {
    const log = yield* reader(id)
    const foreign = journal.request.kind === "run"
    const poll = yield* poller(id, log.state, undefined, ({ provider }) => foreign || provider.events !== undefined)
    const unusual = yield* thresholdsFor(journal.state())
    const look = Effect.gen(function* () {
      const now = yield* log.read
      for (const { event, id } of StallDetection.dueAlerts(log.state(), now, { ...unusual, ...limitsOf({}) })) {
        yield* journal.record(id, event)
      }
      yield* poll
    })
    return yield* Effect.ignore(look).pipe(Effect.andThen(Effect.sleep(defaults.interval)), Effect.forever)
  })
  yield* Effect.sleep(defaults.interval).pipe(
    Effect.andThen(watching),
    Effect.ignore,
    Effect.forever,
    Effect.forkScoped
  )
})
