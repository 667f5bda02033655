/**
 * The facade: what the CLI, the dashboard and embedding programs call.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { Deployment } from "../domain/Environment.ts"
import type { OperatorCommand, Origin, QueuePolicy, StoredEvent } from "../domain/Event.ts"
import type { ExecutionState } from "../domain/Execution.ts"
import type { CorrelationId, DeploymentId, EnvironmentName, StackName } from "../domain/Ids.ts"
import type { ExecutionKind } from "../domain/Machines.ts"
import type { ErrorInfo, StackPlan } from "../domain/Release.ts"
import type { Manifest, StrategyName } from "../domain/Spec.ts"
import type { DeploymentStore } from "../spi/DeploymentStore.ts"
import type { Lease, LeaseHeld, LeaseLost, LeaseStore } from "../spi/LeaseStore.ts"
import type { Observation } from "../spi/Provider.ts"
import type { ProviderError } from "../spi/ProviderError.ts"
import type { Providers } from "../spi/Providers.ts"
import type { StoreError } from "../spi/StoreError.ts"
import * as CanDeploy from "./CanDeploy.ts"
import { type Cleaned, cleanup } from "./Cleanup.ts"
import * as Commands from "./Commands.ts"
import * as Governing from "./Governing.ts"
import type { Decision } from "./Governing.ts"
import * as Initialization from "./Initialization.ts"
import * as Preview from "./Preview.ts"
import type { Refused } from "./Refused.ts"
import type { Reported } from "./Reported.ts"
import * as Runner from "./Runner.ts"
import { type Submission, submit } from "./Submission.ts"
import * as TraceKeeper from "./TraceKeeper.ts"
import * as Turn from "./Turn.ts"
import type { Wrapped } from "./Wrapping.ts"

/**
 * An execution to start.
 *
 * *Details*: `stacks` narrows it to those (for `deploy-stack` and `destroy-stack` exactly one); `version` and `artifact` are
 * what a `deploy` brings in; `strategy` overrides that of every stack. `queue` says what is done while another execution is
 * in the way (default: `fifo` for a wrapped command, else `reject`). `override` is the reason for going ahead in spite of a
 * freeze, a veto or drift. `command` is what a `run` shows of its command, with its secrets covered.
 * With `identical` it joins an execution only where the same actor asked for it in the same workflow.
 *
 * @since 0.1.0
 */
export interface Request {
  readonly kind: Exclude<ExecutionKind, "observe">
  readonly correlationId: CorrelationId
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
  readonly manifest: Manifest
  readonly by: string
  readonly stacks?: ReadonlyArray<StackName>
  readonly version?: string
  readonly artifact?: string
  readonly strategy?: StrategyName
  readonly reason?: string
  readonly queue?: QueuePolicy
  readonly origin?: Origin
  readonly override?: string
  readonly command?: string
  readonly identical?: boolean
}

/**
 * One line of a plan. `plan` is null where it waits for outputs, named in `waitsFor`, that nobody has produced yet.
 *
 * @since 0.1.0
 */
export interface PlannedStack {
  readonly name: StackName
  readonly provider: string
  readonly dependsOn: ReadonlyArray<StackName>
  readonly plan: StackPlan | null
  readonly waitsFor: ReadonlyArray<string>
  readonly irreversible?: string
}

/** One stack as its provider sees it now. @since 0.1.0 */
export interface ObservedStack {
  readonly name: StackName
  readonly provider: string
  readonly observation: Observation | ProviderError
}

/** The facade: initializes, plans, starts, carries out, commands and follows executions. @since 0.1.0 */
export class Signalbox extends Context.Service<
  Signalbox,
  {
    /** Makes a deployment; its id is drawn where none is given. */
    readonly init: (options: {
      readonly manifest: Manifest
      readonly by: string
      readonly deploymentId?: DeploymentId
    }) => Effect.Effect<Deployment, Refused | StoreError>
    /** The deployment of a project without a configuration: made, or widened by what it does not know yet. */
    readonly ensure: (options: {
      readonly manifest: Manifest
      readonly by: string
      readonly deploymentId: DeploymentId
    }) => Effect.Effect<Deployment, Refused | StoreError>
    /** What `submit` and `run` would do. Writes nothing. */
    readonly plan: (
      request: Request
    ) => Effect.Effect<ReadonlyArray<PlannedStack>, Refused | ProviderError | StoreError>
    /**
     * Records the request, or joins the execution that has this correlation id already. A rollback and a destruction work on
     * the configuration that was recorded; the manifest is only for what was never deployed.
     */
    readonly submit: (request: Request) => Effect.Effect<Submission, Refused | StoreError>
    /**
     * Carries the execution to its end and returns its last state: from the start, from where a runner that died left it,
     * or by following a runner that is alive. Interrupting it persists the state (`paused`) and gives the leases back.
     * A `run` needs its `command`; `shown` is what the log says of it where the request did not.
     */
    readonly run: (
      id: CorrelationId,
      command?: Wrapped,
      shown?: string
    ) => Effect.Effect<ExecutionState, Refused | LeaseHeld | LeaseLost | StoreError>
    /**
     * Waits for the turn of a request in the queue, takes the lock for it and keeps that for `hold`: for whoever carries
     * the same correlation id on. Stopped, it leaves the request in its place.
     */
    readonly takeTurn: (
      id: CorrelationId,
      options: { readonly hold: Duration.Duration }
    ) => Effect.Effect<ExecutionState, Refused | StoreError>
    /** Gives back what a correlation id holds; harmless where it holds nothing. */
    readonly cleanup: (
      id: CorrelationId,
      options: { readonly status: Reported; readonly by: string; readonly reason?: string }
    ) => Effect.Effect<Cleaned, Refused | StoreError>
    /** Withdraws a request that waits; returns whether it did. */
    readonly withdraw: (id: CorrelationId, why: ErrorInfo) => Effect.Effect<boolean, StoreError>
    /** Withdraws a request whose turn has not come within `patience`; ends when that is over. */
    readonly withdrawAfter: (id: CorrelationId, patience: Duration.Input, hint: string) => Effect.Effect<void>
    /** Whether something may be deployed now, and everything that is in the way; says so where the registry is away. */
    readonly canDeploy: (question: CanDeploy.Question) => Effect.Effect<CanDeploy.Answer, Refused | StoreError>
    /** Hands a command to a running (or paused) execution, from any process. */
    readonly command: (
      id: CorrelationId,
      options: {
        readonly command: OperatorCommand
        readonly by: string
        readonly stack?: StackName
        readonly reason?: string
      }
    ) => Effect.Effect<void, Refused | StoreError>
    /** Records what people decide: a veto, a hold, or the end of either; what somebody else holds only by `force`. */
    readonly decide: (id: DeploymentId, decision: Decision) => Effect.Effect<Deployment, Refused | StoreError>
    /** Takes the lock from whoever holds it; returns the lease that was broken. */
    readonly breakLock: (
      id: DeploymentId,
      options: { readonly environment: EnvironmentName; readonly reason: string; readonly by: string }
    ) => Effect.Effect<Lease | undefined, Refused | StoreError>
    /** The live claim of whoever runs the execution at the moment, if anybody does. */
    readonly runner: (id: CorrelationId) => Effect.Effect<Lease | undefined, StoreError>
    /** The events of an execution from `after` (a sequence number, default 0) until it has finished, live. */
    readonly follow: (id: CorrelationId, after?: number) => Stream.Stream<StoredEvent, Refused | StoreError>
    /** Asks the providers what is really there. */
    readonly observe: (options: {
      readonly manifest: Manifest
      readonly deploymentId: DeploymentId
      readonly environment: EnvironmentName
    }) => Effect.Effect<ReadonlyArray<ObservedStack>, Refused | StoreError>
  }
>()("@signalbox/core/engine/Signalbox") {
  /**
   * The embedded facade: this very process runs the executions.
   *
   * @since 0.1.0
   */
  static readonly layer: Layer.Layer<Signalbox, never, DeploymentStore | LeaseStore | Providers> = Layer.effect(
    Signalbox,
    Effect.gen(function* () {
      const context = yield* Effect.context<DeploymentStore | LeaseStore | Providers>()
      const traces = yield* TraceKeeper.make
      const provided = <A, E>(effect: Effect.Effect<A, E, DeploymentStore | LeaseStore | Providers>) =>
        Effect.provideContext(effect, context)
      return Signalbox.of({
        init: (options) => provided(Initialization.init(options)),
        ensure: (options) => provided(Initialization.ensure(options)),
        plan: (request) => provided(Preview.plan(request)),
        submit: (request) => provided(submit(request)),
        run: (id, command, shown) => Effect.ensuring(provided(Runner.run(id, command, shown)), traces.finished(id)),
        takeTurn: (id, options) => provided(Runner.takeTurnOnly(id, options)),
        cleanup: (id, options) => Effect.ensuring(provided(cleanup(id, options)), traces.finished(id)),
        withdraw: (id, why) => provided(Turn.withdraw(id, why)),
        withdrawAfter: (id, patience, hint) => provided(Turn.withdrawAfter(id, patience, hint)),
        decide: (id, decision) => provided(Governing.decide(id, decision)),
        breakLock: (id, options) => provided(Governing.breakLock(id, options)),
        canDeploy: (question) => provided(CanDeploy.canDeploy(question)),
        runner: (id) => provided(Commands.runner(id)),
        command: (id, options) => provided(Commands.command(id, options)),
        follow: (id, after) => Stream.provideContext(Commands.follow(id, after), context),
        observe: (options) => provided(Preview.observe(options))
      })
    })
  )
}
