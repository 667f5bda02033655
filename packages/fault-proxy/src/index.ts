export type { Fault, FaultAnswer, FaultCall, FaultRequest, FaultRule } from "./Fault.ts"
export { type FaultProxy, faultProxy, type FaultProxyOptions } from "./FaultProxy.ts"
export { answers, type OperationOf, operations } from "./operations.ts"
