/**
 * `trace`: where an execution's trace is, and how its time was spent according to the log.
 */
import { instantOf } from "@signalbox/core/api/views"
import * as Command from "effect/cli/Command"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { TraceSpan } from "@signalbox/core/engine"
import { type Execution, type StoredEvent } from "@signalbox/core/spi"
import { rootSpanIdOf, traceIdOf } from "@signalbox/core/telemetry"
import { word } from "../live/glyphs.ts"
import { labelOf, ordered, waterfall } from "../live/waterfall.ts"
import { signalbox } from "../main/services.ts"
import * as Target from "../request/target.ts"
import { execution } from "./flags.ts"

type Env = Readonly<Record<string, string | undefined>>

const trimmed = (url: string): string => url.replace(/\/+$/, "")

/** Links to the trace. Honeycomb needs both ends of the time, in whole seconds: its defaults are narrow. */
export const linksOf = (env: Env, traceId: string, time: { readonly start: number; readonly end: number }) => {
  const {
    SIGNALBOX_HONEYCOMB_DATASET: dataset,
    SIGNALBOX_HONEYCOMB_ENVIRONMENT: environment,
    SIGNALBOX_HONEYCOMB_TEAM: team
  } = env
  const path = [team, "environments", environment, "datasets", dataset].map((part) => encodeURIComponent(part ?? ""))
  const query = `trace_id=${traceId}&trace_start_ts=${Math.floor(time.start / 1000)}&trace_end_ts=${Math.ceil(time.end / 1000) + 1}`
  return {
    jaeger: `${trimmed(env.SIGNALBOX_JAEGER_URL || "http://localhost:16686")}/trace/${traceId}`,
    honeycomb:
      team && environment && dataset
        ? `${trimmed(env.SIGNALBOX_HONEYCOMB_URL || "https://ui.honeycomb.io")}/${path.join("/")}/trace?${query}`
        : null
  }
}

const spanView = (root: TraceSpan) => (span: TraceSpan) => ({
  spanId: span.spanId,
  parentSpanId: span.parentSpanId ?? null,
  name: span.name,
  label: labelOf(span),
  startedAt: instantOf(span.start),
  offsetMs: span.start - root.start,
  durationMs: span.end - span.start,
  open: span.open,
  status: span.status,
  ...(span.message === undefined ? {} : { message: span.message }),
  attributes: span.attributes,
  events: span.events.map(({ at, attributes, name }) => ({ name, at: instantOf(at), attributes })),
  links: span.links.map(({ attributes, spanId, traceId }) => ({ traceId, spanId, attributes }))
})

/** What telemetry has of it: nothing if no process exported it, everything once a collector has confirmed the root. */
const exportOf = (state: Execution.ExecutionState, events: ReadonlyArray<StoredEvent>) => {
  if (events.some(({ event }) => event._tag === "TraceExported")) return "exported"
  if (!events.some(({ event }) => "trace" in event && event.trace !== undefined)) return "off"
  return state.finishedAt === undefined ? "in_progress" : "pending"
}

const said: Readonly<Record<string, string>> = {
  exported: "exported",
  off: "not exported: no process of it was told where to (OTEL_EXPORTER_OTLP_ENDPOINT)",
  in_progress: "its root is exported when it has finished",
  pending: "no collector has taken its root yet; the next command with OTEL_* set sends it"
}

export const trace = Command.make(
  "trace",
  { id: execution },
  Effect.fnUntraced(function* (flags) {
    yield* Target.onExecution(
      flags.id,
      Effect.fnUntraced(function* (inv, target) {
        const { executions } = yield* signalbox
        const events = yield* executions.events(target.correlationId)
        const tree = ordered(yield* executions.trace(target.correlationId, yield* Clock.currentTimeMillis))
        const spans = tree.map(([, span]) => span)
        const root = spans[0]!
        const traceId = traceIdOf(target.correlationId)
        const links = linksOf(inv.host.env, traceId, root)
        const telemetry = exportOf(target, events)
        yield* inv.result(
          {
            correlationId: target.correlationId,
            deploymentId: target.deploymentId,
            environment: target.environment,
            status: target.status,
            traceId,
            rootSpanId: rootSpanIdOf(target.correlationId),
            telemetry,
            links,
            spans: spans.map(spanView(root))
          },
          () => [
            `${inv.paint("bold", `${target.kind} ${target.deploymentId}`)}  ${target.environment}  ${word(target.status)}`,
            `trace      ${traceId}  ${inv.paint("dim", said[telemetry]!)}`,
            `jaeger     ${inv.paint("cyan", links.jaeger)}`,
            ...(links.honeycomb === null ? [] : [`honeycomb  ${inv.paint("cyan", links.honeycomb)}`]),
            "",
            ...waterfall(spans, { columns: inv.host.stdout.columns(), paint: inv.paint })
          ]
        )
      }),
      { last: true }
    )
  })
).pipe(Command.withDescription("Show the trace of an execution: its ID, links, and a waterfall of its time"))
