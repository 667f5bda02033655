/**
 * The Promise facade.
 *
 * @since 0.1.0
 */
import { type Config, Configuration, Replaying, type Request, Signalbox } from "@signalbox/core/engine"
import {
  Actor,
  CorrelationId,
  DeploymentId,
  DeploymentStore,
  EnvironmentName,
  LeaseStore,
  type Manifest,
  type OperatorCommand,
  type Provider,
  Providers,
  StackName,
  type StoreError
} from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { randomUUID } from "node:crypto"
import { userInfo } from "node:os"
import type { CommandOptions, Connection, ConnectOptions, ExecutionHandle, ReleaseOptions } from "./Connection.ts"
import { iterate, type Open } from "./iterate.ts"
import * as SignalboxNode from "./SignalboxNode.ts"
import { ConflictError, InvalidInputError, NotFoundError } from "./SignalboxError.ts"
import { fromCause, interrupted } from "./toSignalboxError.ts"

type Services = SignalboxNode.Services
type Started = ReleaseOptions & { readonly stack?: string }

/** A text as the name that it has to be. */
const named = <A extends string>(schema: Schema.Codec<A, string>, path: string, value: unknown): A => {
  const decoded = Schema.decodeUnknownResult(schema)(value)
  if (Result.isSuccess(decoded)) return decoded.success
  throw new InvalidInputError({
    code: "input_invalid",
    message: `${path}: ${decoded.failure.message.split("\n")[0]}`,
    hint: `Give a ${path} of that form.`,
    path
  })
}

const attempt = <A>(evaluate: () => A) => Effect.try({ try: evaluate, catch: (error) => error })

const given = <Key extends string, A>(key: Key, value: A | undefined): { readonly [K in Key]?: A } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: A }

const user = (): string => {
  try {
    return userInfo().username || "unknown"
  } catch {
    return "unknown"
  }
}

/**
 * Opens Signalbox for a program that does not use Effect.
 *
 * *When to use*: in services, scripts and tests that speak promises. Programs on Effect take `SignalboxNode` instead.
 *
 * *Details*: executions run in this process. `close` it, or declare it with `await using`.
 *
 * *Errors*: `StoreFailedError` where the database cannot be reached.
 *
 * *Example*
 *
 * ```ts
 * const signalbox = await connect({ directory: ".signalbox", providers: [local] })
 * const { deploymentId } = await signalbox.init({ configuration })
 * const execution = await signalbox.deploy({ configuration, deploymentId, environment: "production", version: "1.4.0" })
 * for await (const { event } of execution.events()) console.log(event._tag)
 * console.log((await execution.done).status)
 * ```
 *
 * @since 0.1.0
 */
export const connect = async (options: ConnectOptions): Promise<Connection> => {
  const layer: Layer.Layer<Services, StoreError> =
    "url" in options ? SignalboxNode.layerPostgres(options) : SignalboxNode.layerEmbedded(options)
  const runtime = ManagedRuntime.make(layer)
  const { run, ...shared } = session(runtime)
  const providers = await run(Effect.map(Providers, (installed) => installed))
  const by = (one: string | undefined): string => named(Actor, "by", one ?? options.by ?? user())
  return make({ ...shared, run, providers, by })
}

/** Runs effects for promises until it is closed. */
const session = (runtime: ManagedRuntime.ManagedRuntime<Services, StoreError>) => {
  const open: Open = new Set()
  let closing: Promise<void> | undefined
  const refuseClosed = () => {
    if (closing === undefined) return
    throw new ConflictError({ code: "closed", message: "this connection is closed", hint: "Connect again." })
  }
  return {
    run: async <A, E>(effect: Effect.Effect<A, E, Services>, signal?: AbortSignal): Promise<A> => {
      refuseClosed()
      if (signal?.aborted === true) throw interrupted(signal.reason)
      const exit = await runtime.runPromiseExit(effect, signal === undefined ? {} : { signal })
      if (Exit.isSuccess(exit)) return exit.value
      throw fromCause(exit.cause, signal)
    },
    iterate: <A>(stream: Stream.Stream<A, unknown, Services>, signal: AbortSignal | undefined): AsyncIterable<A> => {
      const context = async () => {
        refuseClosed()
        return runtime.context()
      }
      return iterate(stream, context, { open, signal })
    },
    close: (): Promise<void> => (closing ??= Promise.all([...open].map((end) => end())).then(() => runtime.dispose()))
  }
}

/** Gives back the lease under which a request was recorded that will not be carried out here. */
const giveBack = Effect.fnUntraced(function* (id: CorrelationId) {
  const store = yield* DeploymentStore
  const leases = yield* LeaseStore
  const [taken] = yield* store.events({ stream: id, tags: ["LeaseTaken"], limit: 1 })
  if (taken?.event._tag !== "LeaseTaken") return
  const lease = yield* leases.get(taken.event.key)
  if (lease?.fence === taken.event.fence) yield* leases.release(lease)
})

interface Session extends ReturnType<typeof session> {
  readonly providers: ReadonlyMap<string, Provider>
  readonly by: (one: string | undefined) => string
}

const make = ({ by, close, iterate, providers, run }: Session): Connection => {
  const box = <A, E>(use: (signalbox: Signalbox["Service"]) => Effect.Effect<A, E>, signal: AbortSignal | undefined) =>
    run(Effect.flatMap(Signalbox, use), signal)
  const store = <A, E>(
    use: (store: DeploymentStore["Service"]) => Effect.Effect<A, E>,
    signal: AbortSignal | undefined
  ) => run(Effect.flatMap(DeploymentStore, use), signal)
  const checked = (configuration: Config): Promise<Manifest> =>
    run(Effect.fromResult(Configuration.check(configuration, providers)))

  const requestOf = async (kind: Request["kind"], options: Started): Promise<Request> => {
    const manifest = await checked(options.configuration)
    const environment = named(EnvironmentName, "environment", options.environment)
    const stacks = options.stack === undefined ? undefined : [named(StackName, "stack", options.stack)]
    const strategy = given("strategy", options.strategy)
    const narrowed = given("stacks", stacks)
    // A strategy given here was no part of the configuration that was checked.
    const spec = await run(Configuration.resolve(manifest, environment, { ...narrowed, ...strategy }))
    await run(Configuration.supports(spec, providers))
    return {
      kind,
      correlationId: named(CorrelationId, "correlationId", options.correlationId ?? randomUUID()),
      deploymentId: named(DeploymentId, "deploymentId", options.deploymentId),
      environment,
      manifest,
      by: by(options.by),
      ...narrowed,
      ...strategy,
      ...given("version", options.version),
      ...given("artifact", options.artifact),
      ...given("reason", options.reason)
    }
  }

  const command: Connection["command"] = async (correlationId, name, options = {}) =>
    box(
      (signalbox) =>
        signalbox.command(named(CorrelationId, "correlationId", correlationId), {
          command: name,
          by: by(options.by),
          ...given("stack", options.stack === undefined ? undefined : named(StackName, "stack", options.stack)),
          ...given("reason", options.reason)
        }),
      options.signal
    )

  const execution: Connection["execution"] = async (correlationId, options = {}) => {
    const id = named(CorrelationId, "correlationId", correlationId)
    const state = await store((deployments) => deployments.execution(id), options.signal)
    if (state !== undefined) return state
    throw new NotFoundError({
      code: "unknown_execution",
      message: `there is no execution ${id}`,
      hint: "See those there are with history()."
    })
  }

  const events: Connection["events"] = (correlationId, options = {}) =>
    iterate(
      Stream.unwrap(
        Effect.gen(function* () {
          const signalbox = yield* Signalbox
          const id = yield* attempt(() => named(CorrelationId, "correlationId", correlationId))
          return signalbox.follow(id, options.after)
        })
      ),
      options.signal
    )

  const handle = (correlationId: CorrelationId, joined: boolean, signal: AbortSignal | undefined): ExecutionHandle => {
    const done = box((signalbox) => signalbox.run(correlationId), signal)
    // Whoever does not look at its end is not to be ended by it.
    done.catch(() => undefined)
    const told = (name: OperatorCommand) => (options?: CommandOptions) => command(correlationId, name, options)
    return {
      correlationId,
      joined,
      done,
      state: (options) => execution(correlationId, options),
      events: (options) => events(correlationId, options),
      pause: told("pause"),
      resume: told("resume"),
      approve: told("approve"),
      promote: told("promote"),
      retry: told("retry"),
      abort: (reason, options) => command(correlationId, "abort", { ...options, ...given("reason", reason) })
    }
  }

  const start = (kind: Request["kind"]) => async (options: Started) => {
    const request = await requestOf(kind, options)
    const stopped = () => options.signal?.aborted === true
    if (stopped()) throw interrupted(options.signal?.reason)
    // Recording is quick, and cutting it would leave a lease behind that nobody holds.
    const { joined } = await box((signalbox) => signalbox.submit(request), undefined)
    if (stopped() && !joined) await run(giveBack(request.correlationId))
    return handle(request.correlationId, joined, options.signal)
  }

  return {
    init: async ({ by: one, configuration, deploymentId, signal }) => {
      const manifest = await checked(configuration)
      const id = deploymentId === undefined ? undefined : named(DeploymentId, "deploymentId", deploymentId)
      return box((signalbox) => signalbox.init({ manifest, by: by(one), ...given("deploymentId", id) }), signal)
    },
    plan: async (options) => {
      const request = await requestOf(options.stack === undefined ? "deploy" : "deploy-stack", options)
      return box((signalbox) => signalbox.plan(request), options.signal)
    },
    deploy: start("deploy"),
    deployStack: start("deploy-stack"),
    rollback: start("rollback"),
    destroy: start("destroy"),
    destroyStack: start("destroy-stack"),
    attach: async (correlationId, options = {}) => {
      const state = await execution(correlationId, options)
      return handle(state.correlationId, true, options.signal)
    },
    execution,
    events,
    status: async (deploymentId, options = {}) => {
      const id = named(DeploymentId, "deploymentId", deploymentId)
      const deployment = await store((deployments) => deployments.deployment(id), options.signal)
      if (deployment === undefined) {
        throw new NotFoundError({
          code: "unknown_deployment",
          message: `there is no deployment ${id}`,
          hint: "Make one with init()."
        })
      }
      const inEnvironments = await store((deployments) => deployments.environments(id), options.signal)
      return { ...deployment, inEnvironments }
    },
    history: async ({ deploymentId, environment, signal, since, until, ...query } = {}) => {
      const id = deploymentId === undefined ? undefined : named(DeploymentId, "deploymentId", deploymentId)
      const name = environment === undefined ? undefined : named(EnvironmentName, "environment", environment)
      return store(
        (deployments) =>
          deployments.executions({
            ...query,
            ...given("deploymentId", id),
            ...given("environment", name),
            ...given("since", since?.getTime()),
            ...given("until", until?.getTime())
          }),
        signal
      )
    },
    command,
    replay: async (correlationId, { gate, signal, stacks, strategy } = {}) => {
      const id = named(CorrelationId, "correlationId", correlationId)
      const change = {
        ...given("gate", gate === undefined ? undefined : await run(Effect.fromResult(Replaying.checkGate(gate)))),
        ...given(
          "strategy",
          strategy === undefined ? undefined : await run(Effect.fromResult(Replaying.checkStrategy(strategy)))
        ),
        ...given("stacks", stacks)
      }
      return run(Replaying.replay(id, change), signal)
    },
    observe: async ({ configuration, deploymentId, environment, signal }) => {
      const manifest = await checked(configuration)
      const id = named(DeploymentId, "deploymentId", deploymentId)
      const name = named(EnvironmentName, "environment", environment)
      return box((signalbox) => signalbox.observe({ manifest, deploymentId: id, environment: name }), signal)
    },
    close,
    [Symbol.asyncDispose]: close
  }
}
