/**
 * The facade: what the CLI, the dashboard and embedding programs call.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { Deployment } from "../domain/Environment.ts"
import type { OperatorCommand, Origin, QueuePolicy, StoredEvent } from "../domain/Event.ts"
import type { ExecutionState } from "../domain/Execution.ts"
import type { CorrelationId, DeploymentId, EnvironmentName, StackName } from "../domain/Ids.ts"
import type { ExecutionKind } from "../domain/Machines.ts"
import type { StackPlan } from "../domain/Release.ts"
import type { Manifest, StrategyName } from "../domain/Spec.ts"
import type { DeploymentStore } from "../spi/DeploymentStore.ts"
import type { Lease, LeaseHeld, LeaseLost, LeaseStore } from "../spi/LeaseStore.ts"
import type { Observation } from "../spi/Provider.ts"
import type { ProviderError } from "../spi/ProviderError.ts"
import type { Providers } from "../spi/Providers.ts"
import type { StoreError } from "../spi/StoreError.ts"
import * as Commands from "./Commands.ts"
import * as Initialization from "./Initialization.ts"
import * as Preview from "./Preview.ts"
import type { Refused } from "./Refused.ts"
import * as Runner from "./Runner.ts"
import { submit } from "./Submission.ts"
import * as TraceKeeper from "./TraceKeeper.ts"

/**
 * An execution to start.
 *
 * *Details*: `stacks` narrows it to those (for `deploy-stack` and `destroy-stack` exactly one); `version` and `artifact` are
 * what a `deploy` brings in; `strategy` overrides that of every stack. `queue` says what is done while another execution is
 * in the way (default: `fifo` for a wrapped command, else `reject`). `override` is the reason for going ahead in spite of a
 * freeze, a veto or drift. `command` is what a `run` shows of its command, with its secrets covered.
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
    /** What `submit` and `run` would do. Writes nothing. */
    readonly plan: (
      request: Request
    ) => Effect.Effect<ReadonlyArray<PlannedStack>, Refused | ProviderError | StoreError>
    /** Records the request, or joins the execution that has this correlation id already. */
    readonly submit: (
      request: Request
    ) => Effect.Effect<{ readonly execution: ExecutionState; readonly joined: boolean }, Refused | StoreError>
    /**
     * Carries the execution to its end and returns its last state: from the start, from where a runner that died left it,
     * or by following a runner that is alive. Interrupting it persists the state (`paused`) and gives the leases back.
     */
    readonly run: (id: CorrelationId) => Effect.Effect<ExecutionState, Refused | LeaseHeld | LeaseLost | StoreError>
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
        plan: (request) => provided(Preview.plan(request)),
        submit: (request) => provided(submit(request)),
        run: (id) => Effect.ensuring(provided(Runner.run(id)), traces.finished(id)),
        runner: (id) => provided(Commands.runner(id)),
        command: (id, options) => provided(Commands.command(id, options)),
        follow: (id, after) => Stream.provideContext(Commands.follow(id, after), context),
        observe: (options) => provided(Preview.observe(options))
      })
    })
  )
}
