/**
 * What a plug-in is: plain values and promises, so that it works whatever copy of Effect or of this package it was built
 * with, or with none.
 */
import type { Abort } from "./Abort.ts"
import type { Json } from "../domain/Release.ts"
import type { Capabilities, Exclusive, PropertyIssue, StackRef } from "../spi/Provider.ts"
import type { PlainMetrics, PlainMetricSource } from "./PlainMetricSource.ts"
import type { PluginNotifier } from "./PlainNotifier.ts"
import type { PlainProvider } from "./PlainProvider.ts"
import type { PlainStore } from "./PlainStore.ts"
import type { PluginContext } from "./PluginContext.ts"

export type { PluginContext } from "./PluginContext.ts"

/** The version of this contract. A plug-in of another version is refused, with a hint which side to update. */
export const spiVersion = 1

/**
 * A package that brings providers, metric sources, notifiers, stores or subcommands.
 *
 * *Details*: `name` is the name of its package, by which it is found again when a recorded deployment needs it;
 * `options` are the ones that it was configured with, as JSON without secrets. Everything else is loaded when it is
 * used: keep the module of the plug-in itself light.
 *
 * *Example*
 *
 * ```ts
 * import type { Plugin } from "@signalbox/core/plugin"
 *
 * export const site = (options: { readonly root: string }): Plugin => ({
 *   name: "@acme/signalbox-site",
 *   spiVersion: 1,
 *   options,
 *   providers: {
 *     site: { capabilities, groups: ["traffic"], load: async () => (await import("./provider.js")).make(options) }
 *   }
 * })
 * export default site
 * ```
 */
export interface Plugin {
  readonly name: string
  readonly spiVersion: number
  readonly options?: Json
  /** By kind, the word that `provider` of a stack says. */
  readonly providers?: Readonly<Record<string, PluginProvider>>
  /** By the scheme of the store's URL, without the colon. */
  readonly stores?: Readonly<Record<string, PluginStore>>
  /** By the word that `metrics.source` of a stack says. */
  readonly metricSources?: Readonly<Record<string, PluginMetricSource>>
  /** By the word that `kind` of a channel says. */
  readonly notifiers?: Readonly<Record<string, PluginNotifier>>
  /** By the word after `signalbox`. */
  readonly commands?: Readonly<Record<string, PluginCommand>>
}

/** The optional groups of a provider. */
export const optionalGroups = [
  "traffic",
  "metrics",
  "drift",
  "restart",
  "events",
  "canGoBack",
  "alarms",
  "logs",
  "fence"
] as const satisfies ReadonlyArray<keyof PlainProvider>
/** An optional group of a provider. */
export type OptionalGroup = (typeof optionalGroups)[number]

/**
 * A provider of a plug-in, as far as it is known before it is loaded.
 *
 * *Details*: `groups` names the optional groups that the loaded provider has. `checkProperties` returns the issues of a
 * stack's properties (none: they are right); paths in `references` hold values that are known only later, and their
 * issues are ignored. `exclusive` is the one of `Provider`, and
 * `metrics` describes the metrics, if it has that group.
 */
export interface PluginProvider {
  readonly capabilities: Capabilities
  readonly groups?: ReadonlyArray<OptionalGroup>
  readonly checkProperties?: (
    properties: unknown,
    references: ReadonlyArray<ReadonlyArray<string | number>>
  ) => ReadonlyArray<PropertyIssue>
  readonly exclusive?: (ref: StackRef) => ReadonlyArray<Exclusive>
  readonly metrics?: PluginMetrics
  readonly load: (context: PluginContext) => PlainProvider | Promise<PlainProvider>
}

/** How coarse and how late a provider's metrics are; see `MetricSource`. By default single requests, at once. */
export interface PluginMetrics {
  readonly resolutionMs?: number
  readonly lagMs?: number
  readonly samples?: boolean
  readonly latency?: boolean
}

/**
 * A metric source of a plug-in, for stacks whose `metrics` name it.
 *
 * *Details*: `check` returns the mistake in a stack's `metrics`, if there is one. `describe` says how coarse and how late its
 * data are (default: as `metrics` says, without single response times). Both only read `metrics`.
 */
export interface PluginMetricSource {
  readonly check?: (
    metrics: PlainMetrics
  ) => { readonly path: ReadonlyArray<string>; readonly message: string } | undefined
  readonly describe?: (metrics: PlainMetrics) => PluginMetrics
  readonly load: (context: PluginContext) => PlainMetricSource | Promise<PlainMetricSource>
}

/** A store of a plug-in. `url` is whole, and may contain a password. */
export interface PluginStore {
  readonly load: (url: string, context: PluginContext) => PlainStore | Promise<PlainStore>
}

/** The streams and settings that a subcommand gets. */
export interface PluginInvocation {
  readonly args: ReadonlyArray<string>
  readonly directory: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal: Abort
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
}

/** A subcommand of a plug-in. `run` resolves with the exit code. */
export interface PluginCommand {
  readonly description: string
  readonly run: (invocation: PluginInvocation) => Promise<number>
}

/** How a configuration names a plug-in: the plug-in itself, the name of its package, or that with its options. */
export type PluginEntry = Plugin | string | { readonly plugin: string; readonly options?: Json }
