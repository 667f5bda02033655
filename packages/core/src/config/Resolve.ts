/**
 * Resolves a configuration for one environment: what an execution works from.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { StackName } from "../domain/Ids.ts"
import { type ExecutionSpec, type Manifest, type StackSpec, type StrategyName, StrategySpec } from "../domain/Spec.ts"
import { formatPath } from "./ConfigurationIssue.ts"
import { nearest } from "../text/nearest.ts"
import * as Properties from "./PropertiesCheck.ts"
import * as Variables from "./Variables.ts"
import { reject, type Rejected } from "../api/Rejected.ts"

const known = (manifest: Manifest) => ({
  environments: Object.keys(manifest.environments),
  stacks: manifest.stacks.map(({ name }) => name as string)
})

const strategyNamed = (stack: StackSpec, name: StrategyName | undefined): StrategySpec =>
  name === undefined || stack.strategy.type === name
    ? stack.strategy
    : Schema.decodeUnknownSync(StrategySpec)({ type: name })

const ownPlace = (key: "region" | "account", ...from: ReadonlyArray<{ readonly [K in typeof key]?: string }>) => {
  const found = from.find((one) => one[key] !== undefined)
  return found === undefined ? {} : { [key]: found[key] }
}

/**
 * What an execution in one environment works from.
 *
 * *Details*: the environment's settings are merged into the manifest's: properties key by key, everything else as a
 * whole. Each stack says where it is: its region and account in this environment, its own, or the environment's.
 * `stacks` limits it to these (outside dependencies stay named); `strategy` replaces the strategy of every stack that
 * has another one, with the defaults of the new one. `variables` are put into the properties.
 *
 * *Errors*: `Rejected`: `invalid` for a missing environment, a disabled stack, or a variable without a value,
 * `not_found` for an unknown stack.
 */
export const resolve = Effect.fnUntraced(function* (
  manifest: Manifest,
  environment: string,
  options: {
    readonly stacks?: ReadonlyArray<StackName>
    readonly strategy?: StrategyName
    readonly variables?: Variables.Variables
  } = {}
): Effect.fn.Return<ExecutionSpec, Rejected> {
  const names = known(manifest)
  const settings = Object.entries(manifest.environments).find(([name]) => name === environment)?.[1]
  if (settings === undefined) {
    return yield* reject(
      "unknown_environment",
      { environment, nearest: nearest(environment, names.environments), known: names.environments },
      { path: "environments" }
    )
  }
  for (const name of options.stacks ?? []) {
    if (names.stacks.includes(name)) continue
    return yield* reject(
      "unknown_stack",
      { stack: name, nearest: nearest(name, names.stacks), known: names.stacks },
      { path: "stacks" }
    )
  }
  const stacks = manifest.stacks
    .filter(({ name }) => options.stacks === undefined || options.stacks.includes(name))
    .map((stack): StackSpec => {
      const over = settings.stacks[stack.name]
      const merged: StackSpec = {
        ...stack,
        enabled: over?.enabled ?? stack.enabled,
        strategy: over?.strategy ?? stack.strategy,
        gate: over?.gate ?? stack.gate,
        ...(over?.metrics === undefined ? {} : { metrics: over.metrics }),
        ...ownPlace("region", over ?? {}, stack, settings),
        ...ownPlace("account", over ?? {}, stack, settings),
        properties: Properties.merge(stack.properties, over?.properties) as StackSpec["properties"]
      }
      return { ...merged, strategy: strategyNamed(merged, options.strategy) }
    })
  const off = options.stacks === undefined ? undefined : stacks.find(({ enabled }) => !enabled)
  if (off !== undefined) {
    return yield* reject("stack_disabled", { stack: off.name, environment }, { path: "stacks" })
  }
  return {
    stacks: options.variables === undefined ? stacks : yield* withVariables(stacks, options.variables),
    parallelism: manifest.parallelism,
    rollback: manifest.rollback,
    leaseTtl: manifest.leaseTtl,
    ...(settings.region === undefined ? {} : { region: settings.region }),
    ...(settings.account === undefined ? {} : { account: settings.account }),
    ...(manifest.queue === undefined ? {} : { queue: manifest.queue }),
    ...(manifest.freezes.length === 0 ? {} : { freezes: manifest.freezes }),
    ...(manifest.requires.length === 0 ? {} : { requires: manifest.requires }),
    ...(manifest.plugins === undefined ? {} : { plugins: manifest.plugins })
  }
})

const withVariables = Effect.fnUntraced(function* (
  stacks: ReadonlyArray<StackSpec>,
  variables: Variables.Variables
): Effect.fn.Return<ReadonlyArray<StackSpec>, Rejected> {
  const all = stacks.map((stack) =>
    stack.enabled ? Variables.substituteIn(stack, variables) : { stack, missing: new Map() }
  )
  for (const { missing, stack } of all) {
    for (const [variable, path] of missing) {
      return yield* reject(
        "variable_missing",
        { stack: stack.name, variable },
        { path: formatPath(["stacks", stack.name, "properties", ...path]) }
      )
    }
  }
  return all.map(({ stack }) => stack)
})
