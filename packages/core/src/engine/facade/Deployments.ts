import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { StackLogLine } from "../../api/LogLineView.ts"
import type { ObservedStack, StackHealth } from "../../api/Plan.ts"
import type { Rejected } from "../../api/Rejected.ts"
import { inLines } from "../../api/TextCheck.ts"
import type { Deployment, EnvironmentState } from "../../domain/Environment.ts"
import type { StoredEvent } from "../../domain/Event.ts"
import type { DeploymentId, EnvironmentName } from "../../domain/Ids.ts"
import type { Manifest } from "../../domain/Spec.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { LeaseStore } from "../../spi/LeaseStore.ts"
import type { ProviderError } from "../../spi/ProviderError.ts"
import type { Providers } from "../../spi/Providers.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { Initialization } from "../admission/index.ts"
import { Health, Logs, Orphans, Preview } from "../preview/index.ts"

/** Deployments: created, read, and compared with their providers' state. */
export class Deployments extends Context.Service<
  Deployments,
  {
    /** Creates a deployment; without an id, one is drawn. */
    readonly init: (options: {
      readonly manifest: Manifest
      readonly by: string
      readonly deploymentId?: DeploymentId
    }) => Effect.Effect<Deployment, Rejected | StoreError>
    /** The deployment of a project without a configuration: created, or extended by what it does not know yet. */
    readonly ensure: (options: {
      readonly manifest: Manifest
      readonly by: string
      readonly deploymentId: DeploymentId
    }) => Effect.Effect<Deployment, Rejected | StoreError>
    readonly get: (id: DeploymentId) => Effect.Effect<Deployment | undefined, StoreError>
    readonly list: Effect.Effect<ReadonlyArray<Deployment>, StoreError>
    /** Its state in one environment; undefined if nothing was ever requested there. */
    readonly environment: (
      id: DeploymentId,
      environment: EnvironmentName
    ) => Effect.Effect<EnvironmentState | undefined, StoreError>
    /** Its state in each environment, the most recently changed first. */
    readonly environments: (id: DeploymentId) => Effect.Effect<ReadonlyArray<EnvironmentState>, StoreError>
    /** People's decisions about it, oldest first: its own events, without its executions' events. */
    readonly events: (id: DeploymentId) => Effect.Effect<ReadonlyArray<StoredEvent>, StoreError>
    /** Asks the providers for the actual state. */
    readonly observe: (options: {
      readonly manifest: Manifest
      readonly deploymentId: DeploymentId
      readonly environment: EnvironmentName
    }) => Effect.Effect<ReadonlyArray<ObservedStack>, Rejected | StoreError>
    /** Asks the providers for the health of its stacks, with the limits of each gate. */
    readonly health: (options: {
      readonly manifest: Manifest
      readonly deploymentId: DeploymentId
      readonly environment: EnvironmentName
    }) => Effect.Effect<ReadonlyArray<StackHealth>, Rejected | StoreError>
    /** The last lines of its stacks' logs, and with `follow` new ones as they come; see `Logs.LogsOptions`. */
    readonly logs: (options: Logs.LogsOptions) => Stream.Stream<StackLogLine, Rejected | ProviderError | StoreError>
    /** Whether another store than this one issued a fence that a provider remembers. */
    readonly isUnknown: (remembered: Orphans.Remembered) => Effect.Effect<boolean, StoreError>
  }
>()("@signalbox/core/engine/facade/Deployments") {
  /** Reads the store of this process, and asks its providers. */
  static readonly layer: Layer.Layer<Deployments, never, DeploymentStore | LeaseStore | Providers> = Layer.effect(
    Deployments,
    Effect.gen(function* () {
      const context = yield* Effect.context<DeploymentStore | LeaseStore | Providers>()
      const store = yield* DeploymentStore
      const provided = <A, E>(effect: Effect.Effect<A, E, DeploymentStore | LeaseStore | Providers>) =>
        Effect.provideContext(effect, context)
      return Deployments.of({
        init: (options) => Effect.andThen(inLines({ by: options.by }), provided(Initialization.init(options))),
        ensure: ({ by, deploymentId, manifest }) =>
          Effect.andThen(inLines({ by }), provided(Initialization.ensure({ by, deploymentId, manifest }))),
        get: (id) => store.deployment(id),
        list: store.deployments,
        environment: (id, environment) => store.environment(id, environment),
        environments: (id) =>
          Effect.map(store.environments(id), (states) =>
            states.toSorted((left, right) => right.updatedAt - left.updatedAt)
          ),
        events: (id) => store.events({ stream: id, limit: 10_000 }),
        observe: (options) => provided(Preview.observe(options)),
        health: (options) => provided(Health.health(options)),
        logs: (options) => Stream.provideContext(Logs.logs(options), context),
        isUnknown: (remembered) => provided(Orphans.isUnknown(remembered))
      })
    })
  )
}
