/**
 * The Promise facade.
 */
import type { Request } from "@signalbox/core/api"
import { deploymentView, environmentView, estimateView, replayView } from "@signalbox/core/api/views"
import { HistoryReplay, RecordedManifest } from "@signalbox/core/engine"
import { CorrelationId, DeploymentId, EnvironmentName, Execution } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Schema from "effect/Schema"
import type { Connection, ConnectOptions, ReleaseOptions, RollbackOptions } from "./Connection.ts"
import { coordination } from "./coordinate.ts"
import { executions, shown } from "./executions.ts"
import { given, named, spanOf } from "./input.ts"
import { logs } from "./logs.ts"
import { deploymentOf, placeOf, recordedPlace, warn } from "./place.ts"
import { requestOf, submitted } from "./request.ts"
import { commandRuns } from "./runCommand.ts"
import { session, type Session } from "./session.ts"
import { layerOf } from "./layerOf.ts"
import { interrupted } from "./toSignalboxError.ts"

type Started = (ReleaseOptions | RollbackOptions) & { readonly stack?: string }

/**
 * Opens Signalbox for a program that does not use Effect.
 *
 * *When to use*: in services, scripts and tests with promises. Programs on Effect use `SignalboxNode` instead.
 *
 * *Details*: executions run in this process. `close` it, or declare it with `await using`.
 *
 * *Errors*: `StoreFailedError` if the database cannot be reached; `InvalidInputError` if a plug-in cannot be used, or
 * (`opentelemetry_missing`) if `telemetry` is `"host"` and `@opentelemetry/api` is not installed.
 *
 * *Example*
 *
 * ```ts
 * const signalbox = await connect({ directory: ".signalbox", providers: [local] })
 * const { deploymentId } = await signalbox.deployments.init({ configuration })
 * const execution = await signalbox.deploy({ configuration, deploymentId, environment: "production", version: "1.4.0" })
 * for await (const { event } of execution.events()) console.log(event._tag)
 * console.log((await execution.done).status)
 * ```
 */
export const connect = async (options: ConnectOptions): Promise<Connection> => {
  const layer = await layerOf(options)
  const telemetry = named(Telemetry, "telemetry", options.telemetry)
  const traced = telemetry === undefined ? layer : Layer.provide(layer, await hostTelemetry())
  return make(await session(ManagedRuntime.make(traced), options.by))
}

const Telemetry = Schema.UndefinedOr(Schema.Literal("host"))

/** The program's OpenTelemetry, loaded only if it is asked for. */
const hostTelemetry = async () => {
  const telemetry = await import("../telemetry/hostTelemetry.ts")
  return telemetry.hostTelemetry({ warn })
}

const make = (opened: Session): Connection => {
  const { box, by, checked, close, run } = opened
  const all = executions(opened)
  const { command, events, get, handle, leave, read } = all

  const asked = async (kind: Request["kind"], { stack, ...options }: Started): Promise<Request> => {
    const place = await (RecordedManifest.takesBack(kind) ? recordedPlace : placeOf)(opened, options)
    return requestOf(opened, kind, place, { ...options, stacks: stack === undefined ? undefined : [stack] })
  }

  const refuseNested = (place: Pick<Request, "deploymentId" | "environment">) =>
    box(({ coordination }) => coordination.rejectNested(place, process.env), undefined)

  const start = (kind: Request["kind"]) => async (options: Started) => {
    const request = await asked(kind, options)
    const queueTimeout = options.queueTimeout === undefined ? undefined : spanOf("queueTimeout", options.queueTimeout)
    const { signal } = options
    const stopped = () => signal?.aborted === true
    if (stopped()) throw interrupted(signal?.reason)
    await refuseNested(request)
    const { dropped, joined } = await submitted(opened, request)
    if (stopped() && !joined) await leave(request.correlationId)
    const droppedStacks = dropped.map(({ name }) => name)
    return handle(request.correlationId, joined, { signal, queueTimeout }, droppedStacks)
  }

  return {
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
    ...coordination(opened),
    executions: {
      command,
      events,
      get,
      list: async ({ deploymentId, environment, signal, since, until, ...query } = {}) => {
        const id = deploymentId === undefined ? undefined : named(DeploymentId, "deploymentId", deploymentId)
        const name = environment === undefined ? undefined : named(EnvironmentName, "environment", environment)
        const { items, ...page } = await box(
          (signalbox) =>
            signalbox.executions.list({
              ...query,
              ...given("deploymentId", id),
              ...given("environment", name),
              ...given("since", since?.getTime()),
              ...given("until", until?.getTime())
            }),
          signal
        )
        const restorable = await box((signalbox) => signalbox.executions.restorable(items), signal)
        return { ...page, items: items.map((state) => shown(state, restorable)) }
      },
      attach: async (correlationId, options = {}) => {
        const state = await read(named(CorrelationId, "correlationId", correlationId), options.signal)
        if (!Execution.isFinished(state)) await refuseNested(state)
        return handle(state.correlationId, true, { signal: options.signal })
      },
      estimate: async (correlationId, options = {}) => {
        const { correlationId: id } = await read(named(CorrelationId, "correlationId", correlationId), options.signal)
        return estimateView(await box((signalbox) => signalbox.executions.estimate(id), options.signal))
      },
      replay: async (correlationId, { gate, signal, stacks, strategy } = {}) => {
        const id = named(CorrelationId, "correlationId", correlationId)
        const change = {
          ...given(
            "gate",
            gate === undefined ? undefined : await run(Effect.fromResult(HistoryReplay.checkGate(gate)))
          ),
          ...given(
            "strategy",
            strategy === undefined ? undefined : await run(Effect.fromResult(HistoryReplay.checkStrategy(strategy)))
          ),
          ...given("stacks", stacks)
        }
        return replayView(await box((signalbox) => signalbox.executions.replay(id, change), signal))
      }
    },
    deployments: {
      init: async ({ by: one, configuration, deploymentId, signal }) => {
        const manifest = await checked(configuration)
        const id = deploymentId === undefined ? undefined : named(DeploymentId, "deploymentId", deploymentId)
        const made = await box(
          ({ deployments }) => deployments.init({ manifest, by: by(one), ...given("deploymentId", id) }),
          signal
        )
        return deploymentView(made)
      },
      list: async ({ signal } = {}) =>
        (await box(({ deployments }) => deployments.list, signal)).map((one) => deploymentView(one)),
      get: async (deploymentId, { signal } = {}) => {
        const id = named(DeploymentId, "deploymentId", deploymentId)
        const deployment = await deploymentOf(opened, id, signal)
        const states = await box(({ deployments }) => deployments.environments(id), signal)
        const now = Date.now()
        const inEnvironments = states.map(async (state) => {
          const last = await box((signalbox) => signalbox.executions.get(state.current ?? state.last), signal)
          return environmentView(deployment, state, state.environment, last, now)
        })
        return { ...deploymentView(deployment, states), inEnvironments: await Promise.all(inEnvironments) }
      },
      logs: logs(opened),
      observe: async ({ configuration, deploymentId, environment, signal }) => {
        const place = await recordedPlace(opened, { configuration, deploymentId, environment, signal })
        return box(({ deployments }) => deployments.observe(place), signal)
      }
    },
    close,
    [Symbol.asyncDispose]: close
  }
}
