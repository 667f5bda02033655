import * as Effect from "effect/Effect"
import type { StackSpec } from "../domain/Spec.ts"
import { type MetricSource, MetricSources } from "../spi/MetricSource.ts"
import type { Provider } from "../spi/Provider.ts"

/** The metric source of a stack: the one that it names, or else its provider's. */
export const metricSourceOf = (
  stack: StackSpec,
  provider: Provider | undefined
): Effect.Effect<MetricSource | undefined> =>
  Effect.flatMap(MetricSources, (kinds) => {
    if (stack.metrics === undefined) return Effect.succeed(provider?.metrics)
    const kind = kinds.get(stack.metrics.source)
    // The request was validated against the installed sources; a runner without one of them is misconfigured.
    return kind === undefined
      ? Effect.die(new Error(`the metric source ${stack.metrics.source} is not installed in this runner`))
      : Effect.succeed(kind.make(stack.metrics))
  })
