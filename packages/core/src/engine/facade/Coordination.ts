import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Blocker, CanDeployAnswer } from "../../api/CanDeployAnswer.ts"
import type { CleanupResult, QueuePlace, QueueStatus as Status } from "../../api/QueueStatus.ts"
import type { Rejected } from "../../api/Rejected.ts"
import type { CanDeployRequest } from "../../api/Request.ts"
import { inLines } from "../../api/TextCheck.ts"
import type { Deployment } from "../../domain/Environment.ts"
import type { ExecutionState } from "../../domain/Execution.ts"
import type { CorrelationId, DeploymentId, EnvironmentName } from "../../domain/Ids.ts"
import type { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { Lease, LeaseStore } from "../../spi/LeaseStore.ts"
import { Providers } from "../../spi/Providers.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { cleanup, type PolicyDecision, PolicyDecisions, type ReportedOutcome, Sweep } from "../admission/index.ts"
import { Runner } from "../execution/index.ts"
import { CanDeploy, QueueStatus } from "../preview/index.ts"
import { TraceKeeper } from "../trace/index.ts"

/** One deployment at a time: blockers, the queue, and people's decisions. */
export class Coordination extends Context.Service<
  Coordination,
  {
    /** Whether something may be deployed now, and everything that blocks it; says so if the store is unavailable. */
    readonly canDeploy: (question: CanDeployRequest) => Effect.Effect<CanDeployAnswer, Rejected | StoreError>
    /** The store's part of the answer; asks no provider. */
    readonly recordedBlockers: (
      question: CanDeployRequest
    ) => Effect.Effect<ReadonlyArray<Blocker>, Rejected | StoreError>
    /**
     * Waits for the admission of a queued request, acquires the lease for it and keeps it for `hold`, so that the same
     * correlation id can carry on. If stopped, it leaves the request in its place.
     */
    readonly waitForAdmission: (
      id: CorrelationId,
      options: { readonly hold: Duration.Duration }
    ) => Effect.Effect<ExecutionState, Rejected | StoreError>
    /** The queue position of a request. */
    readonly place: (state: ExecutionState) => Effect.Effect<QueuePlace, StoreError>
    /** The queue position of a request, and its blockers while it has one. */
    readonly waiting: (state: ExecutionState) => Effect.Effect<QueueStatus.WaitingRequest, StoreError>
    /** The holder of an environment's lease, its lock, and its queue, in order. */
    readonly status: (id: DeploymentId, environment: EnvironmentName) => Effect.Effect<Status, StoreError>
    /** Returns everything that a correlation id holds; harmless if it holds nothing. */
    readonly cleanup: (
      id: CorrelationId,
      options: { readonly status: ReportedOutcome; readonly by: string; readonly reason?: string }
    ) => Effect.Effect<CleanupResult, Rejected | StoreError>
    /** Ends executions without a runner and without activity for `Sweep.forgottenAfter`. */
    readonly sweep: Effect.Effect<ReadonlyArray<CleanupResult>, StoreError>
    /** Records a person's decision: a veto, a lock, or the end of either; another person's lock only with `force`. */
    readonly decide: (id: DeploymentId, decision: PolicyDecision) => Effect.Effect<Deployment, Rejected | StoreError>
    /** Revokes the lease of an environment; returns it, undefined if there was none. */
    readonly revokeLease: (
      id: DeploymentId,
      options: { readonly environment: EnvironmentName; readonly reason: string; readonly by: string }
    ) => Effect.Effect<Lease | undefined, Rejected | StoreError>
    /**
     * Rejects what runs inside the very command that holds the lease of its environment: it would wait for itself. `env` are
     * the variables of the process, `purpose` says what would run.
     */
    readonly rejectNested: (
      place: Pick<ExecutionState, "deploymentId" | "environment">,
      env: Readonly<Record<string, string | undefined>>,
      purpose?: "command"
    ) => Effect.Effect<void, Rejected | StoreError>
  }
>()("@signalbox/core/engine/facade/Coordination") {
  /** Decides with the store of this process, and asks its providers. */
  static readonly layer: Layer.Layer<Coordination, never, DeploymentStore | LeaseStore | Providers> = Layer.effect(
    Coordination,
    Effect.gen(function* () {
      const context = yield* Effect.context<DeploymentStore | LeaseStore | Providers>()
      const traces = yield* TraceKeeper
      const provided = <A, E>(effect: Effect.Effect<A, E, DeploymentStore | LeaseStore | Providers>) =>
        Effect.provideContext(effect, context)
      return Coordination.of({
        canDeploy: (question) =>
          Effect.andThen(inLines({ version: question.version }), provided(CanDeploy.canDeploy(question))),
        recordedBlockers: (question) =>
          CanDeploy.canDeploy(question).pipe(
            Effect.provideService(Providers, new Map()),
            Effect.map(({ blockers }) => blockers),
            provided
          ),
        waitForAdmission: (id, options) => provided(Runner.waitForAdmission(id, options)),
        place: (state) => provided(QueueStatus.placeOf(state)),
        waiting: (state) => provided(QueueStatus.waitingOf(state)),
        status: (id, environment) => provided(QueueStatus.queueStatus(id, environment)),
        cleanup: (id, options) =>
          Effect.andThen(
            inLines({ by: options.by, reason: options.reason }),
            Effect.ensuring(provided(cleanup(id, options)), traces.finished(id))
          ),
        sweep: Effect.flatMap(Clock.currentTimeMillis, (now) =>
          provided(Sweep.sweep(now - Duration.toMillis(Sweep.forgottenAfter)))
        ),
        decide: (id, decision) =>
          Effect.andThen(
            inLines({
              version: "version" in decision ? decision.version : undefined,
              by: decision.by,
              reason: decision.reason
            }),
            provided(PolicyDecisions.recordDecision(id, decision))
          ),
        revokeLease: (id, options) =>
          Effect.andThen(
            inLines({ by: options.by, reason: options.reason }),
            provided(PolicyDecisions.revokeLease(id, options))
          ),
        rejectNested: (place, env, purpose) => provided(QueueStatus.rejectNested(place, env, purpose))
      })
    })
  ).pipe(Layer.provide(TraceKeeper.layer))
}
