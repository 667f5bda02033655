/// <reference types="node" preserve="true" />
/**
 * A simulator of AWS for tests: `@signalbox/provider-aws/testing`.
 */
export type { AwsSimulator, AwsSimulatorOptions } from "./AwsSimulator.ts"
export { startAwsSimulator } from "./startAwsSimulator.ts"
export type { App } from "./ec2/Apps.ts"
export type { GroupTraffic } from "./elb/Traffic.ts"
export type { Faults } from "./Faults.ts"
export type { Capacity, Ledger } from "./Ledger.ts"
export type { LiveService, LiveSide, SeedOptions } from "./seed.ts"
export type { CallFault, RecordedCall } from "./wire/ReceivedCalls.ts"
export { AwsError } from "./wire/AwsError.ts"
