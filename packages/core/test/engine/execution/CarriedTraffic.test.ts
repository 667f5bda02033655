import { describeCause } from "@signalbox/core/text"
import { assert, describe, it } from "@effect/vitest"
import { Signalbox } from "@signalbox/core/engine"
import { DeploymentStore, type EventOf, type Provider, Providers, StackName } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { SimulatedProvider } from "@signalbox/core/testing"
import { Duration, Effect, Layer } from "effect"
import { carryOut, config, deployed, gate, manifestOf, production, requestOf } from "../support.ts"

const one = config({ stacks: [{ name: "web", provider: "simulated", gate: { ...gate, minSamples: 0 } }] })

/** A platform that only knows its configuration, and the requests of a version in a window, if they are counted. */
const made = (requests?: (version: string, window: { readonly from: number; readonly to: number }) => number) => {
  const cloud = SimulatedProvider.make()
  const { metrics: _, ...simulated } = cloud.provider
  const provider: Provider = {
    ...simulated,
    observe: (ref) => Effect.map(simulated.observe(ref), (seen) => ({ ...seen, trafficSource: "configured" as const })),
    ...(requests === undefined
      ? {}
      : {
          metrics: {
            resolution: Duration.seconds(60),
            lag: Duration.seconds(120),
            measure: (_ref, { from, to, version }) =>
              Effect.succeed({
                until: to,
                requests: requests(version!, { from, to }),
                errors: 0,
                latency: { mean: 10, p95: 20 },
                healthy: null
              })
          }
        })
  }
  const layer = Signalbox.layer.pipe(Layer.provideMerge(layerMemory), Layer.provideMerge(Providers.layer([provider])))
  return { cloud, layer }
}

const second = Effect.fnUntraced(function* (cloud: SimulatedProvider.SimulatedProvider) {
  const manifest = manifestOf(one, cloud)
  const deploymentId = yield* deployed(manifest)
  const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }), { limit: 3_000 })
  assert.strictEqual(state.status, "completed", JSON.stringify(state.error))
  const events = yield* (yield* DeploymentStore).events({ stream: "second", tags: ["ProgressReported"] })
  const causes = events.flatMap(({ event }) => (event as EventOf<"ProgressReported">).cause ?? [])
  const { releases } = yield* cloud.inspect({
    deploymentId,
    environment: production,
    stack: StackName.make("web"),
    properties: {}
  })
  return { causes, releases: releases.map((id) => id.slice(0, 5)) }
})

describe("before an old release is removed", () => {
  it.effect("requests are counted where the platform only knows its configuration", () => {
    const { cloud, layer } = made((version) => (version === "2.0.0" ? 500 : 0))
    return Effect.gen(function* () {
      const { causes, releases } = yield* second(cloud)
      assert.deepStrictEqual(releases, ["2.0.0"])
      assert.deepStrictEqual(causes, [])
    }).pipe(Effect.provide(layer))
  })

  it.effect("it stays while it gets requests, although the configuration says otherwise", () => {
    const { cloud, layer } = made(() => 250)
    return Effect.gen(function* () {
      const { causes, releases } = yield* second(cloud)
      assert.sameMembers(releases, ["1.0.0", "2.0.0"])
      assert.include(causes.map(describeCause).join(), "the new one has 50 % of the traffic")
    }).pipe(Effect.provide(layer))
  })

  it.effect("open connections may end first: requests are counted again", () => {
    let shifted: number | undefined
    const { cloud, layer } = made((version, { from }) => {
      if (version === "2.0.0") return 500
      shifted ??= from
      return from <= shifted + 60_000 ? 500 : 0
    })
    return Effect.gen(function* () {
      const { causes, releases } = yield* second(cloud)
      assert.deepStrictEqual(releases, ["2.0.0"])
      assert.deepStrictEqual(causes, [])
    }).pipe(Effect.provide(layer))
  })

  for (const [name, requests] of [
    ["without any request", () => 0],
    ["without a metric source", undefined]
  ] as const) {
    it.effect(`the configuration is believed ${name}, and a note says so`, () => {
      const { cloud, layer } = made(requests)
      return Effect.gen(function* () {
        const { causes, releases } = yield* second(cloud)
        assert.deepStrictEqual(releases, ["2.0.0"])
        assert.deepStrictEqual(causes.map(describeCause), [
          "no requests were measured: only the configured shares say that 2.0.0 has the traffic"
        ])
      }).pipe(Effect.provide(layer))
    })
  }
})
