import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

export type SpanOptions = Parameters<Tracer.Tracer["span"]>[0]

/** Stands for its parent span: children of an omitted span become children of that span's parent. */
export class LeftOut extends Tracer.NativeSpan {
  readonly above: Tracer.AnySpan | undefined
  constructor(options: SpanOptions) {
    super({ ...options, sampled: options.sampled && Option.isSome(options.parent) })
    const parent = Option.getOrUndefined(options.parent)
    this.above = parent instanceof LeftOut ? parent.above : parent
  }
  override get spanId(): string {
    return this.above?.spanId ?? super.spanId
  }
}
