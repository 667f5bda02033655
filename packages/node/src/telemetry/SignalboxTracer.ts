/**
 * A tracer that exports the spans of Signalbox and leaves out the underlying libraries', whose attributes
 * (statements, addresses) have not been reviewed for secrets.
 */
import { allowed, Own, sanitize } from "@signalbox/core/telemetry"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { encodeSpan, type OtlpSpan } from "./encodeSpan.ts"
import { LeftOut, type SpanOptions } from "./LeftOut.ts"

class Kept extends Tracer.NativeSpan {
  readonly #push: (span: OtlpSpan) => void
  constructor(options: SpanOptions, push: (span: OtlpSpan) => void) {
    super(options)
    this.#push = push
  }
  override attribute(key: string, value: unknown): void {
    if (allowed.has(key)) super.attribute(key, value)
  }
  override end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    const over = this.status._tag === "Ended"
    super.end(endTime, exit)
    if (over || !this.sampled) return
    const parent = Option.getOrUndefined(this.parent)
    const failed = exit._tag === "Failure" && !Cause.hasInterruptsOnly(exit.cause)
    const error = failed ? Cause.squash(exit.cause) : undefined
    this.#push(
      encodeSpan(
        {
          traceId: this.traceId,
          spanId: this.spanId,
          ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
          name: this.name,
          kind: this.kind,
          start: 0,
          end: 0,
          status: failed ? "error" : exit._tag === "Success" ? "ok" : "unset",
          ...(error instanceof Error ? { message: sanitize(error.message) } : {}),
          attributes: Object.fromEntries(this.attributes) as Record<string, string | number | boolean>,
          events: [],
          links: []
        },
        { start: this.status.startTime, end: endTime }
      )
    )
  }
}

/** The tracer; `push` receives each of our spans that has ended and is sampled. */
export const make = (push: (span: OtlpSpan) => void): Tracer.Tracer =>
  Tracer.make({
    span: (options) => (Context.get(options.annotations, Own) ? new Kept(options, push) : new LeftOut(options))
  })
