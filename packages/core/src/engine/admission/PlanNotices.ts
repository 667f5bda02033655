/**
 * What the engine adds to a provider's plan: warnings, as data, about what it will not be able to do.
 */
import * as Effect from "effect/Effect"
import { type CauseInfo, causeInfo } from "../../domain/errors/index.ts"
import type { StackPlan } from "../../domain/Release.ts"
import type { StackSpec } from "../../domain/Spec.ts"
import type { MetricSource } from "../../spi/MetricSource.ts"
import type { Provider } from "../../spi/Provider.ts"
import { metricSourceOf } from "../../internal/metricSourceOf.ts"

const ofMetrics = (stack: StackSpec, metrics: MetricSource | undefined, plan: StackPlan): ReadonlyArray<CauseInfo> => {
  if (metrics?.latency === false) return [causeInfo("response_times_not_judged", {})]
  const compares = stack.gate.compare !== undefined && plan.checkpoint.release !== null
  return compares && metrics?.samples === false ? [causeInfo("response_times_not_compared", {})] : []
}

const ofFirstRelease = ({ capabilities, traffic }: Provider, plan: StackPlan): ReadonlyArray<CauseInfo> =>
  plan.checkpoint.release === null && traffic !== undefined && capabilities.firstRelease === "live"
    ? [causeInfo("first_release_live", {})]
    : []

/** The plan with its notices. */
export const withNotices = (stack: StackSpec, provider: Provider, plan: StackPlan): Effect.Effect<StackPlan> =>
  Effect.map(metricSourceOf(stack, provider), (metrics) => {
    if (plan.action === "none") return plan
    const notices = [...(plan.notices ?? []), ...ofFirstRelease(provider, plan), ...ofMetrics(stack, metrics, plan)]
    return notices.length === 0 ? plan : { ...plan, notices }
  })
