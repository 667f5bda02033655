import type { Config } from "@signalbox/core/config"
import { type Request } from "@signalbox/core/api"
import { Configuration } from "@signalbox/core/config"
import { Signalbox } from "@signalbox/core/engine"
import {
  CorrelationId,
  type DeploymentId,
  EnvironmentName,
  type Execution,
  type Manifest,
  Providers
} from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { SimulatedProvider } from "@signalbox/core/testing"
import { Effect, Fiber, Layer, Result } from "effect"
import { TestClock } from "effect/testing"

export const production = EnvironmentName.make("production")

export const gate = {
  gracePeriod: "0 millis",
  interval: "1 second",
  consecutivePasses: 2,
  minSamples: 20,
  errorWindow: "1 minute",
  maxErrorCount: 5
} as const

/** Three stacks in a row: db ← api ← web. */
export const config = (changes: Partial<Config> = {}): Config => ({
  organization: "acme",
  project: "shop",
  environments: { production: {}, staging: {} },
  leaseTtl: "10 seconds",
  stacks: [
    { name: "db", provider: "simulated", gate },
    { name: "api", provider: "simulated", dependsOn: ["db"], gate },
    { name: "web", provider: "simulated", dependsOn: ["api"], gate }
  ],
  ...changes
})

/** One stack, whose canary takes a minute. */
export const canary = config({
  stacks: [
    {
      name: "web",
      provider: "simulated",
      gate,
      strategy: { type: "canary", steps: [{ weight: 10, bake: "1 minute" }] }
    }
  ]
})

export const manifestOf = (value: Config, cloud: SimulatedProvider.SimulatedProvider): Manifest =>
  Result.getOrThrow(Configuration.check(value, new Map([[cloud.provider.kind, cloud.provider]])))

/** A signalbox in memory, with a simulated cloud. */
export const world = (options: SimulatedProvider.SimulatedOptions = {}) => {
  const cloud = SimulatedProvider.make(options)
  const layer = Signalbox.layer.pipe(
    Layer.provideMerge(layerMemory),
    Layer.provideMerge(Providers.layer([cloud.provider]))
  )
  return { cloud, layer }
}

export const requestOf = (
  manifest: Manifest,
  deploymentId: DeploymentId,
  id: string,
  changes: Partial<Request> = {}
): Request => ({
  kind: "deploy",
  correlationId: CorrelationId.make(id),
  deploymentId,
  environment: production,
  manifest,
  by: "tester",
  version: "1.0.0",
  ...changes
})

/** Lets everything that is ready now run, without time passing. */
export const settle: Effect.Effect<void> = Effect.promise(async () => {
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve))
})

/** Lets virtual time pass until the fiber has ended or `until` is true, at most `limit` seconds of it. */
export const pass = <A, E, E2 = never, R2 = never>(
  fiber: Fiber.Fiber<A, E>,
  options: { readonly until?: Effect.Effect<boolean, E2, R2>; readonly limit?: number; readonly tick?: number } = {}
) =>
  Effect.gen(function* () {
    const tick = options.tick ?? 100
    for (let passed = 0; passed < (options.limit ?? 600) * 1_000; passed += tick) {
      yield* settle
      if (fiber.pollUnsafe() !== undefined) return
      if (options.until !== undefined && (yield* options.until)) return
      yield* TestClock.adjust(tick)
    }
    return yield* Effect.die(new Error("it did not come to pass in the virtual time allowed"))
  })

/** Lets virtual time pass until the fiber has ended, and returns its result. */
export const drive = <A, E>(
  fiber: Fiber.Fiber<A, E>,
  options: { readonly limit?: number; readonly tick?: number } = {}
) =>
  Effect.andThen(
    pass(fiber, options),
    Effect.suspend(() => Fiber.join(fiber))
  )

/** Initializes, submits and runs one execution; returns its last state. */
export const carryOut = (request: Request, options: { readonly limit?: number; readonly tick?: number } = {}) =>
  Effect.gen(function* () {
    const box = yield* Signalbox
    yield* box.executions.submit(request)
    return yield* drive(yield* Effect.forkChild(box.executions.run(request.correlationId)), options)
  })

/** Submits a request and carries it out in the background. */
export const begin = (request: ReturnType<typeof requestOf>) =>
  Effect.gen(function* () {
    const box = yield* Signalbox
    yield* box.executions.submit(request)
    const fiber = yield* Effect.forkChild(box.executions.run(request.correlationId))
    yield* settle
    return fiber
  })

/** A deployment whose first release, 1.0.0, is live. */
export const deployed = (manifest: Manifest) =>
  Effect.gen(function* () {
    const box = yield* Signalbox
    const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
    const first = yield* carryOut(requestOf(manifest, deploymentId, "first"))
    if (first.status !== "completed")
      return yield* Effect.die(new Error(`the first deployment is ${first.status}: ${JSON.stringify(first.error)}`))
    return deploymentId
  })

export const statuses = (state: Execution.ExecutionState) => state.stacks.map(({ name, status }) => `${name} ${status}`)

export const versions = (state: Execution.ExecutionState) =>
  state.stacks.map(({ name, release }) => `${name} ${release?.version ?? "-"}`)
