/**
 * Decides by the trace id alone, so that every process of an execution makes the same decision.
 */
export type Sampler = (traceId: string) => boolean

const all: Sampler = () => true
const none: Sampler = () => false

/** By the right-most 52 bits: W3C Trace Context level 2 requires 56 random bits, a JavaScript number holds 53. */
const ratio =
  (share: number): Sampler =>
  (traceId) =>
    Number.parseInt(traceId.slice(-13), 16) < share * 2 ** 52

/**
 * The sampler that `OTEL_TRACES_SAMPLER` names, `parentbased_always_on` by default.
 *
 * *Gotchas*: an execution is a separate trace, whose root has no parent: `parentbased_x` equals `x`. The span that
 * started it is linked, and makes its own decision.
 *
 * *Source*: OpenTelemetry, Trace SDK, "Built-in samplers".
 */
export const samplerOf = (
  name: string | undefined,
  argument: string | undefined
): { readonly sampler: Sampler; readonly problem?: string } => {
  switch (name?.toLowerCase().replace(/^parentbased_/, "")) {
    case undefined:
    case "always_on":
      return { sampler: all }
    case "always_off":
      return { sampler: none }
    case "traceidratio": {
      const share = argument === undefined ? 1 : Number(argument)
      return share >= 0 && share <= 1
        ? { sampler: ratio(share) }
        : { sampler: all, problem: "the ratio in OTEL_TRACES_SAMPLER_ARG is no number from 0 to 1" }
    }
    default:
      return { sampler: all, problem: `there is no sampler ${name} here` }
  }
}
