/** Errors and causes as data: one registry of codes, and the only way to make them. */
export { CauseInfo, type Code } from "./CauseInfo.ts"
export { type EdgeCode, type EdgeError, edgeErrors } from "./EdgeErrors.ts"
export { allCauses, type CauseCode, type ErrorCode, errors, errorSpec, type ParamsOf } from "./Codes.ts"
export { causeInfo, causeOf, ErrorInfo, errorInfo } from "./ErrorInfo.ts"
export type { CauseSpec, ErrorSpec, ExitClass, ErrorFault } from "./Registry.ts"
export { Remedy } from "./Remedy.ts"
