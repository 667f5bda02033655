/**
 * How codes are registered: what an error means, who has to act, and which parameters it carries.
 */
import type { CauseInfo } from "./CauseInfo.ts"

/** What the CLI exits with. */
export type ExitClass = "failed" | "blocked" | "not_found" | "unavailable" | "usage" | "timeout" | "interrupted"

/** Whose fault it is, and so who has to act. */
export type ErrorFault = "caller" | "configuration" | "environment" | "provider" | "application" | "signalbox"

interface ParamTypes {
  readonly text: string
  readonly number: number
  readonly boolean: boolean
  readonly texts: ReadonlyArray<string>
  /** Milliseconds since the epoch. */
  readonly time: number
  /** A duration in milliseconds. */
  readonly ms: number
  readonly cause: CauseInfo
  readonly causes: ReadonlyArray<CauseInfo>
}
type ParamType = keyof ParamTypes

/** The parameters of a code, by name. A question mark says that the parameter may be absent. */
export type ParamSpecs = Readonly<Record<string, ParamType | `${ParamType}?`>>

type Required<P extends ParamSpecs> = { [K in keyof P]: P[K] extends ParamType ? K : never }[keyof P]
type Typed<T> = T extends ParamType ? ParamTypes[T] : T extends `${infer U extends ParamType}?` ? ParamTypes[U] : never

/** The values of those parameters. */
export type ParamValues<P extends ParamSpecs> = {
  readonly [K in Required<P>]: Typed<P[K]>
} & { readonly [K in Exclude<keyof P, Required<P>>]?: Typed<P[K]> | undefined }

/** A cause: what it means and which parameters it carries. */
export interface CauseSpec<P extends ParamSpecs = ParamSpecs> {
  readonly meaning: string
  readonly params: P
}

/**
 * An error.
 *
 * *Details*: `exit` is what a command exits with that fails with it, `ends` what one exits with whose execution ended with it.
 */
export interface ErrorSpec<P extends ParamSpecs = ParamSpecs> extends CauseSpec<P> {
  readonly exit: ExitClass
  readonly ends: ExitClass
  readonly fault: ErrorFault
  readonly retryable: boolean
}

/** Registers a cause. */
export const cause = <const P extends ParamSpecs>(params: P, meaning: string): CauseSpec<P> => ({ params, meaning })

/** Registers an error; not retryable unless it says so. */
export const error = <const P extends ParamSpecs>(
  exit: ExitClass,
  fault: ErrorFault,
  params: P,
  meaning: string,
  { ends = "failed", retryable = false }: { readonly ends?: ExitClass; readonly retryable?: boolean } = {}
): ErrorSpec<P> => ({ exit, ends, fault, retryable, params, meaning })
