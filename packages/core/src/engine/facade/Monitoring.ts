import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { MonitorReport } from "../../api/MonitorReport.ts"
import { isQueued } from "../../domain/Execution.ts"
import type { CorrelationId, DeploymentId, EnvironmentName } from "../../domain/Ids.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { Providers } from "../../spi/Providers.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { lastingChanges } from "../log/index.ts"
import { Monitor } from "../monitor/index.ts"

/** What to watch, and how; see `Monitor.MonitorOptions`. */
export interface WatchOptions {
  readonly interval?: Duration.Duration
  readonly stallAfter?: Duration.Duration
  readonly overdueAfter?: Duration.Duration
  readonly watcher?: Monitor.Watcher
  readonly once?: boolean
}

/** Watches executions, including those started outside Signalbox. */
export class Monitoring extends Context.Service<
  Monitoring,
  {
    /** Watches an execution until it has ended. Carries on nothing; records each alert once, however many watch. */
    readonly watch: (id: CorrelationId, options?: WatchOptions) => Stream.Stream<MonitorReport, StoreError>
    /** Records foreign operations, each as an execution, and returns the ids. */
    readonly foreign: (place: Monitor.ForeignPlace) => Effect.Effect<ReadonlyArray<CorrelationId>, StoreError>
    /** The position of the newest event of the store, 0 if there is none. */
    readonly head: Effect.Effect<number, StoreError>
    /** The executions that began or ended after a position, without queued ones. */
    readonly begunSince: (query: {
      readonly deploymentId: DeploymentId
      readonly environment?: EnvironmentName
      readonly after: number
    }) => Effect.Effect<ReadonlyArray<CorrelationId>, StoreError>
    /** Pulses whenever something was recorded, including after an outage. An extra pulse is harmless. */
    readonly changes: Stream.Stream<void>
  }
>()("@signalbox/core/engine/facade/Monitoring") {
  /** Watches the store of this process, and asks its providers. */
  static readonly layer: Layer.Layer<Monitoring, never, DeploymentStore | Providers> = Layer.effect(
    Monitoring,
    Effect.gen(function* () {
      const context = yield* Effect.context<DeploymentStore | Providers>()
      const store = yield* DeploymentStore
      return Monitoring.of({
        watch: (id, options = {}) => Stream.provideContext(reports(id, options), context),
        foreign: (place) => Effect.provideContext(Monitor.foreign(place), context),
        head: store.head,
        begunSince: (query) => begunSince(store, query),
        changes: lastingChanges(store)
      })
    })
  )
}

const reports = (id: CorrelationId, options: WatchOptions) =>
  Stream.callback<MonitorReport, StoreError, DeploymentStore | Providers>(
    (queue) => {
      const report = (one: MonitorReport) => Effect.asVoid(Queue.offer(queue, one))
      return Effect.scoped(
        Monitor.watch(id, {
          ...options,
          onEvent: (event) => report({ _tag: "Event", event }),
          onLook: (state, now) =>
            state.execution === undefined
              ? Effect.void
              : report({ _tag: "Look", execution: state.execution, silentMs: Monitor.silentFor(state, now) }),
          onTrouble: (error) => report({ _tag: "Trouble", error }),
          onStore: (error) => report({ _tag: "Outage", error })
        })
      ).pipe(
        Effect.flatMap(({ execution }) => report({ _tag: "Ended", execution })),
        Effect.matchCauseEffect({
          onFailure: (cause) => Queue.failCause(queue, cause),
          onSuccess: () => Queue.end(queue)
        })
      )
    },
    // An event is recorded before the next look.
    { bufferSize: 1, strategy: "suspend" }
  )

const begunSince = Effect.fnUntraced(function* (
  store: DeploymentStore["Service"],
  {
    after,
    ...place
  }: { readonly deploymentId: DeploymentId; readonly environment?: EnvironmentName; readonly after: number }
) {
  const found = new Set<string>()
  for (let from = after; ;) {
    const events = yield* store.events({
      ...place,
      tags: ["ExecutionRequested", "ExecutionAdmitted", "ExecutionTransitioned"],
      after: from,
      limit: 1_000
    })
    for (const { stream } of events) found.add(stream)
    if (events.length < 1_000) break
    from = events.at(-1)!.position
  }
  const states = yield* Effect.forEach(found, (one) => store.execution(one as CorrelationId))
  return states.flatMap((state) => (state === undefined || isQueued(state) ? [] : [state.correlationId]))
})
