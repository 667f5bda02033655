/**
 * Checks a whole configuration at once, and resolves it for one environment.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { EnvironmentName, StackName } from "../domain/Ids.ts"
import type { Json, Outputs } from "../domain/Release.ts"
import {
  type ExecutionSpec,
  Manifest,
  type PluginSpec,
  StackSpec,
  type StrategyName,
  StrategySpec
} from "../domain/Spec.ts"
import type { Provider } from "../spi/Provider.ts"
import { ConfigurationInvalid, type ConfigurationIssue, formatPath, nearest } from "./ConfigurationIssue.ts"
import { toPlain } from "./PlainValue.ts"
import * as Properties from "./PropertiesCheck.ts"
import * as References from "./ReferenceCheck.ts"
import * as Secrets from "./SecretsCheck.ts"
import * as Shape from "./ManifestShape.ts"
import { sketch } from "./Sketch.ts"
import { isObject } from "./ShapeWalk.ts"
import { asWritten, located, type Written } from "./WrittenValues.ts"
import { fillIn } from "./OutputSubstitution.ts"
import { reject, type Rejected } from "../api/Rejected.ts"
import type { Request } from "../api/Request.ts"

export { formatPath, type Written }

/** A plug-in in a configuration: itself, the name of its package, or that with its options. */
export type ConfiguredPlugin = string | PluginSpec | { readonly name: string; readonly spiVersion: number }

/**
 * The contents of a configuration file: a manifest as written, with durations as strings.
 */
export type Config = Omit<typeof Manifest.Encoded, "plugins"> & { readonly plugins?: ReadonlyArray<ConfiguredPlugin> }

/**
 * A configuration with its plug-ins as they are recorded: by package and options.
 */
export const withNamedPlugins = (value: unknown): unknown => {
  if (!isObject(value) || !Array.isArray(value.plugins)) return value
  const plugins = value.plugins.map((one: unknown) => {
    if (typeof one === "string") return { plugin: one }
    if (!isObject(one) || !("spiVersion" in one)) return one
    return { plugin: one.name, ...(one.options === undefined ? {} : { options: one.options }) }
  })
  return { ...value, plugins }
}

/**
 * Gives a configuration its type; returns it as it is.
 */
export const defineConfig = (config: Config): Config => config

/**
 * The configuration of a project that has none and only wraps commands: its stacks have no provider.
 */
export const bare = (options: {
  readonly organization: string
  readonly project: string
  readonly environment: EnvironmentName
  readonly stacks: ReadonlyArray<StackName>
}): Manifest =>
  Schema.decodeUnknownSync(Schema.Struct({ ...Manifest.fields, stacks: Schema.Array(StackSpec) }))({
    organization: options.organization,
    project: options.project,
    environments: { [options.environment]: {} },
    stacks: options.stacks.map((name) => ({ name, provider: noProvider }))
    // Only configurations from files must have a stack.
  }) as Manifest

/** The provider of stacks that only wrapped commands change. */
export const noProvider = "command"

/** The gate of an environment is merged into the manifest's gate before defaults fill the gaps of both. */
const layGates = (value: unknown): unknown => {
  if (!isObject(value) || !isObject(value.environments) || !Array.isArray(value.stacks)) return value
  const gates = new Map(value.stacks.filter(isObject).map((stack) => [stack.name, stack.gate] as const))
  const environments = Object.entries(value.environments).map(([name, environment]) => {
    if (!isObject(environment) || !isObject(environment.stacks)) return [name, environment] as const
    const stacks = Object.entries(environment.stacks).map(([stack, override]) =>
      isObject(override) && override.gate !== undefined
        ? ([stack, { ...override, gate: Properties.merge(gates.get(stack), override.gate) }] as const)
        : ([stack, override] as const)
    )
    return [name, { ...environment, stacks: Object.fromEntries(stacks) }] as const
  })
  return { ...value, environments: Object.fromEntries(environments) }
}

const decode = Schema.decodeUnknownResult(Manifest, { errors: "first", onExcessProperty: "error" })

const byPath = (issues: ReadonlyArray<ConfigurationIssue>): ReadonlyArray<ConfigurationIssue> =>
  [...new Map(issues.map((issue) => [issue.path, issue] as const).toReversed()).values()].toReversed()

/**
 * Checks an unknown value against the shape of a manifest, its own references and the installed providers.
 *
 * *Details*: pure; all issues are reported at once, one for each place. `written` gives the values as written in the
 * file: if a string is expected and a number was read, the written text counts, and issues get lines.
 *
 * *Errors*: `ConfigurationInvalid`.
 */
export const check = (
  value: unknown,
  providers: ReadonlyMap<string, Provider>,
  options: { readonly file?: string; readonly written?: Iterable<Written> } = {}
): Result.Result<Manifest, ConfigurationInvalid> => {
  const written = [...(options.written ?? [])]
  const invalid = (...issues: readonly [ConfigurationIssue, ...ReadonlyArray<ConfigurationIssue>]) => {
    const [first, ...others] = located(issues, written)
    return Result.fail(
      new ConfigurationInvalid({
        issues: [first!, ...others],
        ...(options.file === undefined ? {} : { file: options.file })
      })
    )
  }
  const copied = toPlain(withNamedPlugins(value))
  const plain = asWritten(copied.value, written, providers)
  const config = sketch(plain.value)
  const [first, ...others] = byPath([
    ...copied.issues,
    ...plain.issues,
    ...Shape.manifest(plain.value, []),
    ...References.check(config, providers),
    ...Properties.check(config, providers),
    ...Secrets.check(config)
  ])
  if (first !== undefined) return invalid(first, ...others)
  return Result.orElse(decode(layGates(plain.value)), () =>
    invalid({
      path: "",
      message: "does not have the shape of a configuration",
      expected: "a configuration as defineConfig takes it",
      hint: "Write it with defineConfig in signalbox.config.ts and let TypeScript check it."
    })
  )
}

const known = (manifest: Manifest) => ({
  environments: Object.keys(manifest.environments),
  stacks: manifest.stacks.map(({ name }) => name as string)
})

const strategyNamed = (stack: StackSpec, name: StrategyName | undefined): StrategySpec =>
  name === undefined || stack.strategy.type === name
    ? stack.strategy
    : Schema.decodeUnknownSync(StrategySpec)({ type: name })

/**
 * What an execution in one environment works from.
 *
 * *Details*: the environment's settings are merged into the manifest's: properties key by key, strategy and `enabled`
 * as a whole. `stacks` limits it to these (outside dependencies stay named); `strategy` replaces the strategy of every
 * stack that has another one, with the defaults of the new one.
 *
 * *Errors*: `Rejected`: `invalid` for a missing environment or a disabled stack, `not_found` for an unknown stack.
 */
export const resolve = Effect.fnUntraced(function* (
  manifest: Manifest,
  environment: string,
  options: { readonly stacks?: ReadonlyArray<StackName>; readonly strategy?: StrategyName } = {}
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
        properties: Properties.merge(stack.properties, over?.properties) as StackSpec["properties"]
      }
      return { ...merged, strategy: strategyNamed(merged, options.strategy) }
    })
  const off = options.stacks === undefined ? undefined : stacks.find(({ enabled }) => !enabled)
  if (off !== undefined) {
    return yield* reject("stack_disabled", { stack: off.name, environment }, { path: "stacks" })
  }
  return {
    stacks,
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

/**
 * Checks everything about a request that needs no store, so that impossible requests take no queue position; returns
 * the resolved configuration.
 *
 * *Details*: `bare` says that its project has no configuration.
 *
 * *Errors*: `Rejected`: the errors of `resolve`; `invalid` for a request that needs a configuration if there is none,
 * for any number of stacks but one if it is about one, and for a strategy that the providers do not support.
 */
export const checkRequest = Effect.fnUntraced(function* (
  {
    environment,
    kind,
    manifest,
    stacks,
    strategy
  }: Pick<Request, "environment" | "kind" | "manifest" | "stacks" | "strategy">,
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

/**
 * Replaces output references with the known outputs; unknown ones become null.
 */
export const fill = (properties: Json, outputs: ReadonlyMap<string, Outputs>): Json => fillIn(properties, outputs).value
