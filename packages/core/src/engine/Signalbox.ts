/**
 * The facade: what the CLI, the dashboard and embedding programs call.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { Deployment } from "../domain/Environment.ts"
import type { OperatorCommand, StoredEvent } from "../domain/Event.ts"
import type { ExecutionState } from "../domain/Execution.ts"
import type { CorrelationId, DeploymentId, EnvironmentName, StackName } from "../domain/Ids.ts"
import type { ErrorInfo } from "../domain/errors/index.ts"
import type { Manifest } from "../domain/Spec.ts"
import type { DeploymentStore } from "../spi/DeploymentStore.ts"
import type { Lease, LeaseHeld, LeaseLost, LeaseStore } from "../spi/LeaseStore.ts"
import type { ProviderError } from "../spi/ProviderError.ts"
import type { Providers } from "../spi/Providers.ts"
import type { StoreError } from "../spi/StoreError.ts"
import { CanDeploy, Preview } from "./preview/index.ts"
import {
  type CleanupResult,
  cleanup,
  PolicyDecisions,
  type PolicyDecision,
  Initialization,
  type ReportedOutcome,
  check,
  type Submission,
  submit,
  Admission
} from "./admission/index.ts"
import { OperatorCommands, Runner, type CommandExecution } from "./execution/index.ts"
import type { ObservedStack, PlannedStack } from "../api/Plan.ts"
import type { Rejected } from "../api/Rejected.ts"
import type { Request } from "../api/Request.ts"
import * as TextCheck from "../api/TextCheck.ts"
import { TraceKeeper } from "./trace/index.ts"

/** The facade: initializes, plans, starts, carries out, commands and follows executions. */
export class Signalbox extends Context.Service<
  Signalbox,
  {
    /** Makes a deployment; its id is drawn where none is given. */
    readonly init: (options: {
      readonly manifest: Manifest
      readonly by: string
      readonly deploymentId?: DeploymentId
    }) => Effect.Effect<Deployment, Rejected | StoreError>
    /** The deployment of a project without a configuration: made, or widened by what it does not know yet. */
    readonly ensure: (options: {
      readonly manifest: Manifest
      readonly by: string
      readonly deploymentId: DeploymentId
    }) => Effect.Effect<Deployment, Rejected | StoreError>
    /** What `submit` and `run` would do. Writes nothing. */
    readonly plan: (
      request: Request
    ) => Effect.Effect<ReadonlyArray<PlannedStack>, Rejected | ProviderError | StoreError>
    /** Fails where `submit` would refuse the request because its providers know that it cannot succeed. Writes nothing. */
    readonly preflight: (request: Request) => Effect.Effect<void, Rejected | StoreError>
    /**
     * Records the request, or joins the execution that has this correlation id already. A rollback and a destruction work on
     * the configuration that was recorded; the manifest is only for what was never deployed.
     */
    readonly submit: (request: Request) => Effect.Effect<Submission, Rejected | StoreError>
    /**
     * Carries the execution to its end and returns its last state: from the start, from where a runner that died left it,
     * or by following a runner that is alive. Interrupting it persists the state (`paused`) and gives the leases back.
     * A `run` needs its `command`; `shown` is what the log says of it where the request did not.
     */
    readonly run: (
      id: CorrelationId,
      command?: CommandExecution,
      shown?: string
    ) => Effect.Effect<ExecutionState, Rejected | LeaseHeld | LeaseLost | StoreError>
    /**
     * Waits for the turn of a request in the queue, takes the lock for it and keeps that for `hold`: for whoever carries
     * the same correlation id on. Stopped, it leaves the request in its place.
     */
    readonly waitForAdmission: (
      id: CorrelationId,
      options: { readonly hold: Duration.Duration }
    ) => Effect.Effect<ExecutionState, Rejected | StoreError>
    /** Gives back what a correlation id holds; harmless where it holds nothing. */
    readonly cleanup: (
      id: CorrelationId,
      options: { readonly status: ReportedOutcome; readonly by: string; readonly reason?: string }
    ) => Effect.Effect<CleanupResult, Rejected | StoreError>
    /** Withdraws a request that waits; returns whether it did. */
    readonly withdraw: (id: CorrelationId, why: ErrorInfo) => Effect.Effect<boolean, StoreError>
    /** Withdraws a request whose turn has not come within `patience`; ends when that is over. */
    readonly withdrawAfter: (id: CorrelationId, patience: Duration.Input) => Effect.Effect<void>
    /** Whether something may be deployed now, and everything that is in the way; says so where the registry is away. */
    readonly canDeploy: (
      question: CanDeploy.CanDeployRequest
    ) => Effect.Effect<CanDeploy.CanDeployAnswer, Rejected | StoreError>
    /** Hands a command to a running (or paused) execution, from any process. */
    readonly command: (
      id: CorrelationId,
      options: {
        readonly command: OperatorCommand
        readonly by: string
        readonly stack?: StackName
        readonly reason?: string
      }
    ) => Effect.Effect<void, Rejected | StoreError>
    /** Records what people decide: a veto, a hold, or the end of either; what somebody else holds only by `force`. */
    readonly decide: (id: DeploymentId, decision: PolicyDecision) => Effect.Effect<Deployment, Rejected | StoreError>
    /** Takes the lock from whoever holds it; returns the lease that was broken. */
    readonly revokeLease: (
      id: DeploymentId,
      options: { readonly environment: EnvironmentName; readonly reason: string; readonly by: string }
    ) => Effect.Effect<Lease | undefined, Rejected | StoreError>
    /** The live claim of whoever runs the execution at the moment, if anybody does. */
    readonly runner: (id: CorrelationId) => Effect.Effect<Lease | undefined, StoreError>
    /** The events of an execution from `after` (a sequence number, default 0) until it has finished, live. */
    readonly follow: (id: CorrelationId, after?: number) => Stream.Stream<StoredEvent, Rejected | StoreError>
    /** Asks the providers what is really there. */
    readonly observe: (options: {
      readonly manifest: Manifest
      readonly deploymentId: DeploymentId
      readonly environment: EnvironmentName
    }) => Effect.Effect<ReadonlyArray<ObservedStack>, Rejected | StoreError>
  }
>()("@signalbox/core/engine/Signalbox") {
  /**
   * The embedded facade: this very process runs the executions.
   */
  static readonly layer: Layer.Layer<Signalbox, never, DeploymentStore | LeaseStore | Providers> = Layer.effect(
    Signalbox,
    Effect.gen(function* () {
      const context = yield* Effect.context<DeploymentStore | LeaseStore | Providers>()
      const traces = yield* TraceKeeper.make
      const provided = <A, E>(effect: Effect.Effect<A, E, DeploymentStore | LeaseStore | Providers>) =>
        Effect.provideContext(effect, context)
      const { inLines, ofRequest } = TextCheck
      return Signalbox.of({
        init: ({ by, ...options }) =>
          Effect.andThen(inLines({ by }), provided(Initialization.init({ by, ...options }))),
        ensure: ({ by, ...options }) =>
          Effect.andThen(inLines({ by }), provided(Initialization.ensure({ by, ...options }))),
        plan: (request) => Effect.andThen(inLines(ofRequest(request)), provided(Preview.plan(request))),
        preflight: (request) => Effect.andThen(inLines(ofRequest(request)), provided(check(request))),
        submit: (request) => Effect.andThen(inLines(ofRequest(request)), provided(submit(request))),
        run: (id, command, shown) => Effect.ensuring(provided(Runner.run(id, command, shown)), traces.finished(id)),
        waitForAdmission: (id, options) => provided(Runner.waitForAdmission(id, options)),
        cleanup: (id, options) =>
          Effect.andThen(
            inLines({ by: options.by, reason: options.reason }),
            Effect.ensuring(provided(cleanup(id, options)), traces.finished(id))
          ),
        withdraw: (id, why) => provided(Admission.withdraw(id, why)),
        withdrawAfter: (id, patience) => provided(Admission.withdrawAfter(id, patience)),
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
        canDeploy: (question) =>
          Effect.andThen(inLines({ version: question.version }), provided(CanDeploy.canDeploy(question))),
        runner: (id) => provided(OperatorCommands.runner(id)),
        command: (id, options) =>
          Effect.andThen(
            inLines({ by: options.by, reason: options.reason }),
            provided(OperatorCommands.command(id, options))
          ),
        follow: (id, after) => Stream.provideContext(OperatorCommands.follow(id, after), context),
        observe: (options) => provided(Preview.observe(options))
      })
    })
  )
}
