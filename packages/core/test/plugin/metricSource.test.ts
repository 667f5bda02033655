import { assert, describe, it } from "@effect/vitest"
import {
  conflictIn,
  effectMetricSource,
  fromMetricSource,
  metricSourcesOf,
  type PlainMetricSource,
  type Plugin
} from "@signalbox/core/plugin"
import { DeploymentId, EnvironmentName, type MetricSourceKind, ProviderError, StackName } from "@signalbox/core/spi"
import { Duration, Effect } from "effect"

const context = { directory: ".", stateDirectory: ".signalbox" }
const ref = {
  deploymentId: DeploymentId.make("DX6604E"),
  environment: EnvironmentName.make("test"),
  stack: StackName.make("api"),
  properties: {}
}
const spec = {
  source: "meter",
  url: "https://meter",
  queries: { requests: "all" },
  resolution: Duration.minutes(1),
  lag: Duration.seconds(30)
}
const window = { releaseId: "r1", version: "1.0.0", from: 60_000, to: 120_000 }
const answer = { until: 120_000, requests: 7, errors: 1, latency: null, healthy: null }

/** Written with Effect: it answers with what it was asked. */
const kind: MetricSourceKind = {
  check: ({ queries }) =>
    queries["requests"] === undefined ? { path: ["queries"], message: "no query of requests" } : undefined,
  make: ({ lag, resolution, url }) => ({
    resolution,
    lag,
    latency: false,
    measure: ({ stack }, { from, releaseId }) =>
      url === "https://meter"
        ? Effect.succeed({ ...answer, requests: from / 1_000, errors: stack.length + releaseId.length })
        : Effect.fail(
            new ProviderError({
              provider: "meter",
              operation: "measure",
              stackName: stack,
              reason: { _tag: "Throttled", message: "slow down", retryAfterMs: 1_000 }
            })
          )
  })
}

const plain = (measure: PlainMetricSource["measure"]) =>
  fromMetricSource("meter", { load: () => ({ measure }) }, context)

describe("a metric source of a plug-in", () => {
  it.effect("crosses the boundary in both directions", () =>
    Effect.gen(function* () {
      const plugin: Plugin = {
        name: "@acme/meter",
        spiVersion: 1,
        metricSources: { meter: effectMetricSource(() => kind) }
      }
      const found = metricSourcesOf([plugin], context).get("meter")!
      assert.isUndefined(found.check(spec))
      assert.deepStrictEqual(found.check({ ...spec, queries: {} }), {
        path: ["queries"],
        message: "no query of requests"
      })
      const source = found.make(spec)
      assert.deepStrictEqual(
        [Duration.toMillis(source.resolution), Duration.toMillis(source.lag), source.latency, source.samples],
        [60_000, 30_000, false, false]
      )
      assert.deepStrictEqual(yield* source.measure(ref, window), { ...answer, requests: 60, errors: 5 })
      const failed = yield* Effect.flip(found.make({ ...spec, url: "https://other" }).measure(ref, window))
      assert.deepStrictEqual(failed.reason, { _tag: "Throttled", message: "slow down", retryAfterMs: 1_000 })
    })
  )

  it.effect("gets the key of the stack as plain values, and is as coarse as it says", () =>
    Effect.gen(function* () {
      const asked: Array<unknown> = []
      const source = plain(({ metrics, signal, ...call }) => {
        asked.push({ metrics, aborted: signal.aborted, ...call })
        return Promise.resolve(answer)
      }).make(spec)
      assert.deepStrictEqual(yield* source.measure(ref, window), answer)
      const { lag: _, resolution: __, ...others } = spec
      assert.deepStrictEqual(asked, [
        { metrics: { ...others, resolutionMs: 60_000, lagMs: 30_000 }, aborted: false, ref, ...window }
      ])
      const finer = fromMetricSource(
        "meter",
        { describe: () => ({ resolutionMs: 1_000, samples: true }), load: () => ({ measure: async () => answer }) },
        context
      ).make(spec)
      assert.deepStrictEqual(
        [Duration.toMillis(finer.resolution), Duration.toMillis(finer.lag), finer.samples],
        [1_000, 30_000, true]
      )
    })
  )

  it.effect("fails with the field of a wrong answer, and loads again after a failure", () =>
    Effect.gen(function* () {
      const wrong = yield* Effect.flip(
        plain(async () => ({ ...answer, requests: "many" }) as never)
          .make(spec)
          .measure(ref, window)
      )
      assert.strictEqual(wrong.reason._tag, "Unexpected")
      assert.match(wrong.message, /meter gave a wrong answer to measure: .*requests/s)
      let loads = 0
      const source = fromMetricSource(
        "meter",
        {
          load: async () => {
            if (++loads === 1) throw new Error("no network")
            return { measure: async () => answer }
          }
        },
        context
      ).make(spec)
      assert.match((yield* Effect.flip(source.measure(ref, window))).message, /no network/)
      yield* source.measure(ref, window)
      yield* source.measure(ref, window)
      assert.strictEqual(loads, 2)
    })
  )

  it("is in conflict with one of the same name, in another plug-in or built in", () => {
    const plugin = (name: string): Plugin => ({
      name,
      spiVersion: 1,
      metricSources: { meter: effectMetricSource(() => kind) }
    })
    assert.strictEqual(
      conflictIn([plugin("@acme/a"), plugin("@acme/b")])?.message,
      'plug-in @acme/b: @acme/a has "meter" in metricSources too'
    )
    const taken = { metricSources: new Map([["meter", "@signalbox/node"]]) }
    assert.strictEqual(conflictIn([plugin("@acme/a")], taken)?.code, "plugin_conflict")
    assert.isUndefined(conflictIn([plugin("@acme/a")]))
  })
})
