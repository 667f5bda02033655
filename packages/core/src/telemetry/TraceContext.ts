/**
 * Trace context in environment variables: from the CI job that started this process, and to processes that it starts.
 *
 * *Source*: OpenTelemetry, "Environment Variables as Context Propagation Carriers" (release candidate); W3C Trace
 * Context level 2; W3C Baggage.
 */
import { flagsOf, rootSpanIdOf, traceIdOf } from "./Ids.ts"
import { Attribute } from "./Names.ts"

type Env = Readonly<Record<string, string | undefined>>

/** A span of another trace. */
export interface SpanReference {
  readonly traceId: string
  readonly spanId: string
}

const traceparent = /^(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?$/

/**
 * The span of a `traceparent`, or undefined if it is invalid: the recommendation then ignores it.
 */
export const parseTraceparent = (value: string | undefined): SpanReference | undefined => {
  const found = traceparent.exec(value?.trim() ?? "")
  return found === null ? undefined : { traceId: found[1]!, spanId: found[2]! }
}

/**
 * The environment for a process that works on behalf of an execution: it continues the execution's trace.
 *
 * *Details*: `TRACEPARENT` names the root span of the execution (or `spanId`), `BAGGAGE` keeps the value in `env` and
 * adds `signalbox.correlation_id`. `TRACESTATE` belongs to the incoming trace, which this one is not part of, and is
 * removed. Apply it to a copy of the environment, never to `process.env`.
 *
 * *Example*
 *
 * ```ts
 * spawn("npx", ["cdk", "deploy"], { env: { ...process.env, ...traceEnvironment("run-1", { env: process.env }) } })
 * ```
 */
export const traceEnvironment = (
  correlationId: string,
  options: { readonly env?: Env; readonly spanId?: string; readonly sampled?: boolean } = {}
): { readonly TRACEPARENT: string; readonly TRACESTATE: undefined; readonly BAGGAGE: string } => {
  const spanId = options.spanId ?? rootSpanIdOf(correlationId)
  const others = (options.env?.["BAGGAGE"] ?? "")
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "" && member.split(/[=;]/)[0]!.trim() !== Attribute.correlationId)
  const own = `${Attribute.correlationId}=${encodeURIComponent(correlationId)}`
  // The limits of the recommendation; entries that do not fit are dropped, and ours come first.
  const members = [own]
  for (const member of others) {
    if (members.length < 64 && [...members, member].join(",").length <= 8192) members.push(member)
  }
  return {
    TRACEPARENT: `00-${traceIdOf(correlationId)}-${spanId}-${flagsOf(correlationId, options.sampled ?? true)}`,
    TRACESTATE: undefined,
    BAGGAGE: members.join(",")
  }
}
