import * as Schema from "effect/Schema"
import { type ErrorCode, ErrorInfo, errorInfo, errorSpec, type ParamsOf, type Remedy } from "../domain/errors/index.ts"
import type { CorrelationId } from "../domain/Ids.ts"
import { Lease } from "../spi/LeaseStore.ts"
import { describe } from "../text/index.ts"

/** What kind of rejection an error is, by what a command exits with. */
const kinds = { usage: "invalid", not_found: "not_found", blocked: "blocked" } as const

/**
 * A request that was rejected; nothing was written or called.
 *
 * *Details*: the code of `info` decides its `kind`: `invalid` the input is wrong · `not_found` · `blocked` another
 * execution, a freeze or a veto is in the way, with the `lease` that blocks where there is one · `conflict` it is
 * invalid in the current state.
 *
 * *Errors*: retryable where the registry of codes says so.
 */
export class Rejected extends Schema.TaggedError<Rejected>()("Rejected", {
  info: ErrorInfo,
  lease: Schema.optionalKey(Lease)
}) {
  override get message(): string {
    return describe(this.info).message
  }

  get code(): string {
    return this.info.code
  }

  get kind(): "invalid" | "not_found" | "blocked" | "conflict" {
    const { exit } = errorSpec(this.info)
    return exit === "usage" || exit === "not_found" || exit === "blocked" ? kinds[exit] : "conflict"
  }
}

/** Makes a rejection. */
export const reject = <C extends ErrorCode>(
  code: C,
  params: ParamsOf<C>,
  {
    lease,
    ...more
  }: {
    readonly detail?: string | undefined
    readonly path?: string | undefined
    readonly remedies?: ReadonlyArray<Remedy>
    readonly lease?: Lease
  } = {}
): Rejected => new Rejected({ info: errorInfo(code, params, more), ...(lease === undefined ? {} : { lease }) })

/** The rejection of a correlation id without an execution. */
export const unknownExecution = (id: CorrelationId): Rejected =>
  reject("unknown_execution", { execution: id }, { remedies: [{ _tag: "history" }] })
