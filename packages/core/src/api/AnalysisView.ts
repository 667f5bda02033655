/**
 * Figures and judgements about the past, as they are shown.
 */
import * as Schema from "effect/Schema"
import { CorrelationId, DeploymentId, EnvironmentName, StackName } from "../domain/Ids.ts"
import { ExecutionKind, ExecutionStatus } from "../domain/Machines.ts"
import { VerdictKind } from "../domain/Verdict.ts"
import { RemainingTime } from "./CoordinationView.ts"
import { Instant } from "./Instant.ts"

/** How a rollout ended, originally or in a replay. */
export const EndingView = Schema.Struct({
  kind: Schema.Literals(["passes", "aborts", "asks", "unknown", "not_judged"]),
  afterMs: Schema.NullOr(Schema.Finite),
  stack: Schema.NullOr(StackName),
  step: Schema.NullOr(Schema.String),
  weight: Schema.NullOr(Schema.Finite),
  reason: Schema.String,
  at: Schema.NullOr(Instant)
}).annotate({ identifier: "EndingView" })
export type EndingView = typeof EndingView.Type

/** A past execution, judged again by its own measurements. `changed` tells whether it would have ended differently. */
export const ReplayView = Schema.Struct({
  correlationId: CorrelationId,
  deploymentId: DeploymentId,
  environment: EnvironmentName,
  kind: ExecutionKind,
  version: Schema.NullOr(Schema.String),
  status: ExecutionStatus,
  changed: Schema.Boolean,
  requestedAt: Instant,
  recorded: EndingView,
  replayed: EndingView,
  stacks: Schema.Array(
    Schema.Struct({
      name: StackName,
      recorded: EndingView,
      replayed: EndingView,
      changed: Schema.Boolean,
      savedMs: Schema.Finite,
      looks: Schema.Array(
        Schema.Struct({
          at: Instant,
          step: Schema.String,
          weight: Schema.Finite,
          recorded: VerdictKind,
          replayed: Schema.Union([VerdictKind, Schema.Literal("unknown")]),
          reason: Schema.String
        })
      ),
      notes: Schema.Array(Schema.String)
    })
  )
}).annotate({ identifier: "ReplayView" })
export type ReplayView = typeof ReplayView.Type

const Tally = Schema.Struct({
  n: Schema.Int,
  covered: Schema.Int,
  share: Schema.NullOr(Schema.Finite),
  medianErrorMs: Schema.NullOr(Schema.Finite),
  naiveMedianErrorMs: Schema.NullOr(Schema.Finite),
  medianWidthMs: Schema.NullOr(Schema.Finite)
})

/**
 * How reliable estimates were: `share` of `n` intervals held, where `coverage` of them should. `naiveMedianErrorMs` is
 * the error of the mean of all earlier executions, on the same occasions.
 */
export const CalibrationView = Schema.Struct({
  executions: Schema.Int,
  coverage: Schema.Finite,
  ...Tally.fields,
  withoutInterval: Schema.Struct({ few: Schema.Int, none: Schema.Int, exceeded: Schema.Int }),
  byMoment: Schema.Array(Schema.Struct({ moment: Schema.Finite, ...Tally.fields })),
  byScope: Schema.Array(Schema.Struct({ scope: RemainingTime.fields.scope, ...Tally.fields })),
  byHistory: Schema.Array(Schema.Struct({ from: Schema.Int, to: Schema.Int, ...Tally.fields }))
}).annotate({ identifier: "CalibrationView" })
export type CalibrationView = typeof CalibrationView.Type

const Figures = Schema.Struct({
  total: Schema.Int,
  inProgress: Schema.Int,
  completed: Schema.Int,
  failed: Schema.Int,
  rolled_back: Schema.Int,
  cancelled: Schema.Int,
  successRate: Schema.NullOr(Schema.Finite),
  n: Schema.Int,
  durationMs: Schema.Struct({ n: Schema.Int, p50: Schema.NullOr(Schema.Finite), p90: Schema.NullOr(Schema.Finite) })
})

/** Counts, success rate and durations of executions, in total and by kind. Only completed ones have durations. */
export const MetricsView = Schema.Struct({
  ...Figures.fields,
  kinds: Schema.Array(Schema.Struct({ kind: ExecutionKind, ...Figures.fields }))
}).annotate({ identifier: "MetricsView" })
export type MetricsView = typeof MetricsView.Type

const Attributes = Schema.Record(Schema.String, Schema.Unknown)

/** A span of the trace of an execution; it is `open` if it has not ended. */
export const SpanView = Schema.Struct({
  spanId: Schema.String,
  parentSpanId: Schema.NullOr(Schema.String),
  name: Schema.String,
  label: Schema.String,
  startedAt: Instant,
  offsetMs: Schema.Finite,
  durationMs: Schema.Finite,
  open: Schema.Boolean,
  status: Schema.Literals(["unset", "ok", "error"]),
  message: Schema.optionalKey(Schema.String),
  attributes: Attributes,
  events: Schema.Array(Schema.Struct({ name: Schema.String, at: Instant, attributes: Attributes })),
  links: Schema.Array(Schema.Struct({ traceId: Schema.String, spanId: Schema.String, attributes: Attributes }))
}).annotate({ identifier: "SpanView" })
export type SpanView = typeof SpanView.Type
