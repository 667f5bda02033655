import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { Estimate } from "../../analysis/Estimate.ts"
import type { Calibration } from "../../analysis/EstimateCalibration.ts"
import type * as Replay from "../../analysis/Replay.ts"
import type { PlannedStack } from "../../api/Plan.ts"
import { type Rejected, unknownExecution } from "../../api/Rejected.ts"
import type { CommandRequest, Request } from "../../api/Request.ts"
import type { Submission } from "../../api/Submission.ts"
import { inLines, ofRequest } from "../../api/TextCheck.ts"
import type { EventTag, StoredEvent } from "../../domain/Event.ts"
import type { ExecutionState } from "../../domain/Execution.ts"
import type { CorrelationId, DeploymentId, EnvironmentName } from "../../domain/Ids.ts"
import type { ErrorInfo } from "../../domain/errors/index.ts"
import { DeploymentStore, type ExecutionQuery, type Page } from "../../spi/DeploymentStore.ts"
import type { Lease, LeaseHeld, LeaseLost, LeaseStore } from "../../spi/LeaseStore.ts"
import type { ProviderError } from "../../spi/ProviderError.ts"
import type { Providers } from "../../spi/Providers.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { Admission, check, leave, submit } from "../admission/index.ts"
import { Reconciliation } from "../command/index.ts"
import { Estimation, HistoryReplay } from "../estimation/index.ts"
import { type CommandExecution, OperatorCommands, Runner } from "../execution/index.ts"
import { lastingChanges } from "../log/index.ts"
import type { StackName } from "../../domain/Ids.ts"
import type { Checkpoint } from "../../domain/Release.ts"
import { Preview, restorable } from "../preview/index.ts"
import { Restorable } from "../restoration/index.ts"
import { calledFrom, linkCaller, Telemetry } from "../../telemetry/index.ts"
import { spansOf, TraceKeeper, type TraceSpan } from "../trace/index.ts"

/** Executions: planned, submitted, run, commanded, followed, read and replayed. */
export class Executions extends Context.Service<
  Executions,
  {
    /** The plan of `submit` and `run`. Writes nothing. */
    readonly plan: (
      request: Request
    ) => Effect.Effect<ReadonlyArray<PlannedStack>, Rejected | ProviderError | StoreError>
    /**
     * Fails if `submit` would reject the request because its providers know that it cannot succeed, or because there is
     * nothing to roll back. Writes nothing.
     */
    readonly preflight: (request: Request) => Effect.Effect<void, Rejected | StoreError>
    /**
     * Records the request, or joins the existing execution with this correlation id. A rollback and a destruction use
     * the recorded configuration; the manifest is only for stacks that were never deployed.
     */
    readonly submit: (request: Request) => Effect.Effect<Submission, Rejected | StoreError>
    /**
     * Carries the execution to its end and returns its last state: from the start, from where a dead runner left it, or
     * by following a live runner. Interrupting it persists the state (`paused`) and returns the leases. A `run` needs
     * its `command`, the only argument of the facade that is not data; `shown` is its form in the log if the request
     * did not have one.
     */
    readonly run: (
      id: CorrelationId,
      command?: CommandExecution,
      shown?: string
    ) => Effect.Effect<ExecutionState, Rejected | LeaseHeld | LeaseLost | StoreError>
    /** Withdraws a queued request; returns whether it did. */
    readonly withdraw: (id: CorrelationId, why: ErrorInfo) => Effect.Effect<boolean, StoreError>
    /** Withdraws a request that is still queued after `patience`; ends when that is over. */
    readonly withdrawAfter: (id: CorrelationId, patience: Duration.Input) => Effect.Effect<void>
    /** Abandons a request that will not be executed here: withdraws it, or returns its lease. */
    readonly leave: (id: CorrelationId, why: ErrorInfo) => Effect.Effect<void, StoreError>
    /** Issues a command to a running (or paused) execution, from any process. */
    readonly command: (id: CorrelationId, options: CommandRequest) => Effect.Effect<void, Rejected | StoreError>
    readonly get: (id: CorrelationId) => Effect.Effect<ExecutionState | undefined, StoreError>
    /** One page of executions, the latest first. */
    readonly list: (query: ExecutionQuery) => Effect.Effect<Page<ExecutionState>, StoreError>
    /**
     * The executions among these that one can go back to, by the record. With `ask`, the providers are asked too, for at
     * most 2 seconds: what is gone there is left out.
     */
    readonly restorable: (
      executions: ReadonlyArray<ExecutionState>,
      options?: { readonly ask?: boolean }
    ) => Effect.Effect<ReadonlySet<CorrelationId>, StoreError>
    /** What a rollback with `to` restores in each stack; undefined without it. */
    readonly restored: (
      request: Pick<Request, "deploymentId" | "environment" | "stacks" | "to">
    ) => Effect.Effect<ReadonlyMap<StackName, Checkpoint> | undefined, Rejected | StoreError>
    /** All events of an execution, or only events with some tags, oldest first. */
    readonly events: (
      id: CorrelationId,
      tags?: ReadonlyArray<EventTag>
    ) => Effect.Effect<ReadonlyArray<StoredEvent>, StoreError>
    /** The events of an execution from `after` (a sequence number, default 0) until it has finished, live. */
    readonly follow: (id: CorrelationId, after?: number) => Stream.Stream<StoredEvent, Rejected | StoreError>
    /**
     * Pulses whenever something may have happened to an execution, including after an outage. An extra pulse is
     * harmless.
     */
    readonly changes: (id: CorrelationId) => Stream.Stream<void>
    /** The live claim of the execution's runner, if there is one. */
    readonly runner: (id: CorrelationId) => Effect.Effect<Lease | undefined, StoreError>
    /** How long it will still take, without the time in which it waits for people; undefined once it has finished. */
    readonly estimate: (id: CorrelationId) => Effect.Effect<Estimate | undefined, StoreError>
    /** Measures on history how reliable estimates are. */
    readonly calibrate: (query: {
      readonly deploymentId?: DeploymentId
      readonly environment?: EnvironmentName
      readonly limit?: number
    }) => Effect.Effect<Calibration, StoreError>
    /** Judges a past execution again, by its own measurements. */
    readonly replay: (
      id: CorrelationId,
      change?: Replay.Change
    ) => Effect.Effect<Replay.Replayed, Rejected | StoreError>
    /** The spans of its trace, the root first; open ones end at `now`. */
    readonly trace: (id: CorrelationId, now: number) => Effect.Effect<ReadonlyArray<TraceSpan>, Rejected | StoreError>
    /** Records a command that ran while the store was unavailable; returns whether it was new. */
    readonly reconcile: (done: Reconciliation.DegradedRecord) => Effect.Effect<boolean, StoreError>
  }
>()("@signalbox/core/engine/facade/Executions") {
  /** This process runs the executions. */
  static readonly layer: Layer.Layer<Executions, never, DeploymentStore | LeaseStore | Providers> = Layer.effect(
    Executions,
    Effect.gen(function* () {
      const context = yield* Effect.context<DeploymentStore | LeaseStore | Providers>()
      const store = yield* DeploymentStore
      const traces = yield* TraceKeeper
      const provided = <A, E>(effect: Effect.Effect<A, E, DeploymentStore | LeaseStore | Providers>) =>
        Effect.provideContext(effect, context)
      // The context of this layer replaces the caller's span.
      const called = calledFrom(yield* Telemetry)
      const events = (id: CorrelationId, tags?: ReadonlyArray<EventTag>) =>
        provided(HistoryReplay.readAll(id, tags === undefined ? {} : { tags }))
      return Executions.of({
        plan: (request) => Effect.andThen(inLines(ofRequest(request)), provided(Preview.plan(request))),
        preflight: (request) => Effect.andThen(inLines(ofRequest(request)), provided(check(request))),
        submit: (request) =>
          called(
            Effect.andThen(
              inLines(ofRequest(request)),
              provided(Effect.tap(submit(request), linkCaller(request.correlationId)))
            )
          ),
        run: (id, command, shown) =>
          called(Effect.ensuring(provided(Runner.run(id, command, shown)), traces.finished(id))),
        withdraw: (id, why) => provided(Admission.withdraw(id, why)),
        withdrawAfter: (id, patience) => provided(Admission.withdrawAfter(id, patience)),
        leave: (id, why) => provided(leave(id, why)),
        command: (id, options) =>
          called(
            Effect.andThen(
              inLines({ by: options.by, reason: options.reason }),
              provided(Effect.tap(OperatorCommands.command(id, options), linkCaller(id)))
            )
          ),
        get: (id) => store.execution(id),
        list: (query) => store.executions(query),
        restorable: (executions, options) => provided(restorable(executions, options)),
        restored: (request) => provided(Restorable.restored(request)),
        events,
        follow: (id, after) => Stream.provideContext(OperatorCommands.follow(id, after), context),
        changes: () => lastingChanges(store),
        runner: (id) => provided(OperatorCommands.runner(id)),
        estimate: (id) =>
          Effect.flatMap(store.execution(id), (state) =>
            state === undefined ? Effect.undefined : provided(Estimation.estimate(state))
          ),
        calibrate: (query) => provided(Estimation.calibrate(query)),
        replay: (id, change) => provided(HistoryReplay.replay(id, change)),
        trace: Effect.fnUntraced(function* (id, now) {
          const state = yield* store.execution(id)
          if (state === undefined) return yield* unknownExecution(id)
          const deployment = yield* store.deployment(state.deploymentId)
          return spansOf(yield* events(id), { project: deployment?.project ?? state.deploymentId, now })
        }),
        reconcile: (done) => provided(Reconciliation.reconcile(done))
      })
    })
  ).pipe(Layer.provide(TraceKeeper.layer))
}
