/**
 * Whether a release really carries the traffic, by the best source there is: requests that were measured, or else what is
 * configured.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as MetricWindow from "../../analysis/MetricWindow.ts"
import { causeInfo } from "../../domain/errors/index.ts"
import * as EventId from "../../domain/EventId.ts"
import type { Release, StackPlan } from "../../domain/Release.ts"
import type { StackSpec } from "../../domain/Spec.ts"
import { grainOf } from "../../internal/grainOf.ts"
import { metricSourceOf } from "../../internal/metricSourceOf.ts"
import type { MetricSource } from "../../spi/MetricSource.ts"
import type { Observation, StackRef } from "../../spi/Provider.ts"
import { callSpan, ExecutionContext, providerOf, renewing } from "../step/index.ts"
import { shareOf } from "./ObservedRelease.ts"

/** How long requests are counted at least. */
const leastWindow = 10_000
/** Connections to the old release may stay open for a while: how often they are counted again. */
const looks = 3

/**
 * The share of a plan's candidate, in percent. A platform that only reads its configuration is not believed as long as
 * requests can be counted; without any, its word is noted and taken.
 */
export const carriedShare = Effect.fnUntraced(function* (
  stack: StackSpec,
  ref: StackRef,
  { candidate, checkpoint }: StackPlan,
  options: { readonly observed: Observation; readonly needed: number; readonly step: string }
): Effect.fn.Return<number, never, ExecutionContext> {
  const { needed, observed, step } = options
  const { journal } = yield* ExecutionContext
  const configured = shareOf(observed, candidate.id)
  const before = checkpoint.release
  if (observed.trafficSource !== "configured" || configured < needed) return configured
  if (before === null || before.id === candidate.id) return configured
  const source = yield* metricSourceOf(stack, yield* providerOf(stack))
  for (let look = 1; source !== undefined && look <= looks; look++) {
    const share = yield* measuredShare(source, ref, candidate, before)
    if (share === undefined) break
    if (share >= needed || look === looks) return share
  }
  yield* journal.record(EventId.trafficConfigured(step), {
    _tag: "ProgressReported",
    stack: stack.name,
    cause: causeInfo("traffic_configured", { version: candidate.version })
  })
  return configured
})

/** The share of the requests from now on; undefined if there were none, or if they could not be counted. */
const measuredShare = (source: MetricSource, ref: StackRef, candidate: Release, before: Release) =>
  Effect.gen(function* () {
    const window = yield* nextWindow(source)
    const requestsOf = ({ id, version }: Release) =>
      Effect.map(
        renewing(callSpan("measure")(source.measure(ref, { releaseId: id, version, ...window }))),
        ({ requests }) => requests
      )
    const counted = yield* Effect.option(Effect.all([requestsOf(candidate), requestsOf(before)]))
    if (Option.isNone(counted)) return undefined
    const [own, others] = counted.value
    return own + others === 0 ? undefined : Math.round((1000 * own) / (own + others)) / 10
  })

/** Waits until a window that begins now is complete. */
const nextWindow = Effect.fnUntraced(function* (source: MetricSource) {
  const grain = grainOf(source)
  const now = yield* Clock.currentTimeMillis
  const from = MetricWindow.alignUp(now, grain)
  const to = MetricWindow.alignUp(from + leastWindow, grain)
  yield* Effect.sleep(to + grain.lag - now)
  return { from, to }
})
