/**
 * What a request says, checked against its configuration.
 */
import * as Effect from "effect/Effect"
import type { StackName } from "../domain/Ids.ts"
import type { ExecutionSpec, Manifest } from "../domain/Spec.ts"
import type { Provider } from "../spi/Provider.ts"
import { formatPath } from "./ConfigurationIssue.ts"
import { nearest } from "../text/nearest.ts"
import * as References from "./ReferenceCheck.ts"
import { resolve } from "./Resolve.ts"
import { substituteIn, type Variables } from "./Variables.ts"
import { reject, type Rejected } from "../api/Rejected.ts"
import type { Request } from "../api/Request.ts"

type Deploying = Pick<Request, "kind" | "environment" | "version" | "origin">

/** What a request puts into the properties. What was deployed before is on record, and has its values. */
export const variablesOf = ({ environment, kind, origin, version }: Deploying): Variables | undefined =>
  kind === "deploy" || kind === "deploy-stack" ? { version, commit: origin?.commit, environment } : undefined

/**
 * `resolve` for a request: limited to its stacks, with its strategy and its variables.
 */
export const resolveFor = (
  request: Deploying & Pick<Request, "stacks" | "strategy">,
  manifest: Manifest
): Effect.Effect<ExecutionSpec, Rejected> => {
  const variables = variablesOf(request)
  return resolve(manifest, request.environment, {
    ...(request.stacks === undefined ? {} : { stacks: request.stacks }),
    ...(request.strategy === undefined ? {} : { strategy: request.strategy }),
    ...(variables === undefined ? {} : { variables })
  })
}

/**
 * Checks that each artifact belongs to a stack of the request.
 */
export const checkArtifacts = (
  { artifacts, stacks }: Pick<Request, "artifacts" | "stacks">,
  manifest: Manifest
): Effect.Effect<void, Rejected> => {
  const names: ReadonlyArray<string> = stacks ?? manifest.stacks.map(({ name }) => name)
  const stack = Object.keys(artifacts ?? {}).find((name) => !names.includes(name))
  return stack === undefined
    ? Effect.void
    : Effect.fail(
        reject(
          "artifact_without_stack",
          { stack, nearest: nearest(stack, names), known: names },
          { path: `artifacts.${stack}` }
        )
      )
}

/** The texts with variables in the properties of each stack, by path, as a request would record them. */
export const valuesOf = (
  request: Deploying & Pick<Request, "stacks">,
  manifest: Manifest
): Effect.Effect<ReadonlyMap<StackName, Readonly<Record<string, string>>>, Rejected> => {
  const variables = variablesOf(request) ?? {}
  const narrowed = request.stacks === undefined ? {} : { stacks: request.stacks }
  return Effect.map(
    resolve(manifest, request.environment, narrowed),
    ({ stacks }) =>
      new Map(
        stacks.map((stack) => [
          stack.name,
          Object.fromEntries(substituteIn(stack, variables).filled.map(({ path, text }) => [formatPath(path), text]))
        ])
      )
  )
}

/** The artifact that a request brings in for a stack. */
export const artifactFor = (
  { artifact, artifacts }: Pick<Request, "artifact" | "artifacts">,
  stack: StackName
): { readonly artifact?: string } => {
  const own = artifacts?.[stack] ?? artifact
  return own === undefined ? {} : { artifact: own }
}

/**
 * Checks everything about a request that needs no store, so that impossible requests take no queue position; returns
 * the resolved configuration.
 *
 * *Details*: `bare` says that its project has no configuration.
 *
 * *Errors*: `Rejected`: the errors of `resolve`; `invalid` for a request that needs a configuration if there is none,
 * for any number of stacks but one if it is about one, for the artifact of another stack, and for a strategy that the
 * providers do not support.
 */
export const checkRequest = Effect.fnUntraced(function* (
  {
    artifacts,
    environment,
    kind,
    manifest,
    stacks,
    strategy
  }: Pick<Request, "artifacts" | "environment" | "kind" | "manifest" | "stacks" | "strategy">,
  { bare, providers }: { readonly bare: boolean; readonly providers: ReadonlyMap<string, Provider> }
): Effect.fn.Return<ExecutionSpec, Rejected> {
  if (bare && kind !== "run") {
    return yield* reject("configuration_missing", { kind }, { path: "configuration" })
  }
  if (kind.endsWith("-stack") && stacks?.length !== 1) {
    return yield* reject("stack_missing", { kind }, { path: "stacks" })
  }
  const spec = yield* resolve(manifest, environment, {
    ...(stacks === undefined ? {} : { stacks }),
    ...(strategy === undefined ? {} : { strategy })
  })
  yield* checkArtifacts(
    { ...(artifacts === undefined ? {} : { artifacts }), ...(stacks === undefined ? {} : { stacks }) },
    manifest
  )
  if (kind !== "run") yield* supports(spec, providers)
  return spec
})

/** `check` did not see a strategy from the command line. */
const supports = (spec: ExecutionSpec, providers: ReadonlyMap<string, Provider>): Effect.Effect<void, Rejected> => {
  for (const { name, provider, strategy } of spec.stacks.filter(({ enabled }) => enabled)) {
    const capabilities = providers.get(provider)?.capabilities
    const lacks = capabilities === undefined ? "installation" : References.lacks(strategy.type, capabilities)
    if (lacks === undefined) continue
    return Effect.fail(
      reject(
        "strategy_unsupported",
        {
          stack: name,
          strategy: strategy.type,
          provider,
          lacks,
          possible: capabilities === undefined ? [] : References.possible(capabilities)
        },
        { path: `stacks.${name}.strategy` }
      )
    )
  }
  return Effect.void
}
