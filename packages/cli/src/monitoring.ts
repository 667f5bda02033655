/**
 * Watching for `monitor`: which execution is meant, and what is told of it. Runs in the process that watches.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Monitor } from "@signalbox/core/engine"
import {
  type CorrelationId,
  DeploymentStore,
  type EnvironmentName,
  type Execution,
  type ExecutionSpec,
  type StoredEvent
} from "@signalbox/core/spi"
import { actor } from "./actor.ts"
import { exitCodeOf } from "./ExitCode.ts"
import { isFinished } from "./commands/choices.ts"
import type { Failure } from "./Failure.ts"
import type { Invocation } from "./Invocation.ts"
import { eventView } from "./json/event.ts"
import { isLogged, lineView, type Message } from "./json/monitor.ts"
import { heartbeat, transition } from "./live/transition.ts"
import { span } from "./live/words.ts"
import { isWaiting } from "./lookAt.ts"
import { manifestOf } from "./manifest.ts"
import { engine } from "./services.ts"
import * as Target from "./target.ts"

export interface Monitoring {
  readonly id: string | undefined
  readonly intervalMs: number
  readonly stallAfterMs: number
  readonly overlongAfterMs: number | undefined
  readonly logFile: string | undefined
  readonly once: boolean
  readonly follow: boolean
  readonly watcher?: Monitor.Watcher
  /** Up to where each execution was shown before. */
  readonly shown: Readonly<Record<string, number>>
  readonly tell: (message: Message) => Effect.Effect<void>
}

/** Below this nothing is said of a silence: it is how long people take to look twice. */
const briefly = 30_000

const liveOf = (isQueued: boolean, silentMs: number, state: Execution.ExecutionState): string => {
  if (isFinished(state)) return ""
  const quiet = silentMs < briefly ? "" : `; nothing new for ${span(silentMs)}`
  return isQueued ? `waits for its turn${quiet}` : `${heartbeat(state, Date.now())}${quiet}`
}

/** Watches one execution to its end, and tells and logs each event once. */
const watchOne = Effect.fnUntraced(function* (monitoring: Monitoring, id: CorrelationId) {
  const { Monitor } = yield* engine
  const { openMonitorLog } = yield* Effect.promise(() => import("./backend/monitor.ts"))
  const { logFile, overlongAfterMs, shown, tell, watcher } = monitoring
  const log =
    logFile === undefined
      ? undefined
      : yield* Effect.acquireRelease(
          Effect.sync(() => openMonitorLog(logFile)),
          (open) => Effect.sync(open.close)
        )
  const from = shown[id] ?? 0
  const troubles = new Map<string, string>()
  const onEvent = (stored: StoredEvent): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (isLogged(stored)) log?.write(lineView(stored))
      if (stored.position <= from || !isLogged(stored)) return Effect.void
      const { position, seq, stream } = stored
      return tell({ _tag: "Event", stream, position, seq, view: eventView(stored), line: transition(stored) ?? null })
    })
  const last = yield* Monitor.watch(id, {
    interval: Duration.millis(monitoring.intervalMs),
    stallAfter: Duration.millis(monitoring.stallAfterMs),
    once: monitoring.once,
    onEvent,
    onLook: (state, now) =>
      state.execution === undefined
        ? Effect.void
        : tell({
            _tag: "Live",
            stream: id,
            text: liveOf(isWaiting(state.execution), Monitor.silentFor(state, now), state.execution)
          }),
    onTrouble: ({ message, stackName }) => {
      // The same trouble again is nothing new.
      if (troubles.get(stackName) === message) return Effect.void
      troubles.set(stackName, message)
      return tell({ _tag: "Note", text: `${stackName}: its provider cannot be asked: ${message}` })
    },
    ...(overlongAfterMs === undefined ? {} : { overlongAfter: Duration.millis(overlongAfterMs) }),
    ...(watcher === undefined ? {} : { watcher: { ...watcher, heardTo: from } })
  })
  if (last.execution !== undefined && isFinished(last.execution)) yield* tell({ _tag: "Over", stream: id })
  return last.execution
})

/** What stands in the configuration, or else what the last execution worked from: where there is none, another folder's. */
const specIn = Effect.fnUntraced(function* (inv: Invocation, last: CorrelationId | undefined, name: EnvironmentName) {
  const { Configuration } = yield* engine
  const store = yield* DeploymentStore
  const configured = yield* Effect.result(
    Effect.flatMap(manifestOf(inv), (manifest) => Configuration.resolve(manifest, name))
  )
  if (configured._tag === "Success") return configured.success
  const [requested] =
    last === undefined ? [] : yield* store.events({ stream: last, tags: ["ExecutionRequested"], limit: 1 })
  return requested?.event._tag === "ExecutionRequested" ? requested.event.spec : undefined
})

/** What somebody else is doing to a deployment: observed already, or found now. */
const foreignTo = Effect.fnUntraced(function* (inv: Invocation, id: string | undefined) {
  const { Monitor } = yield* engine
  const store = yield* DeploymentStore
  const deploymentId = yield* Target.deploymentId(inv, id as never)
  const owner = yield* Target.deployment(deploymentId)
  const environment = yield* Target.environmentIn(inv, owner.environments)
  const known = yield* store.executions({ deploymentId, environment, kinds: ["observe"], finished: false })
  const state = yield* store.environment(deploymentId, environment)
  const spec: ExecutionSpec | undefined = yield* specIn(inv, state?.last, environment)
  const found =
    spec === undefined ? [] : yield* Monitor.foreign({ deploymentId, environment, spec, by: actor(inv, Option.none()) })
  return [...new Set([...known.items.map(({ correlationId }) => correlationId), ...found])]
})

/** The executions that an id means now: the one under way, or those of others that are in flight. */
const underWay = Effect.fnUntraced(function* (inv: Invocation, id: string | undefined) {
  const own = yield* Target.execution(inv, id).pipe(
    Effect.map((state) => [state.correlationId]),
    Effect.catchIf(
      (error): error is Failure => error._tag === "Failure" && error.info.code === "nothing_under_way",
      () => Effect.succeed([] as ReadonlyArray<CorrelationId>)
    )
  )
  return own.length > 0 ? own : yield* foreignTo(inv, id)
})

/** Watches what an id means until it is over; with `follow`, and then what comes next. */
export const monitor = Effect.fnUntraced(function* (inv: Invocation, monitoring: Monitoring) {
  const store = yield* DeploymentStore
  const { tell } = monitoring
  // What was begun before this process took over is brought to its end first, also where it has ended meanwhile.
  let ids: ReadonlyArray<CorrelationId> = Object.keys(
    monitoring.shown
  ) as ReadonlyArray<string> as ReadonlyArray<CorrelationId>
  let last: Execution.ExecutionState | null = null
  while (true) {
    if (ids.length === 0) ids = yield* underWay(inv, monitoring.id)
    const ended = yield* Effect.forEach(ids, (id) => Effect.scoped(watchOne(monitoring, id)), {
      concurrency: "unbounded"
    })
    for (const state of ended) {
      if (state !== undefined && (last === null || exitOf(inv, state) >= exitOf(inv, last))) last = state
    }
    const named = last !== null && last.correlationId === monitoring.id
    if (!monitoring.follow || named || monitoring.once) break
    if (last !== null) yield* tell({ _tag: "Note", text: "waits for what comes next" })
    ids = []
    last = null
    const news = store.changes.pipe(Stream.drop(1), Stream.take(1), Stream.runDrain)
    while (ids.length === 0) {
      yield* Effect.raceFirst(news, Effect.sleep(monitoring.intervalMs))
      ids = yield* underWay(inv, monitoring.id)
    }
  }
  yield* tell({ _tag: "End", exitCode: last === null ? 0 : exitOf(inv, last), execution: last })
})

const exitOf = (inv: Invocation, state: Execution.ExecutionState): number => exitCodeOf(state, inv.host.signal())
