/**
 * Measures a watched release at one look, for its gate.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Gate from "../../analysis/Gate.ts"
import * as MetricWindow from "../../analysis/MetricWindow.ts"
import type { Release } from "../../domain/Release.ts"
import type { StackSpec } from "../../domain/Spec.ts"
import type { Measured } from "../../domain/Verdict.ts"
import type { MetricSource } from "../../spi/MetricSource.ts"
import type { Provider, StackRef } from "../../spi/Provider.ts"
import type { ProviderError } from "../../spi/ProviderError.ts"
import { grainOf } from "../../internal/grainOf.ts"
import { measuredHealth } from "./ObservedRelease.ts"
import { callSpan, type ExecutionContext, renewing } from "../step/index.ts"

/**
 * The result of a look.
 *
 * *Details*: `until` is the time up to which it judged complete data; undefined if nothing could be measured.
 */
export interface ReleaseLook {
  readonly judgement: Gate.Judgement
  readonly measured?: Measured
  readonly until?: number
}

export type LookAtRelease = (
  window: MetricWindow.MetricWindow,
  elapsed: Duration.Duration
) => Effect.Effect<ReleaseLook, never, ExecutionContext>

/**
 * Two kinds of looks at one release: `full` measures it over a window, `healthOnly` looks at its health alone, between
 * two periods of the metric source. Both look at the alarms of the gate, unless `alarms` is false.
 */
export const make = (options: {
  readonly stack: StackSpec
  readonly provider: Provider
  readonly source: MetricSource | undefined
  readonly ref: StackRef
  readonly release: Release
  readonly samples: "required" | "if_any"
  readonly alarms: boolean
}): { readonly full: LookAtRelease; readonly healthOnly: LookAtRelease } => {
  const { provider, ref, release, source, stack } = options
  const observed = Effect.map(provider.observe(ref), (seen) => measuredHealth(seen, release.id))
  const coarse = MetricWindow.isCoarse(grainOf(source))

  const names = options.alarms ? (stack.gate.alarms ?? []) : []
  const withAlarms = (measured: Effect.Effect<Measured, ProviderError>): Effect.Effect<Measured, ProviderError> =>
    names.length === 0
      ? measured
      : Effect.flatMap(measured, (values) =>
          Effect.map(provider.alarms?.states(ref, names) ?? Effect.succeed({}), (alarms) => ({ ...values, alarms }))
        )

  const look = (
    measured: Effect.Effect<Measured, ProviderError>,
    samples: "required" | "if_any",
    to: number,
    elapsed: Duration.Duration
  ): Effect.Effect<ReleaseLook, never, ExecutionContext> =>
    Effect.match(renewing(callSpan("measure")(withAlarms(measured))), {
      onFailure: (error): ReleaseLook => ({ judgement: Gate.unmeasured(error.message) }),
      onSuccess: (values): ReleaseLook => ({
        judgement: Gate.judge(stack.gate, values, {
          watched: elapsed,
          samples,
          timed: source?.latency !== false,
          alarms: options.alarms
        }),
        measured: values,
        until: values.until ?? to
      })
    })

  const health =
    (samples: "required" | "if_any"): LookAtRelease =>
    ({ to }, elapsed) =>
      look(
        Effect.map(observed, (own) => ({ requests: 0, errors: 0, latency: null, ...own })),
        samples,
        to,
        elapsed
      )

  if (source === undefined) return { healthOnly: health("if_any"), full: health(options.samples) }
  return {
    healthOnly: health("if_any"),
    full: (window, elapsed) =>
      look(
        Effect.flatMap(
          source.measure(ref, { releaseId: release.id, version: release.version, ...window }),
          ({ errors, latency, requests, until, ...own }) =>
            Effect.map(
              // Many sources know the requests of a release, not its instances.
              own.healthy === null ? observed : Effect.succeed(own),
              ({ healthUnit, healthy }): Measured => ({
                requests,
                errors,
                latency: latency === null ? null : { mean: latency.mean, p95: latency.p95 },
                healthy,
                ...(healthUnit === undefined ? {} : { healthUnit }),
                ...(coarse ? { until } : {})
              })
            )
        ),
        options.samples,
        window.to,
        elapsed
      )
  }
}
