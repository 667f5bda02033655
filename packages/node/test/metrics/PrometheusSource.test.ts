import { assert, describe, it } from "@effect/vitest"
import { type Config, Configuration } from "@signalbox/core/config"
import { Signalbox } from "@signalbox/core/engine"
import {
  CorrelationId,
  DeploymentId,
  EnvironmentName,
  MetricsSpec,
  StackName,
  type StackRef
} from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { SimulatedProvider } from "@signalbox/core/testing"
import { describeCause } from "@signalbox/core/text"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { SignalboxNode } from "../../src/index.ts"
import * as PrometheusSource from "../../src/metrics/PrometheusSource.ts"
import { queries, start } from "./prometheusServer.ts"

const minute = 60_000
const ref: StackRef = {
  deploymentId: DeploymentId.make("DX6604E"),
  environment: EnvironmentName.make("test"),
  stack: StackName.make("web"),
  properties: {}
}

const spec = (url: string, changes: Partial<typeof MetricsSpec.Encoded> = {}) =>
  Schema.decodeUnknownSync(MetricsSpec)({ source: "prometheus", url, queries, ...changes })

const measure = (
  url: string,
  changes: Partial<typeof MetricsSpec.Encoded> = {},
  env: Record<string, string> = {},
  version = "2.0.0"
) =>
  PrometheusSource.kind(env)
    .make(spec(url, changes))
    .measure(ref, { releaseId: "r2", version, from: 10 * minute, to: 13 * minute })

describe("the metric source prometheus", () => {
  it.live("counts the periods of one release, up to the last complete one", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* start
        for (let at = 9 * minute; at < 14 * minute; at += 1_000) {
          server.count({ at, version: "2.0.0", failed: at % 10_000 === 0 })
          server.count({ at, version: "1.0.0", failed: true })
        }
        const whole = yield* measure(server.url)
        assert.deepStrictEqual(whole, { until: 13 * minute, requests: 181, errors: 19, latency: null, healthy: null })
        // The last period has not been scraped.
        server.scrapeUntil(12 * minute)
        const early = yield* measure(server.url)
        assert.deepStrictEqual([early.until, early.requests, early.errors], [12 * minute, 120, 12])
        const none = yield* measure(server.url, {}, {}, "3.0.0")
        assert.deepStrictEqual([none.until, none.requests], [13 * minute, 0])
      })
    )
  )

  it.live("asks for response times over the whole window, in seconds, and for health in percent", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* start
        const timed = { queries: { ...queries, mean: "latency_mean[$window]", p95: "latency_p95[$window]" } }
        assert.deepStrictEqual((yield* measure(server.url, timed)).latency, { mean: 100, p95: 250 })
        assert.include(
          server.asked.map(({ query }) => query),
          "latency_mean[180s]"
        )
        const nothing = { queries: { ...queries, mean: "quantile(0.5)", p95: "quantile(0.95)" } }
        assert.strictEqual((yield* measure(server.url, nothing)).latency, null)
      })
    )
  )

  it.live("sends a token from the environment, and quotes the release", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* start
        yield* measure(server.url, { tokenFrom: "PROM" }, { PROM: "t0ken" }, String.raw`a"b\c`)
        assert.strictEqual(server.asked[0]!.authorization, "Bearer t0ken")
        assert.include(server.asked[0]!.query, String.raw`version="a\"b\\c"`)
        const denied = yield* Effect.flip(measure(server.url, { tokenFrom: "PROM" }))
        assert.strictEqual(denied.reason._tag, "Denied")
      })
    )
  )

  it.live.each([
    [401, "Denied"],
    [403, "Denied"],
    [429, "Throttled"],
    [400, "Invalid"],
    [503, "Unavailable"],
    [404, "Unexpected"]
  ] as const)("answer %i is %s", ([status, tag]) =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* start
        server.refuse(status, "why")
        const error = yield* Effect.flip(measure(server.url))
        assert.strictEqual(error.reason._tag, tag)
        assert.include(error.message, "why")
      })
    )
  )

  it.live("is unavailable where nothing listens, and refuses answers that are no matrix", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* start
        server.refuse(200, "<html>")
        assert.strictEqual((yield* Effect.flip(measure(server.url))).reason._tag, "Unexpected")
        yield* Effect.promise(server.close)
        assert.strictEqual((yield* Effect.flip(measure(server.url))).reason._tag, "Unavailable")
      })
    )
  )

  it("names the mistake in its configuration", () => {
    const problem = (changes: Partial<typeof MetricsSpec.Encoded>) =>
      PrometheusSource.kind({}).check(spec("http://prometheus:9090", changes))
    assert.isUndefined(problem({}))
    assert.deepStrictEqual(problem({ queries: { requests: "a" } })?.path, ["queries", "errors"])
    assert.match(problem({ queries: { ...queries, p59: "a" } })?.message ?? "", /none of the queries/)
    assert.match(problem({ queries: { ...queries, p95: "a" } })?.message ?? "", /belong together/)
    assert.deepStrictEqual(problem({ url: "prometheus:9090" })?.path, ["url"])
  })
})

/** A stack whose provider measures nothing; its gate reads a server over HTTP. */
const config = (url: string, metrics: Partial<typeof MetricsSpec.Encoded> = {}): Config => ({
  organization: "acme",
  project: "shop",
  environments: { production: {} },
  stacks: [
    {
      name: "web",
      provider: "simulated",
      metrics: { source: "prometheus", url, queries, resolution: "1 second", lag: "100 millis", ...metrics },
      gate: {
        gracePeriod: "0 millis",
        interval: "100 millis",
        consecutivePasses: 1,
        minSamples: 5,
        maxErrorCount: 3,
        errorWindow: "10 seconds"
      },
      strategy: { type: "canary", steps: [{ weight: 10, bake: "1 second" }] }
    }
  ]
})

describe("a deployment judged by a server over HTTP", () => {
  const cloud = SimulatedProvider.make({ capabilities: { metrics: false } })
  const layer = SignalboxNode.layerWith({ stores: layerMemory, providers: [cloud.provider] })
  const manifestOf = (value: Config) =>
    Result.getOrThrow(Configuration.check(value, new Map([[cloud.provider.kind, cloud.provider]])))
  const request = (manifest: ReturnType<typeof manifestOf>, deploymentId: DeploymentId, version: string) => ({
    kind: "deploy" as const,
    correlationId: CorrelationId.make(`deploy-${version}`),
    deploymentId,
    environment: EnvironmentName.make("production"),
    manifest,
    by: "tester",
    version
  })

  it.live(
    "rolls back a candidate with errors there, and keeps a good one",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* start
          const { deployments, executions } = yield* Signalbox
          const manifest = manifestOf(config(server.url))
          const { deploymentId } = yield* deployments.init({ manifest, by: "tester" })
          const clients = yield* Effect.acquireRelease(
            Effect.sync(() =>
              setInterval(() => {
                const at = Date.now()
                server.count({ at, version: "1.0.0", failed: false })
                server.count({ at, version: "2.0.0", failed: false })
                server.count({ at, version: "3.0.0", failed: true })
              }, 20)
            ),
            (timer) => Effect.sync(() => clearInterval(timer))
          )
          assert.isDefined(clients)
          const deploy = (version: string) =>
            Effect.andThen(
              executions.submit(request(manifest, deploymentId, version)),
              executions.run(CorrelationId.make(`deploy-${version}`))
            )
          assert.strictEqual((yield* deploy("1.0.0")).status, "completed")
          const good = yield* deploy("2.0.0")
          assert.strictEqual(good.status, "completed", JSON.stringify(good.error))
          const measured = good.verdicts.find(({ step }) => step === "canary 10%")!.measured!
          // The fewest that the gate judges: a busy machine counts few.
          assert.isAtLeast(measured.requests, 5)
          assert.strictEqual(measured.healthy, 100)
          const bad = yield* deploy("3.0.0")
          assert.strictEqual(bad.status, "rolled_back")
          assert.match(describeCause(bad.error!), /web: canary 10% failed its gate: \d+ errors in \d+ requests/)
        })
      ).pipe(Effect.provide(layer)),
    240_000
  )

  it.live("is refused before anything is recorded if the source is unknown, or its queries are wrong", () =>
    Effect.gen(function* () {
      const { deployments, executions } = yield* Signalbox
      const good = manifestOf(config("http://127.0.0.1:9"))
      const { deploymentId } = yield* deployments.init({ manifest: good, by: "tester" })
      const refused = (metrics: Partial<typeof MetricsSpec.Encoded>) =>
        Effect.map(
          Effect.flip(
            executions.submit(request(manifestOf(config("http://127.0.0.1:9", metrics)), deploymentId, "9.0.0"))
          ),
          (error) => (error._tag === "Rejected" ? [error.code as string, error.info.path] : [error._tag])
        )
      assert.deepStrictEqual(yield* refused({ source: "grafana" }), [
        "unknown_metric_source",
        "stacks.web.metrics.source"
      ])
      assert.deepStrictEqual(yield* refused({ queries: { requests: "a" } }), [
        "invalid_metrics",
        "stacks.web.metrics.queries.errors"
      ])
    }).pipe(Effect.provide(layer))
  )

  it("is configured key by key, without a password in the address", () => {
    const issues = (metrics: object) => {
      const value = { ...config("http://127.0.0.1:9"), stacks: [{ name: "web", provider: "simulated", metrics }] }
      const checked = Configuration.check(value, new Map([[cloud.provider.kind, cloud.provider]]))
      return Result.isFailure(checked) ? checked.failure.issues.map(({ message, path }) => `${path} ${message}`) : []
    }
    assert.deepStrictEqual(issues({ source: "prometheus", url: "http://a:b@127.0.0.1", queries, lagg: "1 second" }), [
      "stacks[0].metrics.lagg is not a known key",
      "stacks[0].metrics.url looks like a secret, and the configuration is stored with every execution"
    ])
    assert.deepStrictEqual(issues({ source: "prometheus", url: "http://127.0.0.1", queries, resolution: "1 milli" }), [
      'stacks[0].metrics.resolution expected a span of time from 1 second to 1 day, got "1 milli"'
    ])
  })
})
