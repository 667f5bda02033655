/**
 * Steps of a deployment without an engine, on a simulator of its own.
 */
import type { Observation, ProviderError, StackPlan } from "@signalbox/core/spi"
import { testMutation } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { afterEach, beforeEach } from "vitest"
import type { GcpSimulator, ServiceJson } from "../../src/testing/index.ts"
import { candidate, platform, providerOf, ref, service } from "./platform.ts"

let simulator: GcpSimulator
let steps = 0

/** Gives each test of a file a simulator of its own. */
export const simulated = (): void => {
  beforeEach(async () => {
    simulator = await platform()
  })
  afterEach(() => simulator.close())
}

export const cloud = (): GcpSimulator => simulator

export const run = <A>(effect: Effect.Effect<A, ProviderError>): Promise<A> => Effect.runPromise(effect)

/** The failure of an operation. */
export const failure = (effect: Effect.Effect<unknown, ProviderError>): Promise<ProviderError> =>
  Effect.runPromise(Effect.flip(effect))

export const provider = () => providerOf(simulator)

export const mutation = (key = `step-${++steps}`, fence = 1) => testMutation(key, { fence })

export const plan = (version: string): Promise<StackPlan> => run(provider().plan(ref, candidate(version)))

export const stage = (plan: StackPlan, key?: string) =>
  provider().stage(ref, { plan, capacityPercent: 100 }, mutation(key))

export const shift = (plan: StackPlan, percent: number) =>
  provider().traffic!.shift(ref, { releaseId: plan.candidate.id, percent }, mutation())

/** Deploys a version as an engine does it, and returns its plan. */
export const deploy = async (version: string): Promise<StackPlan> => {
  const planned = await plan(version)
  await run(stage(planned))
  await run(shift(planned, 100))
  await run(provider().traffic!.retire(ref, { keep: planned.candidate.id, capacityPercent: 0 }, mutation()))
  return planned
}

export const observe = (): Promise<Observation> => run(provider().observe(ref))

export const json = (): ServiceJson => simulator.service(service)!

/** Waits until the service is at rest. */
export const settled = async (): Promise<void> => {
  while (json().reconciling) await new Promise((resolve) => setImmediate(resolve))
}

/** Changes the service as a person at the console does. */
export const edit = async (change: Partial<ServiceJson>): Promise<void> => {
  await simulator.edit(service, change)
  await settled()
}

/** Traffic and tags, as they were asked for: `100 api-1`, `0 api-2 candidate`. */
export const traffic = (): ReadonlyArray<string> =>
  json()
    .traffic.map(({ percent = 0, revision = "latest", tag }) =>
      [percent, revision, ...(tag === undefined ? [] : [tag])].join(" ")
    )
    .sort()
