/**
 * Stores of plug-ins, in both directions.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { DeploymentStore } from "../spi/DeploymentStore.ts"
import type { LeaseStore } from "../spi/LeaseStore.ts"
import { StoreError } from "../spi/StoreError.ts"
import type { Encoded } from "../store/Encoded.ts"
import { layerEncoded } from "../store/layerEncoded.ts"
import { settled } from "./fromPlugin.ts"
import type { PlainStore } from "./PlainStore.ts"
import type { PluginContext, PluginStore } from "./Plugin.ts"

const isReason = Schema.is(StoreError.fields.reason)

/** A rejection as an error of the port: with a `reason` and a `detail`, or else unexpected. */
const failure =
  (operation: string) =>
  (error: unknown): StoreError => {
    const { detail, message, reason } = (typeof error === "object" && error !== null ? error : {}) as {
      readonly [key: string]: unknown
    }
    const text = [detail, message].find((one) => typeof one === "string") ?? String(error)
    return new StoreError({ operation, reason: isReason(reason) ? reason : "Unexpected", detail: text })
  }

const encoded = (store: PlainStore): Encoded => {
  const call = <A>(operation: string, start: () => Promise<A>) => settled(start, failure(operation))
  const { outbox } = store
  return {
    deployments: {
      head: (stream, after) => call("head", () => store.head(stream, after)),
      commit: (commit) => call("commit", () => store.commit(commit)),
      events: (query) => call("events", () => store.events(query)),
      execution: (stream) => call("execution", () => store.execution(stream)),
      executions: (query) => call("executions", () => store.executions(query)),
      deployment: (id) => call("deployment", () => store.deployment(id)),
      deployments: call("deployments", () => store.deployments()),
      environment: (id, environment) => call("environment", () => store.environment(id, environment)),
      environments: (id) => call("environments", () => store.environments(id)),
      newest: call("newest", () => store.newest()),
      pulses: Stream.concat(
        Stream.succeed(undefined),
        Stream.fromEffectRepeat(settled((signal) => store.pulse(signal), failure("pulse")))
      ),
      prune: (before, limit) => call("prune", () => store.prune(before, limit))
    },
    leases: {
      get: (key) => call("lease", () => store.lease(key)),
      list: call("leases", () => store.leases()),
      swap: (before, after) => call("swap", () => store.swap(before, after))
    },
    ...(outbox === undefined
      ? {}
      : {
          outbox: {
            owed: (query) => call("outbox", () => outbox.owed(query)),
            mark: (stream) => call("outbox", () => outbox.mark(stream)),
            due: (query) => call("outbox", () => outbox.due(query)),
            deliveries: (query) => call("outbox", () => outbox.deliveries(query)),
            commit: (commit) => call("outbox", () => outbox.commit(commit))
          }
        })
  }
}

/**
 * Both stores of a plug-in.
 *
 * *Errors*: `StoreError` if it cannot be opened.
 */
export const layerPlugin = (
  plugin: PluginStore,
  url: string,
  context: PluginContext
): Layer.Layer<DeploymentStore | LeaseStore, StoreError> =>
  layerEncoded(
    Effect.map(
      Effect.acquireRelease(
        Effect.tryPromise({ try: async () => plugin.load(url, context), catch: failure("open") }),
        (store) => Effect.promise(async () => store.close?.())
      ),
      encoded
    )
  )

const run = async <A>(effect: Effect.Effect<A, StoreError>): Promise<A> => {
  const exit = await Effect.runPromiseExit(effect)
  if (Exit.isSuccess(exit)) return exit.value
  throw Cause.squash(exit.cause)
}

const plain = ({ deployments, leases, outbox }: Encoded, scope: Scope.Closeable): PlainStore => {
  // One subscription serves all callers; what happened since the last call answers the next one at once. After a failure
  // the next call subscribes again.
  let next = Deferred.makeUnsafe<void, StoreError>()
  let listens = false
  const pulse = (exit: Exit.Exit<void, StoreError>) => void Deferred.doneUnsafe(next, exit)
  const listening = Stream.runForEach(deployments.pulses, () => Effect.sync(() => pulse(Exit.void))).pipe(
    Effect.onExit((exit) =>
      Effect.sync(() => {
        listens = false
        pulse(exit)
      })
    ),
    Effect.ignore
  )
  return {
    head: (stream, after) => run(deployments.head(stream, after)),
    commit: (commit) => run(deployments.commit(commit)),
    events: (query) => run(deployments.events(query)),
    execution: (stream) => run(deployments.execution(stream)),
    executions: (query) => run(deployments.executions(query)),
    deployment: (id) => run(deployments.deployment(id)),
    deployments: () => run(deployments.deployments),
    environment: (id, environment) => run(deployments.environment(id, environment)),
    environments: (id) => run(deployments.environments(id)),
    newest: () => run(deployments.newest),
    pulse: async (signal) => {
      if (!listens) {
        listens = true
        await run(Effect.asVoid(Effect.forkIn(listening, scope)))
      }
      const waited = next
      await Effect.runPromise(Effect.exit(Deferred.await(waited)), { signal })
      if (waited === next) next = Deferred.makeUnsafe<void, StoreError>()
      await run(Deferred.await(waited))
    },
    prune: (before, limit) => run(deployments.prune(before, limit)),
    lease: (key) => run(leases.get(key)),
    leases: () => run(leases.list),
    swap: (before, after) => run(leases.swap(before, after)),
    ...(outbox === undefined
      ? {}
      : {
          outbox: {
            owed: (query) => run(outbox.owed(query)),
            mark: (stream) => run(outbox.mark(stream)),
            due: (query) => run(outbox.due(query)),
            deliveries: (query) => run(outbox.deliveries(query)),
            commit: (commit) => run(outbox.commit(commit))
          }
        }),
    close: () => run(Scope.close(scope, Exit.void))
  }
}

/**
 * A store that is written with Effect, for `stores` of a plug-in.
 *
 * *Details*: `make` opens the lower tier of a store; its scope is closed with the store.
 */
export const effectStore = (
  make: (url: string, context: PluginContext) => Effect.Effect<Encoded, StoreError, Scope.Scope>
): PluginStore => ({
  load: async (url, context) => {
    const scope = Scope.makeUnsafe()
    return plain(await run(Effect.provideService(make(url, context), Scope.Scope, scope)), scope)
  }
})
