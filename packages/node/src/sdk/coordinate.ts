/** Coordination, for promises. */
import {
  blockerView,
  canDeployView,
  cleanupView,
  estimateView,
  leaseView,
  lockView,
  placeView,
  registeredView,
  vetoView
} from "@signalbox/core/api/views"
import { RecordedManifest, Signalbox } from "@signalbox/core/engine"
import {
  CorrelationId,
  DeploymentId,
  EnvironmentName,
  Execution,
  StackName,
  type StoreError
} from "@signalbox/core/spi"
import { endedView } from "@signalbox/core/text"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Coordination, LockOptions, VetoOptions, WaitOptions } from "./Coordination.ts"
import { shown } from "./executions.ts"
import { given, momentOf, named, originOf, spanOf, textOf } from "./input.ts"
import { deploymentOf, ensured, type Place, placeOf, placeOnRecord, recordedPlace } from "./place.ts"
import { requestOf, submitted } from "./request.ts"
import type { Session } from "./session.ts"
import { ConflictError, InterruptedError } from "./SignalboxError.ts"
import { interrupted } from "./toSignalboxError.ts"

/** Nothing is reported before this: most requests are admitted at once. */
const briefly = 300

/** Why a request will never be admitted. */
const ended = (state: Execution.ExecutionState): ConflictError => {
  const view = endedView(state)
  return new ConflictError({ ...view, hint: view.hint ?? "Submit it again with a new correlation ID." })
}

const placeKept = (error: unknown): never => {
  if (!(error instanceof InterruptedError)) throw error
  throw interrupted(error.cause, {
    message: "interrupted: the place in the queue is kept",
    hint: "Wait on with queue.waitForAdmission(correlationId), or give it back with queue.cleanup(correlationId)."
  })
}

/** Reports the state repeatedly while waiting for admission. */
const telling = Effect.fnUntraced(function* (
  id: CorrelationId,
  intervalMs: number,
  onProgress: NonNullable<WaitOptions["onProgress"]>
): Effect.fn.Return<never, StoreError, Signalbox> {
  const { coordination, executions } = yield* Signalbox
  yield* Effect.sleep(Duration.millis(Math.min(briefly, intervalMs)))
  while (true) {
    const state = yield* executions.get(id)
    if (state !== undefined) {
      const { blockers, place } = yield* coordination.waiting(state)
      const progress = {
        correlationId: id,
        ...placeView(place),
        estimate: estimateView(place.left),
        blockers: blockers.map(blockerView)
      }
      yield* Effect.ignore(Effect.try(() => onProgress(progress)))
    }
    yield* Effect.sleep(Duration.millis(intervalMs))
  }
})

/** Refuses to wait for a request behind the very command that this process is part of. */
const refuseNested = Effect.fnUntraced(function* (id: CorrelationId) {
  const { coordination, executions } = yield* Signalbox
  const state = yield* executions.get(id)
  if (state !== undefined && Execution.isQueued(state)) yield* coordination.rejectNested(state, process.env)
})

/** For one connection. */
export const coordination = (session: Session): Coordination => {
  const { box, by, run } = session

  const statusOf = (place: Place, signal: AbortSignal | undefined) =>
    box(({ coordination }) => coordination.status(place.deploymentId, place.environment), signal)

  const lineup = async (place: Place, signal: AbortSignal | undefined) => lockView(place, await statusOf(place, signal))

  /** A place whose deployment exists, or is created. */
  const placed = async (options: LockOptions) => {
    const place = await placeOnRecord(session, options)
    const told = { environment: place.environment, reason: textOf("reason", options.reason), by: by(options.by) }
    if (place.own) await ensured(session, place, told.by)
    else await deploymentOf(session, place.deploymentId, options.signal)
    return { place, told }
  }

  const vetoing = (tag: "VersionVetoed" | "VetoLifted") => async (options: VetoOptions) => {
    const environment =
      options.environment === undefined ? null : named(EnvironmentName, "environment", options.environment)
    const told = {
      environment,
      version: textOf("version", options.version),
      reason: textOf("reason", options.reason),
      by: by(options.by)
    }
    const { deploymentId } =
      environment === null && options.project === undefined
        ? { deploymentId: named(DeploymentId, "deploymentId", options.deploymentId) }
        : (await placed({ ...options, environment: environment ?? "default" })).place
    const after = await box(
      (signalbox) => signalbox.coordination.decide(deploymentId, { _tag: tag, ...told }),
      options.signal
    )
    return (after.vetoes ?? []).map(vetoView)
  }

  return {
    canDeploy: async (options) => {
      const find = options.kind !== undefined && RecordedManifest.takesBack(options.kind) ? placeOnRecord : placeOf
      const place = await find(session, options)
      const { correlationId, kind = place.bare ? "run" : "deploy", origin, override, stacks, version } = options
      const question = {
        manifest: place.manifest,
        deploymentId: place.deploymentId,
        environment: place.environment,
        kind,
        ...given(
          "correlationId",
          correlationId === undefined ? undefined : named(CorrelationId, "correlationId", correlationId)
        ),
        ...given(
          "stacks",
          stacks?.map((stack, index) => named(StackName, `stacks[${index}]`, stack))
        ),
        ...given("version", version),
        ...given("origin", origin === undefined ? undefined : originOf(origin)),
        ...given("override", override === undefined ? undefined : textOf("override", override))
      }
      return canDeployView(place, await box(({ coordination }) => coordination.canDeploy(question), options.signal))
    },

    queue: {
      register: async (options) => {
        const { kind = "run", signal } = options
        const onRecord = RecordedManifest.takesBack(kind) && options.deploymentId !== undefined
        const place = await (onRecord ? recordedPlace(session, options) : placeOf(session, options))
        const asked = { ...options, queue: options.queue ?? place.manifest.queue ?? "fifo" }
        const request = { ...(await requestOf(session, kind, place, asked)), identical: true, later: true }
        if (signal?.aborted === true) throw interrupted(signal.reason)
        await box(({ coordination }) => coordination.rejectNested(place, process.env), undefined)
        await ensured(session, place, request.by)
        const { execution: state, joined } = await submitted(session, request)
        return registeredView(state, await box(({ coordination }) => coordination.place(state), undefined), joined)
      },
      waitForAdmission: async (correlationId, { holdMs = 120_000, intervalMs = 10_000, onProgress, signal } = {}) => {
        const id = named(CorrelationId, "correlationId", correlationId)
        const hold = Duration.millis(spanOf("holdMs", holdMs))
        const interval = Math.max(1, spanOf("intervalMs", intervalMs))
        const turn = Effect.andThen(
          refuseNested(id),
          Effect.flatMap(Signalbox, (signalbox) => signalbox.coordination.waitForAdmission(id, { hold }))
        )
        const state = await run(
          onProgress === undefined ? turn : Effect.raceFirst(turn, telling(id, interval, onProgress)),
          signal
        ).catch(placeKept)
        if (Execution.isFinished(state) && state.status !== "completed") throw ended(state)
        return shown(state)
      },
      cleanup: async (correlationId, { by: one, reason, signal, status = "cancelled" } = {}) => {
        const id = named(CorrelationId, "correlationId", correlationId)
        const cleaned = await box(
          ({ coordination }) => coordination.cleanup(id, { status, by: by(one), ...given("reason", reason) }),
          signal
        )
        return cleanupView(cleaned)
      },
      list: async (options) => {
        const place = await placeOnRecord(session, options)
        if (!place.own) await deploymentOf(session, place.deploymentId, options.signal)
        return (await lineup(place, options.signal)).queue
      }
    },
    veto: vetoing("VersionVetoed"),
    liftVeto: vetoing("VetoLifted"),

    locks: {
      show: async (options) => {
        const place = await placeOnRecord(session, options)
        if (!place.own) await deploymentOf(session, place.deploymentId, options.signal)
        return lineup(place, options.signal)
      },
      hold: async (options) => {
        const until = options.until === undefined ? undefined : momentOf("until", options.until)
        const { place, told } = await placed(options)
        await box(
          (signalbox) =>
            signalbox.coordination.decide(place.deploymentId, {
              _tag: "EnvironmentLocked",
              ...told,
              ...given("until", until),
              ...given("force", options.force)
            }),
          options.signal
        )
        return lineup(place, options.signal)
      },
      release: async (options) => {
        const { place, told } = await placed(options)
        await box(
          (signalbox) => signalbox.coordination.decide(place.deploymentId, { _tag: "EnvironmentUnlocked", ...told }),
          options.signal
        )
        return lineup(place, options.signal)
      },
      revoke: async (options) => {
        const { place, told } = await placed(options)
        await box(({ coordination }) => coordination.rejectNested(place, process.env), undefined)
        const { isDead } = await statusOf(place, options.signal)
        const revoked = await box(
          (signalbox) => signalbox.coordination.revokeLease(place.deploymentId, told),
          options.signal
        )
        return leaseView({ lease: revoked, isDead })
      }
    }
  }
}
