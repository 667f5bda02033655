import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import type { Estimation, Signalbox } from "@signalbox/core/engine"
import type { DeploymentStore, Execution, LeaseStore, StoreError } from "@signalbox/core/spi"
import { type Failure, notFound } from "./Failure.ts"
import type { Services } from "../host/Host.ts"
import type { Invocation } from "./Invocation.ts"
import { reconcileKept } from "../wrap/spool.ts"

/** Whether a store is there already. */
export const hasStore = ({ settings }: Invocation): boolean =>
  settings.databaseUrl !== undefined || Fs.existsSync(Path.join(settings.directory, ".signalbox"))

/**
 * Opens the stores for a command. Only `init` makes one where there is none: a mistyped folder must not get a new, empty
 * state.
 */
export const withServices = <A, E, R>(
  invocation: Invocation,
  body: Effect.Effect<A, E, R>,
  options: { readonly create?: boolean } = {}
): Effect.Effect<A, E | Failure | StoreError, Exclude<R, Services>> => {
  const { directory, databaseUrl } = invocation.settings
  if (options.create !== true && !hasStore(invocation)) {
    return Effect.fail(
      notFound(
        "no_state",
        `there is no deployment in ${Path.relative(invocation.host.cwd, directory) || "this folder"}`,
        "Make one with: signalbox init (or say where it is with --directory)"
      )
    )
  }
  return Effect.provide(
    Effect.andThen(reconcileKept(invocation), body),
    invocation.host.backend.layer({ directory, ...(databaseUrl === undefined ? {} : { databaseUrl }) })
  )
}

/** The engine's modules. */
export const engine = Effect.promise(() => import("../backend/engine.ts"))

const nothing = () => undefined

/** Says again and again what is left of an execution. Reads nothing, and loads nothing, for one that has finished. */
export const estimator = (
  state: Execution.ExecutionState
): Effect.Effect<Estimation.Estimator, StoreError, DeploymentStore | LeaseStore> =>
  state.finishedAt === undefined
    ? Effect.flatMap(engine, ({ Estimation }) => Estimation.estimator(state))
    : Effect.succeed(nothing)

/** The facade, as a service of the stores that `withServices` has opened. */
export const signalbox: Effect.Effect<Signalbox["Service"], never, Signalbox> = Effect.flatMap(
  engine,
  ({ Signalbox }) => Signalbox
)
