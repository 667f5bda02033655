/**
 * Steps of a deployment without an engine.
 */
import type { Mutation, Observation, Provider, ProviderError, StackPlan, StackRef } from "@signalbox/core/spi"
import { testMutation } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { candidate, type Platform, providerOf, refOf, sharesOf } from "./platform.ts"
import { loadedClockOf } from "./time.ts"

/** A stack on a platform, step by step. */
export interface Steps {
  readonly provider: Provider
  readonly ref: StackRef
  readonly plan: (version: string) => Promise<StackPlan>
  readonly stage: (plan: StackPlan, key?: string) => Promise<Observation>
  readonly shift: (plan: StackPlan, percent: number) => Promise<Observation>
  readonly retire: (plan: StackPlan) => Promise<Observation>
  readonly rollback: (plan: StackPlan) => Promise<Observation>
  readonly deploy: (version: string, ...shares: ReadonlyArray<number>) => Promise<StackPlan>
}

/** Repeats what may be repeated, under the same key, as core does. */
const persistently = async <A>(call: Effect.Effect<A, ProviderError>): Promise<A> => {
  for (let attempt = 0; ; attempt++) {
    const result = await Effect.runPromise(Effect.result(call))
    if (result._tag === "Success") return result.success
    if (!result.failure.isRetryable || result.failure.reason._tag === "Conflict" || attempt === 20) throw result.failure
  }
}

/** `loaded`: requests are sent in every second that goes by. */
export const stepsOn = (
  platform: Platform,
  {
    loaded = false,
    properties = {}
  }: { readonly loaded?: boolean; readonly properties?: { readonly [key: string]: unknown } } = {}
): Steps => {
  const clock = loaded ? loadedClockOf(platform.simulator, () => sharesOf(platform, 4)) : undefined
  const provider = providerOf(platform, clock)
  const ref = refOf(platform, properties)
  let count = 0
  const mutation = (key = `step-${++count}`): Mutation => testMutation(key, { fence: 1, handles: new Map() })
  const { retire, shift } = provider.traffic!
  const steps: Omit<Steps, "deploy"> = {
    provider,
    ref,
    plan: (version) => persistently(provider.plan(ref, candidate(version))),
    stage: (plan, key) => persistently(provider.stage(ref, { plan, capacityPercent: 100 }, mutation(key))),
    shift: ({ candidate }, percent) => persistently(shift(ref, { releaseId: candidate.id, percent }, mutation())),
    retire: ({ candidate }) => persistently(retire(ref, { keep: candidate.id, capacityPercent: 0 }, mutation())),
    rollback: ({ checkpoint }) => persistently(provider.rollback(ref, checkpoint, mutation()))
  }
  return {
    ...steps,
    deploy: async (version, ...shares) => {
      const plan = await steps.plan(version)
      await steps.stage(plan)
      for (const percent of [...shares, 100]) await steps.shift(plan, percent)
      await steps.retire(plan)
      return plan
    }
  }
}

/** What a step fails with. */
export const reasonOf = async (step: Promise<unknown>): Promise<ProviderError["reason"]> => {
  try {
    await step
  } catch (error) {
    return (error as ProviderError).reason
  }
  throw new Error("it succeeds")
}
