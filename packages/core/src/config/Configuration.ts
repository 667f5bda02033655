/**
 * Checks a whole configuration at once.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { EnvironmentName, StackName } from "../domain/Ids.ts"
import { NotificationsSpec } from "../domain/notification/index.ts"
import { Manifest, type PluginSpec, StackSpec } from "../domain/Spec.ts"
import type { NotifierKind } from "../spi/Notifier.ts"
import type { Provider } from "../spi/Provider.ts"
import { ConfigurationInvalid, type ConfigurationIssue, formatPath } from "./ConfigurationIssue.ts"
import { toPlain } from "./PlainValue.ts"
import * as Notifications from "./NotificationsCheck.ts"
import { notifications as notificationsShape } from "./NotificationsShape.ts"
import * as Properties from "./PropertiesCheck.ts"
import * as References from "./ReferenceCheck.ts"
import * as Secrets from "./SecretsCheck.ts"
import * as Shape from "./ManifestShape.ts"
import { sketch } from "./Sketch.ts"
import { isObject } from "./ShapeWalk.ts"
import { asWritten, located, type Written } from "./WrittenValues.ts"
import * as Variables from "./Variables.ts"

export { formatPath, type Written }
export { artifactFor, checkArtifacts, checkRequest, resolveFor, valuesOf, variablesOf } from "./RequestCheck.ts"
export { resolve } from "./Resolve.ts"

/** A plug-in in a configuration: itself, the name of its package, or that with its options. */
export type ConfiguredPlugin = string | PluginSpec | { readonly name: string; readonly spiVersion: number }

/**
 * The contents of a configuration file: a manifest as written, with durations as strings.
 */
export type Config = Omit<typeof Manifest.Encoded, "plugins" | "stacks"> & {
  readonly plugins?: ReadonlyArray<ConfiguredPlugin>
  readonly stacks: readonly [ConfiguredStack, ...ReadonlyArray<ConfiguredStack>]
}

/** A stack as it is written in a configuration. */
export type ConfiguredStack = Omit<typeof StackSpec.Encoded, "dependsOn" | "lockstep"> & {
  readonly dependsOn?: ReadonlyArray<string | ConfiguredDependency>
}

/**
 * A dependency with its terms: with `lockstep`, it is not put back as long as the stack that depends on it cannot be.
 */
export interface ConfiguredDependency {
  readonly stack: string
  readonly lockstep?: boolean
}

/** The stacks with their dependencies by name, and the names that are in lockstep. */
const layEdges = (value: unknown): unknown => {
  if (!isObject(value) || !Array.isArray(value.stacks)) return value
  const stacks = value.stacks.map((stack: unknown) => {
    if (!isObject(stack) || !Array.isArray(stack.dependsOn)) return stack
    const edges = stack.dependsOn.map((edge: unknown) => (isObject(edge) ? edge : { stack: edge, lockstep: false }))
    const lockstep = edges.filter((edge) => edge.lockstep === true).map((edge) => edge.stack)
    return {
      ...stack,
      dependsOn: edges.map((edge) => edge.stack),
      ...(lockstep.length === 0 ? {} : { lockstep })
    }
  })
  return { ...value, stacks }
}

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
 * *Details*: pure; all issues are reported at once, one for each place. Channels are checked against `notifiers`, if given. `written` gives the values as written in the
 * file: if a string is expected and a number was read, the written text counts, and issues get lines.
 *
 * *Errors*: `ConfigurationInvalid`.
 */
export const check = (
  value: unknown,
  providers: ReadonlyMap<string, Provider>,
  options: {
    readonly file?: string
    readonly written?: Iterable<Written>
    readonly notifiers?: ReadonlyMap<string, NotifierKind>
  } = {}
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
    ...Secrets.check(config),
    ...Variables.check(config),
    ...Notifications.check(plain.value, options.notifiers)
  ])
  if (first !== undefined) return invalid(first, ...others)
  return Result.orElse(decode(layEdges(layGates(plain.value))), () =>
    invalid({
      path: "",
      message: "does not have the shape of a configuration",
      expected: "a configuration as defineConfig takes it",
      hint: "Write it with defineConfig in signalbox.config.ts and let TypeScript check it."
    })
  )
}

const decodeNotifications = Schema.decodeUnknownResult(NotificationsSpec, { onExcessProperty: "error" })

/**
 * The notifications of a configuration whose other parts are not needed; undefined if it has none.
 *
 * *Errors*: `ConfigurationInvalid`.
 */
export const notificationsIn = (
  value: unknown,
  notifiers: ReadonlyMap<string, NotifierKind>,
  file?: string
): Result.Result<NotificationsSpec | undefined, ConfigurationInvalid> => {
  if (!isObject(value) || value.notifications === undefined) return Result.succeed(undefined)
  const copied = toPlain({ notifications: value.notifications })
  const [first, ...others] = byPath([
    ...copied.issues,
    ...notificationsShape((copied.value as { readonly notifications: unknown }).notifications, ["notifications"]),
    ...Notifications.check(copied.value, notifiers)
  ])
  const invalid = (...issues: readonly [ConfigurationIssue, ...ReadonlyArray<ConfigurationIssue>]) =>
    Result.fail(new ConfigurationInvalid({ issues, ...(file === undefined ? {} : { file }) }))
  if (first !== undefined) return invalid(first, ...others)
  return Result.mapError(
    decodeNotifications((copied.value as { readonly notifications: unknown }).notifications),
    () =>
      new ConfigurationInvalid({
        issues: [
          {
            path: "notifications",
            message: "does not have the shape of notifications",
            expected: "an object with channels, routes and escalate",
            hint: "Write it with defineConfig in signalbox.config.ts and let TypeScript check it."
          }
        ]
      })
  )
}
