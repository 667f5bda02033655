export * as SimulatedProvider from "./SimulatedProvider.ts"
export * as ProviderSuite from "./ProviderSuite.ts"
