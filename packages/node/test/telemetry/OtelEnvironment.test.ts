import { assert, describe, it } from "vitest"
import { otelEnvironment } from "../../src/telemetry/OtelEnvironment.ts"
import { samplerOf } from "../../src/telemetry/Sampler.ts"
import { telemetryWanted } from "../../src/telemetry/telemetryWanted.ts"

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/base/" }

describe("telemetryWanted", () => {
  it.each([
    [{}, false],
    [{ TRACEPARENT: "00-…", OTEL_SERVICE_NAME: "x", OTEL_TRACES_SAMPLER: "always_on" }, false],
    [{ OTEL_TRACES_EXPORTER: "none" }, false],
    [{ OTEL_TRACES_EXPORTER: "console" }, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "" }, false],
    [{ ...endpoint, OTEL_SDK_DISABLED: "TRUE" }, false],
    [endpoint, true],
    [{ ...endpoint, OTEL_SDK_DISABLED: "false" }, true],
    [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://collector/m" }, true],
    [{ OTEL_LOGS_EXPORTER: "console, otlp" }, true]
  ] as ReadonlyArray<readonly [Record<string, string>, boolean]>)("%j: %s", (env, wanted) => {
    assert.strictEqual(telemetryWanted(env), wanted)
  })
})

describe("otelEnvironment", () => {
  it("sends all signals below the endpoint, with the defaults of the specification", () => {
    const { sampler, serviceName, signals, temporality, warnings } = otelEnvironment(endpoint)
    assert.deepEqual(signals.TRACES, {
      url: "http://collector:4318/base/v1/traces",
      headers: {},
      protocol: "http/protobuf",
      compression: "none",
      timeout: 10_000,
      interval: 5_000,
      batch: 512
    })
    assert.strictEqual(signals.LOGS?.url, "http://collector:4318/base/v1/logs")
    assert.strictEqual(signals.METRICS?.interval, 60_000)
    assert.deepEqual(
      [serviceName, temporality, warnings, sampler("f".repeat(32))],
      ["signalbox", "cumulative", [], true]
    )
  })

  it("sends to this machine where only an exporter is named, and only that signal", () => {
    const { signals } = otelEnvironment({ OTEL_TRACES_EXPORTER: "otlp" })
    assert.deepEqual(Object.keys(signals), ["TRACES"])
    assert.strictEqual(signals.TRACES?.url, "http://localhost:4318/v1/traces")
    assert.notProperty(otelEnvironment({ ...endpoint, OTEL_METRICS_EXPORTER: "none" }).signals, "METRICS")
  })

  it("signal-specific settings take precedence over general ones", () => {
    const { resource, serviceName, signals } = otelEnvironment({
      ...endpoint,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://traces.example/exact",
      OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%20b, x-all=1",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-key=c",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: "http/protobuf",
      OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
      OTEL_EXPORTER_OTLP_TIMEOUT: "1000",
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: "500",
      OTEL_RESOURCE_ATTRIBUTES: "service.name=deployer,team=a%2Cb",
      OTEL_SERVICE_NAME: ""
    })
    assert.deepInclude(signals.TRACES, {
      url: "https://traces.example/exact",
      timeout: 500,
      protocol: "http/json",
      compression: "gzip"
    })
    assert.deepEqual(signals.TRACES?.headers, { "x-key": "c", "x-all": "1" })
    assert.deepEqual(signals.LOGS?.headers, { "x-key": "a b", "x-all": "1" })
    assert.deepInclude(signals.LOGS, { timeout: 1_000, protocol: "http/protobuf" })
    assert.deepEqual([serviceName, resource], ["deployer", { team: "a,b" }])
  })

  it("reports invalid values and continues", () => {
    const { signals, warnings } = otelEnvironment({
      OTEL_EXPORTER_OTLP_ENDPOINT: "collector",
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "http://collector/l",
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
      OTEL_EXPORTER_OTLP_TIMEOUT: "soon",
      OTEL_TRACES_SAMPLER: "jaeger_remote",
      OTEL_RESOURCE_ATTRIBUTES: "a=%E0%A4%A,=x,b"
    })
    assert.deepEqual(Object.keys(signals), ["LOGS"])
    assert.deepInclude(signals.LOGS, { protocol: "http/protobuf", timeout: 10_000 })
    assert.lengthOf(warnings, 4)
  })

  it("joins the trace that started it, unless propagators are configured", () => {
    const env = { ...endpoint, TRACEPARENT: "00-x" }
    assert.strictEqual(otelEnvironment(env).parent, "00-x")
    assert.strictEqual(otelEnvironment({ ...env, OTEL_PROPAGATORS: "baggage, tracecontext" }).parent, "00-x")
    assert.isUndefined(otelEnvironment({ ...env, OTEL_PROPAGATORS: "b3" }).parent)
  })
})

describe("samplers", () => {
  const low = `${"f".repeat(18)}${"0".repeat(14)}`
  const high = `${"0".repeat(18)}${"f".repeat(14)}`
  it.each([
    ["always_on", undefined, true, true],
    ["always_off", undefined, false, false],
    ["parentbased_always_off", undefined, false, false],
    ["traceidratio", "0.5", true, false],
    ["parentbased_traceidratio", "1", true, true],
    ["traceidratio", "0", false, false],
    ["traceidratio", "2", true, true],
    [undefined, undefined, true, true]
  ])("%s %s", (name, argument, wantsLow, wantsHigh) => {
    const { sampler } = samplerOf(name, argument)
    assert.deepEqual([sampler(low), sampler(high)], [wantsLow, wantsHigh])
  })
})
