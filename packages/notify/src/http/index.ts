export { type AddressGuard, makeAddressGuard, parseRange } from "./AddressGuard.ts"
export { call, type HttpAnswer } from "./call.ts"
export { refusal } from "./refusal.ts"
