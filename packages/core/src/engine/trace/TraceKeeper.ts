/**
 * Ensures that the trace of every execution gets its root: once, and even if the runner that ended it died right after,
 * or there was no collector.
 */
import * as Duration from "effect/Duration"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as EventId from "../../domain/EventId.ts"
import type { StoredEvent } from "../../domain/Event.ts"
import { type ExecutionState, isFinished } from "../../domain/Execution.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import { LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { LinkKind, rooted, Telemetry } from "../../telemetry/index.ts"
import { RunnerIdentity } from "../lease/index.ts"
import { traceLeaseKey } from "../../spi/LeaseKey.ts"
import { ExecutionLog } from "../log/index.ts"
import { linkTo, spansOf, type TraceLink } from "./Trace.ts"

type Stores = DeploymentStore | LeaseStore

/** How long the end of a program waits for unsent data. */
const patience = Duration.millis(1_200)
/** How many of the latest executions are checked for an unsent root. */
const recent = 10

const markers = ["ExecutionRequested", "RunnerClaimed", "CommandIssued", "TraceExported"] as const

/** Whether live spans were sent below a root that was not. */
const owed = (events: ReadonlyArray<StoredEvent>): boolean =>
  !events.some(({ event }) => event._tag === "TraceExported") &&
  events.some(({ event }) => "trace" in event && event.trace !== undefined)

const isOwed = (id: CorrelationId) =>
  Effect.flatMap(DeploymentStore, (store) => Effect.map(store.events({ stream: id, tags: markers }), owed))

/** Earlier executions that this one retries or reverts. */
const linksOf = Effect.fnUntraced(function* (
  state: ExecutionState
): Effect.fn.Return<ReadonlyArray<TraceLink>, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const { correlationId, deploymentId, environment, kind, requestedAt } = state
  const earlier = { deploymentId, environment, finished: true, until: requestedAt, limit: 2 }
  if (kind === "rollback") {
    const { items } = yield* store.executions({
      ...earlier,
      kinds: ["deploy", "deploy-stack"],
      statuses: ["completed"],
      limit: 1
    })
    return items.map((before) => linkTo(before.correlationId, LinkKind.rollbackOf))
  }
  const { items } = yield* store.executions({ ...earlier, kinds: [kind] })
  const before = items.find((one) => one.correlationId !== correlationId)
  return before === undefined || before.status === "completed" || before.version !== state.version
    ? []
    : [linkTo(before.correlationId, LinkKind.retryOf)]
})

const allEvents = Effect.fnUntraced(function* (
  stream: string
): Effect.fn.Return<ReadonlyArray<StoredEvent>, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const all: Array<StoredEvent> = []
  while (true) {
    const page = yield* store.events({ stream, after: all.at(-1)?.position ?? 0, limit: 10_000 })
    all.push(...page)
    if (page.length < 10_000) return all
  }
})

/**
 * Sends the spans from the log, under a lease so that only one process does, and records that they arrived. Fails if no
 * collector accepted them.
 */
const send = Effect.fnUntraced(function* (id: CorrelationId) {
  const telemetry = yield* rooted(id)
  if (telemetry === undefined || !(yield* isOwed(id))) return
  const leases = yield* LeaseStore
  const { isDead, owner } = yield* RunnerIdentity
  const holder = `${owner}/${yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)}`
  const wanted = { key: traceLeaseKey(id), holder, owner, ttl: Duration.seconds(10) }
  yield* Effect.acquireUseRelease(
    Effect.catchTag(leases.acquire(wanted), "LeaseHeld", (held) =>
      isDead(held.lease.owner) ? leases.acquire({ ...wanted, evict: held.lease.fence }) : Effect.fail(held)
    ),
    () =>
      Effect.gen(function* () {
        const store = yield* DeploymentStore
        const state = yield* store.execution(id)
        if (state === undefined || !isFinished(state) || !(yield* isOwed(id))) return
        const deployment = yield* store.deployment(state.deploymentId)
        const now = yield* Clock.currentTimeMillis
        const spans = spansOf(yield* allEvents(id), {
          project: deployment?.project ?? state.deploymentId,
          now,
          links: yield* linksOf(state)
        })
        if (!(yield* telemetry.send(spans))) return yield* Effect.fail("refused" as const)
        yield* ExecutionLog.write(id, [
          { id: EventId.traceExported, at: now, event: { _tag: "TraceExported", spans: spans.length } }
        ])
      }),
    (lease) => Effect.ignore(leases.release(lease))
  )
})

/** A telemetry failure does not affect the deployment. */
const quietly = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> =>
  Effect.asVoid(Effect.catchCause(effect, (cause) => Effect.logDebug("a trace was not exported", cause)))

/** Sends what earlier processes could not. If a collector refuses one, the next is not tried. */
const sweep = Effect.gen(function* () {
  const store = yield* DeploymentStore
  const { items } = yield* store.executions({ finished: true, limit: recent })
  // Another process is sending one of them: the others are still ours to send.
  yield* Effect.forEach(
    items,
    ({ correlationId }) => Effect.catchTag(send(correlationId), "LeaseHeld", () => Effect.void),
    {
      discard: true
    }
  )
})

interface Keeper {
  /** Sends the trace of an execution that may have finished, without making the caller wait. */
  readonly finished: (id: CorrelationId) => Effect.Effect<void>
}

const off: Keeper = { finished: () => Effect.void }

const make: Effect.Effect<Keeper, never, Stores | Scope.Scope> = Effect.gen(function* () {
  const telemetry = yield* Telemetry
  if (telemetry === undefined || telemetry.detached === true) return off
  const context = yield* Effect.context<Stores>()
  const provided = <A, E>(effect: Effect.Effect<A, E, Stores>) => Effect.provideContext(quietly(effect), context)
  const sending = new Set<Fiber.Fiber<void>>()
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => Fiber.awaitAll([...sending])).pipe(
      Effect.andThen(provided(sweep)),
      Effect.timeoutOption(patience),
      Effect.interruptible,
      Effect.andThen(Effect.suspend(() => Fiber.interruptAll([...sending])))
    )
  )
  return {
    finished: (id) =>
      Effect.map(Effect.forkDetach(provided(send(id))), (fiber) => {
        sending.add(fiber)
        fiber.addObserver(() => sending.delete(fiber))
      })
  }
})

/** Sends traces. If telemetry is off, it does nothing; otherwise the end of its scope waits for it, briefly. */
export class TraceKeeper extends Context.Service<TraceKeeper, Keeper>()("@signalbox/core/engine/trace/TraceKeeper") {
  static readonly layer: Layer.Layer<TraceKeeper, never, Stores> = Layer.effect(TraceKeeper, make)
}
