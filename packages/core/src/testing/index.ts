export * as SimulatedProvider from "./SimulatedProvider.ts"
