/**
 * The metrics of pipeline runs, as OpenTelemetry's conventions name them.
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { Attribute, MetricName } from "./Names.ts"
import { Telemetry } from "./Telemetry.ts"

/** Seconds: deployments take from seconds to hours. */
const boundaries = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 43_200]

const unit = (value: string) => ({ unit: value })

const duration = Metric.histogram(MetricName.duration, {
  description: "Duration of a pipeline run, by result",
  boundaries,
  attributes: unit("s")
})
const active = Metric.counter(MetricName.active, {
  description: "Pipeline runs that are active",
  attributes: unit("{run}")
})
const errors = Metric.counter(MetricName.errors, {
  description: "Errors of pipeline runs",
  incremental: true,
  attributes: unit("{error}")
})

const whereOn = (effect: () => Effect.Effect<void>): Effect.Effect<void> =>
  Effect.flatMap(Telemetry, (telemetry) => (telemetry === undefined ? Effect.void : effect()))

/**
 * Counts a run as active, by +1 and −1.
 */
export const countActive = (pipeline: string, by: 1 | -1): Effect.Effect<void> =>
  whereOn(() =>
    Metric.update(
      Metric.withAttributes(active, { [Attribute.pipelineName]: pipeline, [Attribute.runState]: "executing" }),
      by
    )
  )

/**
 * Records a finished run. `seconds` is the time from its request to its end.
 */
export const recordRun = (run: {
  readonly pipeline: string
  readonly result: string
  readonly seconds: number
  readonly errorType: string | undefined
}): Effect.Effect<void> =>
  whereOn(() => {
    const failed: Record<string, string> = run.errorType === undefined ? {} : { [Attribute.errorType]: run.errorType }
    const recorded = Metric.update(
      Metric.withAttributes(duration, {
        [Attribute.pipelineName]: run.pipeline,
        [Attribute.runState]: "finalizing",
        [Attribute.result]: run.result,
        ...failed
      }),
      run.seconds
    )
    return run.errorType === undefined
      ? recorded
      : Effect.andThen(
          recorded,
          Metric.update(Metric.withAttributes(errors, { [Attribute.pipelineName]: run.pipeline, ...failed }), 1)
        )
  })
