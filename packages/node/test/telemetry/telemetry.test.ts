/**
 * What goes over the wire, from a provider that logs and calls, to a receiver.
 */
import { Configuration } from "@signalbox/core/config"
import { Signalbox } from "@signalbox/core/engine"
import { CorrelationId, EnvironmentName, Providers } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { rootSpanIdOf, spanIdOf, traceIdOf } from "@signalbox/core/telemetry"
import { SimulatedProvider } from "@signalbox/core/testing"
import { telemetry } from "@signalbox/node/telemetry"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Result from "effect/Result"
import { createServer } from "node:http"
import { gunzipSync } from "node:zlib"
import { assert, describe, it } from "vitest"

interface Request {
  readonly path: string
  readonly type: string
  readonly body: Buffer
}

/** Runs with a receiver's address, and returns what it received. */
const received = async (use: (url: string) => Promise<unknown>): Promise<ReadonlyArray<Request>> => {
  const requests: Array<Request> = []
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (data) => chunks.push(data))
    request.on("end", () => {
      const raw = Buffer.concat(chunks)
      const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw
      requests.push({ path: request.url ?? "", type: request.headers["content-type"] ?? "", body })
      response.end("{}")
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  try {
    await use(`http://127.0.0.1:${(server.address() as { readonly port: number }).port}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
  return requests
}

/** One deployment, by a provider that reports too much and makes its own spans. */
const deployment = (env: Record<string, string>, correlationId = "wire-1") => {
  const cloud = SimulatedProvider.make()
  const { provider } = cloud
  const talkative = {
    ...provider,
    plan: (...given: Parameters<typeof provider.plan>) =>
      Effect.logWarning("planning with password=hunter2", new Error("token: hunter2")).pipe(
        Effect.andThen(
          Effect.withSpan(provider.plan(...given), "select hunter2", { attributes: { "db.query.text": "hunter2" } })
        )
      )
  }
  const config = {
    organization: "acme",
    project: "shop",
    environments: { production: {} },
    stacks: [
      {
        name: "web",
        provider: "simulated",
        gate: { gracePeriod: "0 millis", interval: "10 millis", consecutivePasses: 1 }
      }
    ]
  } as const
  const manifest = Result.getOrThrow(Configuration.check(config, new Map([[provider.kind, provider]])))
  const layer = Signalbox.layer.pipe(
    Layer.provideMerge(layerMemory),
    Layer.provideMerge(Providers.layer([talkative])),
    Layer.provideMerge(telemetry({ env, version: "1.2.3" })),
    // The console is not read here.
    Layer.provideMerge(Logger.layer([]))
  )
  return Effect.runPromise(
    Effect.provide(
      Effect.gen(function* () {
        const box = yield* Signalbox
        const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
        const { execution } = yield* box.executions.submit({
          kind: "deploy",
          correlationId: CorrelationId.make(correlationId),
          deploymentId,
          environment: EnvironmentName.make("production"),
          manifest,
          by: "tester",
          version: "1"
        })
        return yield* box.executions.run(execution.correlationId)
      }),
      layer
    )
  )
}

const json = { OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" }
const parsed = (requests: ReadonlyArray<Request>, path: string) =>
  requests.filter((request) => request.path === path).map(({ body }) => JSON.parse(body.toString("utf8")))

describe("telemetry", () => {
  it("correlates logs with the steps that wrote them, and lets no secret through", async () => {
    const requests = await received((url) =>
      deployment({ ...json, OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_COMPRESSION: "gzip" })
    )
    const records = parsed(requests, "/v1/logs").flatMap((body) => body.resourceLogs[0].scopeLogs[0].logRecords)
    // The stacks are planned before the request is recorded, too: outside of its trace.
    const record = records.find(({ traceId }) => traceId !== undefined)
    for (const { body } of records) assert.strictEqual(body.stringValue, "planning with password=…: token: …")
    assert.strictEqual(record.severityText, "Warn")
    assert.strictEqual(record.traceId, traceIdOf("wire-1"))
    const spans = parsed(requests, "/v1/traces").flatMap((body) => body.resourceSpans[0].scopeSpans[0].spans)
    const call = spans.find(({ name, spanId }) => name === "Provider.plan" && spanId === record.spanId)
    assert.strictEqual(call.parentSpanId, spanIdOf("wire-1", "/step/plan/web#1"))
    assert.lengthOf(
      spans.filter(({ spanId }) => spanId === rootSpanIdOf("wire-1")),
      1
    )
    assert.notInclude(requests.map(({ body }) => body.toString("utf8")).join(""), "hunter2")
    assert.isFalse(spans.some(({ name }) => /sql|Workflow|select/i.test(name)))
  })

  it("speaks protobuf by default", async () => {
    const requests = await received((url) => deployment({ OTEL_EXPORTER_OTLP_ENDPOINT: url }))
    assert.deepEqual([...new Set(requests.map(({ type }) => type))], ["application/x-protobuf"])
    const traces = Buffer.concat(requests.filter(({ path }) => path === "/v1/traces").map(({ body }) => body))
    assert.include(traces.toString("latin1"), "RUN deploy shop")
    assert.isTrue(traces.includes(Buffer.from(traceIdOf("wire-1"), "hex")))
  })

  it("sends only the requested signals, and no unsampled trace", async () => {
    const logs = await received((url) => deployment({ ...json, OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `${url}/l` }))
    assert.deepEqual([...new Set(logs.map(({ path }) => path))], ["/l"])
    const unsampled = await received((url) =>
      deployment({ ...json, OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_TRACES_SAMPLER: "always_off" })
    )
    assert.notInclude(
      unsampled.map(({ path }) => path),
      "/v1/traces"
    )
    assert.include(
      unsampled.map(({ path }) => path),
      "/v1/metrics"
    )
  })

  it("ends in time if the collector only listens", async () => {
    const deaf = createServer(() => undefined)
    await new Promise<void>((resolve) => deaf.listen(0, "127.0.0.1", resolve))
    const url = `http://127.0.0.1:${(deaf.address() as { readonly port: number }).port}`
    // An exporter that were waited for would outlast this test.
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_TIMEOUT: "3600000" }
    assert.strictEqual((await deployment(env)).status, "completed")
    deaf.closeAllConnections()
    deaf.close()
  })
})
