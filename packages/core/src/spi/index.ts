/**
 * The ports: what adapters implement, with the domain types that they use.
 */
export * from "../domain/index.ts"
export * from "./DeploymentStore.ts"
export * as LeaseKey from "./LeaseKey.ts"
export * from "./LeaseStore.ts"
export * from "./Logs.ts"
export * from "./MetricSource.ts"
export * from "./Provider.ts"
export * from "./ProviderError.ts"
export * from "./Providers.ts"
export * from "./StoreError.ts"
export { canonicalJson } from "./canonicalJson.ts"
export { decodeProperties } from "./decodeProperties.ts"
export { defaultPoll, type PollOptions, pollUntil } from "./Poll.ts"
export { reportProgress } from "./reportProgress.ts"
