/**
 * What the engine adds to a provider's plan: warnings, as data, about what it will not be able to do.
 */
import * as Effect from "effect/Effect"
import { type CauseInfo, causeInfo } from "../../domain/errors/index.ts"
import type { Release, StackPlan } from "../../domain/Release.ts"
import type { StackSpec } from "../../domain/Spec.ts"
import type { MetricSource } from "../../spi/MetricSource.ts"
import type { Provider, StackRef, WayBack } from "../../spi/Provider.ts"
import { wayBack } from "../restoration/index.ts"
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

/** A provider that lost its memory would take a rollback for the removal of a first deployment. */
const ofRecord = (recorded: Release | null, plan: StackPlan): ReadonlyArray<CauseInfo> =>
  recorded !== null && plan.checkpoint.release === null
    ? [causeInfo("recorded_release_unseen", { version: recorded.version })]
    : []

const ofWayBack = (way: WayBack | undefined): ReadonlyArray<CauseInfo> =>
  way === undefined || way.how === "switch"
    ? []
    : [causeInfo(way.how === "rebuild" ? "rollback_rebuilds" : "rollback_impossible", {}, way.why)]

/** The plan with its notices. `recorded` is the release that the record says is deployed. */
export const withNotices = Effect.fnUntraced(function* (
  stack: StackSpec,
  provider: Provider,
  ref: StackRef,
  plan: StackPlan,
  recorded: Release | null
): Effect.fn.Return<StackPlan> {
  if (plan.action === "none") return plan
  const metrics = yield* metricSourceOf(stack, provider)
  const way = stack.irreversible === undefined ? yield* wayBack(provider, ref, plan.checkpoint) : undefined
  const notices = [
    ...(plan.notices ?? []),
    ...ofRecord(recorded, plan),
    ...ofFirstRelease(provider, plan),
    ...ofMetrics(stack, metrics, plan),
    ...ofWayBack(way)
  ]
  return notices.length === 0 ? plan : { ...plan, notices }
})
