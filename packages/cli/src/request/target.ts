/**
 * The target of a command: which deployment, which environment, which execution.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import {
  CorrelationId,
  DeploymentId,
  type Environment,
  EnvironmentName,
  type Execution,
  type Manifest,
  type StoreError
} from "@signalbox/core/spi"
import type { Signalbox } from "@signalbox/core/engine"
import { type Failure, notFound, usage } from "../main/Failure.ts"
import { invocation, type Invocation } from "../main/Invocation.ts"
import { signalbox, withServices } from "../main/services.ts"

const isDeploymentId = Schema.is(DeploymentId)
const isCorrelationId = Schema.is(CorrelationId)
export const isEnvironmentName = Schema.is(EnvironmentName)

/** The deployment of this folder, if its files name one. */
export const idHere = ({ settings: { deploymentId } }: Pick<Invocation, "settings">): DeploymentId | undefined =>
  isDeploymentId(deploymentId) ? deploymentId : undefined

/** The given deployment ID, or the one of this folder. */
export const deploymentId = (
  invocation: Invocation,
  given: DeploymentId | undefined
): Effect.Effect<DeploymentId, Failure> => {
  if (given !== undefined) return Effect.succeed(given)
  const id = invocation.settings.deploymentId
  if (id === undefined) {
    return Effect.fail(
      usage(
        "deployment_missing",
        "which deployment? there is no .deployment-metadata.yaml here",
        "Give its ID (signalbox list shows them), or create one with: signalbox init",
        "<id>"
      )
    )
  }
  return isDeploymentId(id)
    ? Effect.succeed(id)
    : Effect.fail(
        usage(
          "metadata_invalid",
          ".deployment-metadata.yaml holds no deployment id",
          "Give the id on the command line.",
          ".deployment-metadata.yaml"
        )
      )
}

/** The deployment itself, from the store. */
export const deployment = Effect.fnUntraced(function* (
  id: DeploymentId
): Effect.fn.Return<Environment.Deployment, Failure | StoreError, Signalbox> {
  const { deployments } = yield* signalbox
  const found = yield* deployments.get(id)
  if (found !== undefined) return found
  const others = (yield* deployments.list).map((one) => one.deploymentId)
  return yield* notFound(
    "unknown_deployment",
    `there is no deployment ${id}`,
    others.length === 0
      ? "Create one with: signalbox init"
      : `There are: ${others.slice(0, 10).join(", ")}. See: signalbox list`
  )
})

const only = (names: ReadonlyArray<string>): string | undefined => (names.length === 1 ? names[0] : undefined)

const which = (names: ReadonlyArray<string>): Failure =>
  usage("environment_missing", "which environment?", `Add --environment ${names.join(" | ")}`, "--environment")

/** The requested environment; the only one if there is just one. */
export const environmentIn = (
  invocation: Invocation,
  names: ReadonlyArray<string>
): Effect.Effect<EnvironmentName, Failure> => {
  const name = invocation.settings.environment ?? only(names)
  if (name === undefined) return Effect.fail(which(names))
  return isEnvironmentName(name) && names.includes(name)
    ? Effect.succeed(name)
    : Effect.fail(
        usage(
          "unknown_environment",
          `there is no environment "${name}"`,
          `The environments are: ${names.join(", ")}.`,
          "--environment"
        )
      )
}

export const environmentOf = (invocation: Invocation, manifest: Manifest): Effect.Effect<EnvironmentName, Failure> =>
  environmentIn(invocation, Object.keys(manifest.environments))

/** All environments of a deployment: from its creation, and those in which something was done. */
export const environmentNames = Effect.fnUntraced(function* (
  id: DeploymentId
): Effect.fn.Return<ReadonlyArray<EnvironmentName>, Failure | StoreError, Signalbox> {
  const { environments } = yield* deployment(id)
  const states = yield* (yield* signalbox).deployments.environments(id)
  return [...new Set([...environments, ...states.map(({ environment }) => environment)])]
})

/**
 * The requested environment, if the record matters more than today's configuration: one of either. If none was named,
 * it is the only one of the configuration, or else the only one on record.
 */
export const environmentOnRecord = Effect.fnUntraced(function* (
  invocation: Invocation,
  id: DeploymentId,
  today: Manifest | undefined
): Effect.fn.Return<EnvironmentName, Failure | StoreError, Signalbox> {
  const recorded = yield* environmentNames(id)
  const configured = Object.keys(today?.environments ?? {})
  const names = [...new Set([...configured, ...recorded])]
  return yield* environmentIn(
    invocation,
    invocation.settings.environment === undefined && configured.length === 1 ? configured : names
  )
})

export const unknownExecution = (id: string): Failure =>
  notFound("unknown_execution", `there is no execution ${id}`, "See: signalbox history, signalbox active")

/**
 * The execution that an ID means: a correlation ID, or a deployment whose execution in progress in the environment is
 * meant (`last: true` accepts a finished one).
 */
export const execution = Effect.fnUntraced(function* (
  invocation: Invocation,
  given: string | undefined,
  options: { readonly last?: boolean } = {}
): Effect.fn.Return<Execution.ExecutionState, Failure | StoreError, Signalbox> {
  const { deployments, executions } = yield* signalbox
  if (given !== undefined && isCorrelationId(given)) {
    const named = yield* executions.get(given)
    if (named !== undefined) return named
    if (!isDeploymentId(given)) {
      return yield* unknownExecution(given)
    }
  }
  const id = yield* deploymentId(invocation, given as DeploymentId | undefined)
  const owner = yield* deployment(id)
  const states = yield* deployments.environments(id)
  const wanted = invocation.settings.environment
  const running = states.filter(
    (state) => (wanted === undefined || state.environment === wanted) && state.current !== null
  )
  if (wanted !== undefined) yield* environmentIn(invocation, owner.environments)
  if (running.length > 1) return yield* which(running.map(({ environment }) => environment))
  const state =
    running[0] ??
    (options.last === true
      ? states.find(({ environment }) => wanted === undefined || environment === wanted)
      : undefined)
  const found = state === undefined ? undefined : yield* executions.get(state.current ?? state.last)
  return (
    found ??
    (yield* notFound(
      "nothing_in_progress",
      `nothing is in progress for ${id}${wanted === undefined ? "" : ` in ${wanted}`}`,
      `See what was: signalbox history ${id}`
    ))
  )
})

/** Opens the stores and works on the execution that an ID means. */
export const onExecution = <A, E, R>(
  id: Option.Option<string>,
  body: (inv: Invocation, target: Execution.ExecutionState) => Effect.Effect<A, E, R>,
  options: { readonly last?: boolean } = {}
) =>
  Effect.flatMap(invocation, (inv) => {
    const target = execution(inv, Option.getOrUndefined(id), options)
    return withServices(
      inv,
      Effect.flatMap(target, (found) => body(inv, found))
    )
  })
