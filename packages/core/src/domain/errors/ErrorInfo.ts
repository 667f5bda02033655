import * as Schema from "effect/Schema"
import { CauseInfo, type Code } from "./CauseInfo.ts"
import type { CauseCode, ErrorCode, ParamsOf } from "./Codes.ts"
import { Remedy } from "./Remedy.ts"

/**
 * An error, as events, states and every surface carry it.
 *
 * *Details*: `path` points into the input. `remedies` say what to do next. The text room makes a message and a hint of it.
 */
export const ErrorInfo = Schema.Struct({
  ...CauseInfo.fields,
  path: Schema.optionalKey(Schema.String),
  remedies: Schema.optionalKey(Schema.Array(Remedy))
})
export type ErrorInfo = typeof ErrorInfo.Type

const known = (params: object): CauseInfo["params"] =>
  Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined))

/** Makes a cause. A code that is not registered, or other parameters than its own, do not compile. */
export const causeInfo = <C extends CauseCode>(code: C, params: ParamsOf<C>, detail?: string): CauseInfo => ({
  code: code as string as Code,
  params: known(params),
  ...(detail === undefined ? {} : { detail })
})

/** Makes an error, in the same way. */
export const errorInfo = <C extends ErrorCode>(
  code: C,
  params: ParamsOf<C>,
  more: {
    readonly detail?: string | undefined
    readonly path?: string | undefined
    readonly remedies?: ReadonlyArray<Remedy>
  } = {}
): ErrorInfo => ({
  ...causeInfo(code, params, more.detail),
  ...(more.path === undefined ? {} : { path: more.path }),
  ...(more.remedies === undefined || more.remedies.length === 0 ? {} : { remedies: more.remedies })
})

/** An error as the cause of something else. */
export const causeOf = ({ code, detail, params }: ErrorInfo): CauseInfo => ({
  code,
  params,
  ...(detail === undefined ? {} : { detail })
})
