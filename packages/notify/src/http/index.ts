export { makeAddressGuard, parseRange } from "./AddressGuard.ts"
export { call } from "./call.ts"
export { refusal } from "./refusal.ts"
