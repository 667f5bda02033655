/** How long things take, from the history in the store. */
export * as Estimation from "./Estimation.ts"
export { estimate } from "./Estimation.ts"
export { clearsAtTime, expectedEnd } from "./ExpectedClearance.ts"
export * as HistoryReplay from "./HistoryReplay.ts"
