export * as SimulatedProvider from "./SimulatedProvider.ts"
export * as ProviderSuite from "./ProviderSuite.ts"
export * as DeploymentStoreSuite from "./DeploymentStoreSuite.ts"
export * as LeaseStoreSuite from "./LeaseStoreSuite.ts"
