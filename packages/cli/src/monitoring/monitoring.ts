/**
 * The watching part of `monitor`: which execution is meant, and what is reported. Runs in the watching process.
 */
import type { MonitorReport } from "@signalbox/core/api"
import { eventView } from "@signalbox/core/api/views"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Monitor } from "@signalbox/core/engine"
import {
  type CorrelationId,
  type ProviderError,
  type EnvironmentName,
  type Execution,
  type ExecutionSpec,
  type StoreError,
  type StoredEvent
} from "@signalbox/core/spi"
import { actor } from "../request/actor.ts"
import { outage } from "../waiting/away.ts"
import { exitCodeOf } from "../main/ExitCode.ts"
import { isFinished } from "../commands/choices.ts"
import type { Failure } from "../main/Failure.ts"
import type { Invocation } from "../main/Invocation.ts"
import { isLogged, lineView, type Message } from "../json/monitor.ts"
import { heartbeat, transition } from "../live/transition.ts"
import { span } from "../live/words.ts"
import { isWaiting } from "../waiting/lookAt.ts"
import { manifestOf } from "../request/manifest.ts"
import { engine, signalbox } from "../main/services.ts"
import * as Target from "../request/target.ts"

export interface Monitoring {
  readonly id: string | undefined
  readonly intervalMs: number
  readonly stallAfterMs: number
  readonly overdueAfterMs: number | undefined
  readonly logFile: string | undefined
  readonly once: boolean
  readonly follow: boolean
  readonly watcher?: Monitor.Watcher
  /** Up to where each execution was shown before. */
  readonly shown: Readonly<Record<string, number>>
  /** Starts and ends up to this position were watched before; without it, executions in progress come first. */
  readonly heardTo?: number | undefined
  readonly tell: (message: Message) => Effect.Effect<void>
}

/** A shorter silence is not reported: people look again after about this time. */
const briefly = 30_000

const liveOf = (isQueued: boolean, silentMs: number, state: Execution.ExecutionState): string => {
  if (isFinished(state)) return ""
  const quiet = silentMs < briefly ? "" : `; nothing new for ${span(silentMs)}`
  return isQueued ? `waits for its turn${quiet}` : `${heartbeat(state, Date.now())}${quiet}`
}

/** A watcher for an execution that was shown up to there. If it was never watched before, nothing was missed. */
const watcherOf = ({ watcher }: Monitoring, from: number, follow: boolean): Monitor.Watcher | undefined => {
  if (watcher === undefined || (from === 0 && !follow)) return watcher
  const { gapMs, ...rest } = watcher
  return from === 0 ? rest : { ...rest, heardTo: from, ...(gapMs === undefined ? {} : { gapMs }) }
}

/** Watches one execution to its end, and reports and logs each event once. */
const watchOne = Effect.fnUntraced(function* (
  monitoring: Monitoring,
  id: CorrelationId,
  onStore: (error: StoreError | undefined) => Effect.Effect<void>
) {
  const { monitoring: watching } = yield* signalbox
  const { openMonitorLog } = yield* Effect.promise(() => import("../backend/monitor.ts"))
  const { follow, logFile, overdueAfterMs, shown, tell } = monitoring
  const log =
    logFile === undefined
      ? undefined
      : yield* Effect.acquireRelease(
          Effect.sync(() => openMonitorLog(logFile)),
          (open) => Effect.sync(open.close)
        )
  const from = shown[id] ?? 0
  const watcher = watcherOf(monitoring, from, follow)
  const troubles = new Map<string, string>()
  const onEvent = (stored: StoredEvent): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (isLogged(stored)) log?.write(lineView(stored))
      if (stored.position <= from || !isLogged(stored)) return Effect.void
      const { position, seq, stream } = stored
      return tell({ _tag: "Event", stream, position, seq, view: eventView(stored), line: transition(stored) ?? null })
    })
  const onTrouble = ({ message, stackName }: ProviderError): Effect.Effect<void> => {
    // A repeated problem is not news.
    if (troubles.get(stackName) === message) return Effect.void
    troubles.set(stackName, message)
    return tell({ _tag: "Note", text: `${stackName}: its provider cannot be asked: ${message}` })
  }
  let last: Execution.ExecutionState | undefined
  const onReport = (report: MonitorReport): Effect.Effect<void> => {
    switch (report._tag) {
      case "Event":
        return onEvent(report.event)
      case "Look": {
        const { execution, silentMs } = report
        return tell({ _tag: "Live", stream: id, text: liveOf(isWaiting(execution), silentMs, execution) })
      }
      case "Trouble":
        return onTrouble(report.error)
      case "Outage":
        return onStore(report.error)
      case "Ended":
        last = report.execution
        return Effect.void
    }
  }
  yield* Stream.runForEach(
    watching.watch(id, {
      interval: Duration.millis(monitoring.intervalMs),
      stallAfter: Duration.millis(monitoring.stallAfterMs),
      once: monitoring.once,
      ...(overdueAfterMs === undefined ? {} : { overdueAfter: Duration.millis(overdueAfterMs) }),
      ...(watcher === undefined ? {} : { watcher })
    }),
    onReport
  )
  if (last !== undefined && isFinished(last)) yield* tell({ _tag: "Over", stream: id })
  return last
})

/** From the configuration, or else from the last execution: without a configuration, it is another folder's. */
const specIn = Effect.fnUntraced(function* (inv: Invocation, last: CorrelationId | undefined, name: EnvironmentName) {
  const { Configuration } = yield* engine
  const { executions } = yield* signalbox
  const configured = yield* Effect.result(
    Effect.flatMap(manifestOf(inv), (manifest) => Configuration.resolve(manifest, name))
  )
  if (configured._tag === "Success") return configured.success
  const [requested] = last === undefined ? [] : yield* executions.events(last, ["ExecutionRequested"])
  return requested?.event._tag === "ExecutionRequested" ? requested.event.spec : undefined
})

/** A foreign operation on a deployment: observed already, or found now. */
const foreignTo = Effect.fnUntraced(function* (inv: Invocation, id: string | undefined) {
  const { deployments, executions, monitoring } = yield* signalbox
  const deploymentId = yield* Target.deploymentId(inv, id as never)
  const owner = yield* Target.deployment(deploymentId)
  const environment = yield* Target.environmentIn(inv, owner.environments)
  const known = yield* executions.list({ deploymentId, environment, kinds: ["observe"], finished: false })
  const state = yield* deployments.environment(deploymentId, environment)
  const spec: ExecutionSpec | undefined = yield* specIn(inv, state?.last, environment)
  const found =
    spec === undefined
      ? []
      : yield* monitoring.foreign({ deploymentId, environment, spec, by: actor(inv, Option.none()) })
  return [...new Set([...known.items.map(({ correlationId }) => correlationId), ...found])]
})

/** The executions that an ID means now: the one in progress, or foreign ones. */
const inProgress = Effect.fnUntraced(function* (inv: Invocation, id: string | undefined) {
  const own = yield* Target.execution(inv, id).pipe(
    Effect.map((state) => [state.correlationId]),
    Effect.catchIf(
      (error): error is Failure => error._tag === "Failure" && error.info.code === "nothing_in_progress",
      () => Effect.succeed([] as ReadonlyArray<CorrelationId>)
    )
  )
  return own.length > 0 ? own : yield* foreignTo(inv, id)
})

const begunSince = Effect.fnUntraced(function* (inv: Invocation, id: string | undefined, after: number) {
  const { monitoring } = yield* signalbox
  const deploymentId = yield* Target.deploymentId(inv, id as never)
  const { environment } = inv.settings
  return yield* monitoring.begunSince({
    deploymentId,
    after,
    ...(environment === undefined ? {} : { environment: environment as EnvironmentName })
  })
})

/**
 * Watches what an ID means until it is over; with `follow`, also later executions, even if they ended before they
 * were seen.
 */
export const monitor = Effect.fnUntraced(function* (inv: Invocation, monitoring: Monitoring) {
  const { executions, monitoring: watching } = yield* signalbox
  const { tell } = monitoring
  const { Monitor } = yield* engine
  let away = false
  // Several monitors see it, and one reports it.
  const onStore = (error: StoreError | undefined) => {
    if (away === (error !== undefined)) return Effect.void
    away = error !== undefined
    return tell({ _tag: "Note", text: outage(error) })
  }
  const lasting: ReturnType<typeof Monitor.enduring> = monitoring.once ? identity : Monitor.enduring(onStore)
  const named =
    monitoring.id !== undefined && (yield* lasting(executions.get(monitoring.id as CorrelationId))) !== undefined
  const follow = monitoring.follow && !named && !monitoring.once
  const seen = new Set<CorrelationId>()
  let heardTo = monitoring.heardTo ?? (yield* lasting(watching.head))
  const heard = (position: number) => {
    heardTo = position
    return follow ? tell({ _tag: "Heard", position }) : Effect.void
  }
  const next = Effect.gen(function* () {
    const head = yield* watching.head
    const begun = follow ? yield* begunSince(inv, monitoring.id, heardTo) : []
    const found = new Set([...begun, ...(yield* inProgress(inv, monitoring.id))])
    const ids = [...found].filter((id) => !seen.has(id))
    if (ids.length === 0) yield* heard(head)
    return { head, ids }
  }).pipe(lasting)
  yield* heard(heardTo)
  // Watches that began before this process took over are finished first, even if the execution has ended meanwhile.
  const before = Object.keys(monitoring.shown) as ReadonlyArray<string> as ReadonlyArray<CorrelationId>
  let round = before.length > 0 ? { head: heardTo, ids: before } : yield* next
  let last: Execution.ExecutionState | null = null
  while (true) {
    const ended = yield* Effect.forEach(round.ids, (id) => Effect.scoped(watchOne(monitoring, id, onStore)), {
      concurrency: "unbounded"
    })
    for (const state of ended) {
      if (state !== undefined && (last === null || exitOf(inv, state) >= exitOf(inv, last))) last = state
    }
    if (!follow) break
    for (const id of round.ids) seen.add(id)
    yield* heard(round.head)
    if (last !== null) yield* tell({ _tag: "Note", text: "waits for what comes next" })
    last = null
    const found = yield* Stream.merge(watching.changes, Stream.tick(monitoring.intervalMs)).pipe(
      Stream.mapEffect(() => next),
      Stream.filter(({ ids }) => ids.length > 0),
      Stream.runHead
    )
    round = Option.getOrElse(found, () => round)
  }
  yield* tell({ _tag: "End", exitCode: last === null ? 0 : exitOf(inv, last), execution: last })
})

const exitOf = (inv: Invocation, state: Execution.ExecutionState): number => exitCodeOf(state, inv.host.signal())
