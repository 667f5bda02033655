/**
 * The Promise facade.
 */
import { type Request } from "@signalbox/core/api"
import { QueueStatus, RecordedManifest, HistoryReplay } from "@signalbox/core/engine"
import { CorrelationId, DeploymentId, EnvironmentName, Execution, type StoreError } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import type { Connection, ConnectOptions, ReleaseOptions, UndoOptions } from "./Connection.ts"
import { coordination } from "./coordinate.ts"
import { executions } from "./executions.ts"
import { given, named, spanOf } from "./input.ts"
import { deploymentOf, placeOf, recordedPlace } from "./place.ts"
import { requestOf, submitted } from "./request.ts"
import { commandRuns } from "./runCommand.ts"
import { session, type Session } from "./session.ts"
import * as SignalboxNode from "./SignalboxNode.ts"
import { interrupted } from "./toSignalboxError.ts"

type Started = (ReleaseOptions | UndoOptions) & { readonly stack?: string }

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
 */
export const connect = async (options: ConnectOptions): Promise<Connection> => {
  const layer: Layer.Layer<SignalboxNode.Services, StoreError> =
    "url" in options ? SignalboxNode.layerPostgres(options) : SignalboxNode.layerEmbedded(options)
  return make(await session(ManagedRuntime.make(layer), options.by))
}

const make = (opened: Session): Connection => {
  const { box, by, checked, close, run, store } = opened
  const all = executions(opened)
  const { command, events, execution, handle, leave } = all

  const asked = async (kind: Request["kind"], { stack, ...options }: Started): Promise<Request> => {
    const place = await (RecordedManifest.takesBack(kind) ? recordedPlace : placeOf)(opened, options)
    return requestOf(opened, kind, place, { ...options, stacks: stack === undefined ? undefined : [stack] })
  }

  const start = (kind: Request["kind"]) => async (options: Started) => {
    const request = await asked(kind, options)
    const queueTimeout = options.queueTimeout === undefined ? undefined : spanOf("queueTimeout", options.queueTimeout)
    const { signal } = options
    const stopped = () => signal?.aborted === true
    if (stopped()) throw interrupted(signal?.reason)
    await run(QueueStatus.rejectNested(request, process.env))
    const { dropped, joined } = await submitted(opened, request)
    if (stopped() && !joined) await leave(request.correlationId)
    const droppedStacks = dropped.map(({ name }) => name)
    return handle(request.correlationId, joined, { signal, queueTimeout }, droppedStacks)
  }

  return {
    init: async ({ by: one, configuration, deploymentId, signal }) => {
      const manifest = await checked(configuration)
      const id = deploymentId === undefined ? undefined : named(DeploymentId, "deploymentId", deploymentId)
      return box(
        (signalbox) => signalbox.deployments.init({ manifest, by: by(one), ...given("deploymentId", id) }),
        signal
      )
    },
    plan: async (options) => {
      const request = await asked(options.stack === undefined ? "deploy" : "deploy-stack", options)
      return box((signalbox) => signalbox.executions.plan(request), options.signal)
    },
    deploy: start("deploy"),
    deployStack: start("deploy-stack"),
    rollback: start("rollback"),
    destroy: start("destroy"),
    destroyStack: start("destroy-stack"),
    runCommand: commandRuns(opened, all),
    ...coordination(opened, all),
    attach: async (correlationId, options = {}) => {
      const state = await execution(correlationId, options)
      if (!Execution.isFinished(state)) await run(QueueStatus.rejectNested(state, process.env))
      return handle(state.correlationId, true, { signal: options.signal })
    },
    execution,
    events,
    status: async (deploymentId, options = {}) => {
      const id = named(DeploymentId, "deploymentId", deploymentId)
      const deployment = await deploymentOf(opened, id, options.signal)
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
        ...given("gate", gate === undefined ? undefined : await run(Effect.fromResult(HistoryReplay.checkGate(gate)))),
        ...given(
          "strategy",
          strategy === undefined ? undefined : await run(Effect.fromResult(HistoryReplay.checkStrategy(strategy)))
        ),
        ...given("stacks", stacks)
      }
      return run(HistoryReplay.replay(id, change), signal)
    },
    observe: async ({ configuration, deploymentId, environment, signal }) => {
      const place = await recordedPlace(opened, { configuration, deploymentId, environment, signal })
      return box((signalbox) => signalbox.deployments.observe(place), signal)
    },
    close,
    [Symbol.asyncDispose]: close
  }
}
