/**
 * Signalbox for programs: the facade, the configuration helpers and their types.
 *
 * *Example*
 *
 * ```ts
 * import { Providers, Signalbox } from "@signalbox/core"
 * import { embeddedStore } from "@signalbox/node"
 * import { LocalProvider } from "@signalbox/provider-local"
 * import { Layer } from "effect"
 *
 * const local = LocalProvider.make({ directory: ".signalbox" })
 * export const layer = Signalbox.layer.pipe(
 *   Layer.provideMerge(embeddedStore({ directory: ".signalbox" })),
 *   Layer.provide(Providers.layer([local]))
 * )
 * ```
 */
export { type ObservedStack, type PlannedStack, Rejected, type Request, type Submission } from "./api/index.ts"
export {
  type Config,
  Configuration,
  ConfigurationInvalid,
  ConfigurationIssue,
  defineConfig,
  output,
  type OutputReference,
  secret,
  type SecretReference
} from "./config/index.ts"
export { CorrelationId, DeploymentId, EnvironmentName, ErrorInfo, Manifest, StackName } from "./domain/index.ts"
export { type CommandExecution, Signalbox } from "./engine/index.ts"
export { LeaseHeld, LeaseLost, ProviderError, Providers, StoreError } from "./spi/index.ts"
