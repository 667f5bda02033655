/**
 * Any provider, sampler, processor and exporter that a program may have registered.
 */
import type { Span, Tracer, TracerProvider } from "@opentelemetry/api"
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  InMemorySpanExporter,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  SamplingDecision,
  SimpleSpanProcessor,
  type SpanExporter,
  type SpanProcessor
} from "@opentelemetry/sdk-trace-base"
import { type SpanData, Telemetry, traceIdOf } from "@signalbox/core/telemetry"
import type { Connection } from "@signalbox/node"
import { connect } from "@signalbox/node"
import { hostTelemetry } from "@signalbox/node/telemetry"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { collect, configuration, connected, environment, rejected } from "../sdk/support.ts"
import { temporaryDirectory } from "../support/directory.ts"
import { idsOf, inSpan, linksOf, register, startHost, treeOf } from "../support/host.ts"

const host = () => connected(temporaryDirectory(onTestFinished), { telemetry: "host" })

const deploy = async (signalbox: Connection, correlationId: string) => {
  const config = configuration()
  const { deploymentId } = await signalbox.deployments.init({ configuration: config })
  const execution = await signalbox.deploy({
    configuration: config,
    deploymentId,
    environment,
    version: "1.0.0",
    correlationId
  })
  return (await execution.done).status
}

/** The events that promise a trace. */
const markersOf = async (signalbox: Connection, correlationId: string) => {
  const events = await collect(signalbox.executions.events(correlationId))
  return events.filter(({ event }) => "trace" in event).map(({ event }) => event._tag)
}

/** Runs a command that prints its `TRACEPARENT`. */
const traceparentOf = async (signalbox: Connection, correlationId: string) => {
  let printed = ""
  const { done } = await signalbox.runCommand({
    project: "acme/shop",
    environment,
    correlationId,
    command: process.execPath,
    args: ["-e", "console.log(process.env.TRACEPARENT)"],
    onOutput: (_, bytes) => void (printed += Buffer.from(bytes).toString())
  })
  await done
  return printed.trim()
}

/** The warnings of the process from here on. */
const warnings = () => {
  const emit = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined)
  onTestFinished(() => emit.mockRestore())
  return () => emit.mock.calls.map(([message]) => String(message))
}

describe("the program's sampler", () => {
  it("decides for a whole trace: an unsampled execution is neither traced, marked nor linked", async () => {
    const { NOT_RECORD, RECORD_AND_SAMPLED } = SamplingDecision
    const root: Sampler = {
      shouldSample: (_, traceId) => ({ decision: traceId.startsWith("0000") ? NOT_RECORD : RECORD_AND_SAMPLED }),
      toString: () => "by id"
    }
    const { spans } = startHost({ sampler: new ParentBasedSampler({ root }) })
    const { signalbox } = await host()
    const sampled = "80000000-0000-4000-8000-000000000000"
    const unsampled = "00000000-0000-4000-8000-000000000000"
    await inSpan("unsampled", () => deploy(signalbox, unsampled))
    expect(await markersOf(signalbox, unsampled)).toEqual([])
    expect(await traceparentOf(signalbox, "00000000-0000-4000-8000-000000000001")).toMatch(/-02$/)
    await inSpan("sampled", () => deploy(signalbox, sampled))
    expect(await traceparentOf(signalbox, "80000000-0000-4000-8000-000000000001")).toMatch(/-03$/)
    await signalbox.close()
    const linked = (name: string) => linksOf(spans().find((span) => span.name === name)).length
    expect([linked("sampled"), linked("unsampled")]).toEqual([1, 0])
    treeOf(spans(), sampled)
    expect(spans().filter((span) => idsOf(span).traceId === traceIdOf(unsampled))).toEqual([])
  })

  it("is asked only once for each trace, so that a sampler by rate tears none apart", async () => {
    let asked = 0
    const sampler: Sampler = {
      shouldSample: () => ({
        decision: asked++ % 2 === 0 ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD
      }),
      toString: () => "every other one"
    }
    const { spans } = startHost({ sampler })
    const { signalbox } = await host()
    expect(await deploy(signalbox, "rated")).toBe("completed")
    await signalbox.close()
    expect(asked).toBe(1)
    expect(treeOf(spans(), "rated").names).toContain("Provider.stage")
  })
})

describe("the program's processors and exporters", () => {
  it("get all spans of a long execution, even with a queue that is shorter", async () => {
    const exporter = new InMemorySpanExporter()
    const processor = new BatchSpanProcessor(exporter, { maxQueueSize: 512, maxExportBatchSize: 128 })
    register(new BasicTracerProvider({ spanProcessors: [processor] }))
    const traceId = traceIdOf("long")
    const spans = Array.from({ length: 3_000 }, (_, index): SpanData => ({
      traceId,
      spanId: (index + 1).toString(16).padStart(16, "0"),
      ...(index === 0 ? {} : { parentSpanId: "0000000000000001" }),
      name: `span ${index}`,
      kind: "internal",
      start: 1_000 + index,
      end: 2_000 + index,
      status: "ok",
      attributes: {},
      events: [],
      links: []
    }))
    const sent = Effect.flatMap(Telemetry, (telemetry) => telemetry!.send(spans))
    expect(await Effect.runPromise(Effect.provide(sent, hostTelemetry()))).toBe(true)
    const received = exporter.getFinishedSpans()
    expect(received.map((span) => span.spanContext().spanId)).toEqual(spans.map(({ spanId }) => spanId))
    expect(received[1]).toMatchObject({ startTime: [1, 1_000_000], endTime: [2, 1_000_000] })
  })

  it("do not have to accept anything: what was refused is sent by the next connection", async () => {
    let accepts = false
    const kept: Array<ReadableSpan> = []
    const exporter: SpanExporter = {
      export: (spans, done) => {
        if (accepts) kept.push(...spans)
        done(accepts ? { code: 0 } : { code: 1, error: new Error("refused") })
      },
      shutdown: async () => undefined
    }
    startHost({ processors: [new BatchSpanProcessor(exporter)] })
    const { open, signalbox } = await host()
    expect(await deploy(signalbox, "refused")).toBe("completed")
    await signalbox.close()
    expect(kept).toEqual([])

    accepts = true
    const other = await open()
    await other.close()
    const { names } = treeOf(kept, "refused")
    expect(names).toContain("Step.stage")
    const last = await open()
    await last.close()
    expect(kept).toHaveLength(names.length)
  })

  it("may throw: the deployment goes on", async () => {
    const thrown = () => {
      throw new Error("a broken processor")
    }
    const processor: SpanProcessor = {
      onStart: thrown,
      onEnd: thrown,
      forceFlush: async () => undefined,
      shutdown: async () => undefined
    }
    startHost({ processors: [processor] })
    const { signalbox } = await host()
    expect(await deploy(signalbox, "thrown")).toBe("completed")
  })
})

/** A provider that draws the ids of spans itself, such as one of a vendor's agent. */
const opaque = (provider: BasicTracerProvider): TracerProvider => ({
  getTracer: (name) => {
    const tracer = provider.getTracer(name)
    return {
      startSpan: (...given) => tracer.startSpan(...given),
      startActiveSpan: (...given: Parameters<Tracer["startActiveSpan"]>) => tracer.startActiveSpan(...given)
    } as Tracer
  }
})

describe("a provider that draws the ids of spans itself", () => {
  it("gets calls and requests below the caller's span, and no span without its parent", async () => {
    const said = warnings()
    const exporter = new InMemorySpanExporter()
    register(opaque(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })))
    const { signalbox } = await host()
    expect(said()).toEqual([expect.stringContaining("draws the ids of spans itself")])
    let release: Span | undefined
    await inSpan("release", async (span) => {
      release = span
      expect(await deploy(signalbox, "opaque")).toBe("completed")
      expect(await traceparentOf(signalbox, "opaque-run")).toContain(idsOf(span).spanId)
    })
    expect(await markersOf(signalbox, "opaque")).toEqual([])
    await signalbox.close()
    const spans = exporter.getFinishedSpans()
    const { spanId, traceId } = idsOf(release)
    expect([...new Set(spans.map((span) => idsOf(span).traceId))]).toEqual([traceId])
    const ours = spans.filter(({ name }) => name !== "release")
    expect(ours.map(({ name }) => name)).toEqual(expect.arrayContaining(["Signalbox.submit", "Provider.stage"]))
    for (const span of ours) {
      expect(span.parentSpanContext?.spanId, span.name).toBe(spanId)
      expect(span.attributes["signalbox.correlation_id"]).toMatch(/^opaque/)
    }
    expect(linksOf(spans.find(({ name }) => name === "release"))).toEqual([])
  })
})

describe("telemetry", () => {
  it("is off without a provider, and says so unless OpenTelemetry is disabled", async () => {
    const said = warnings()
    const { open, signalbox } = await host()
    expect(said()).toEqual([expect.stringContaining("no TracerProvider of OpenTelemetry is registered")])
    expect(await deploy(signalbox, "none")).toBe("completed")
    expect(await markersOf(signalbox, "none")).toEqual([])
    vi.stubEnv("OTEL_SDK_DISABLED", "true")
    onTestFinished(() => void vi.unstubAllEnvs())
    await open()
    expect(said()).toHaveLength(1)
  })

  it("is off by default, whatever the program has registered", async () => {
    const { spans } = startHost()
    const { signalbox } = await connected()
    await inSpan("release", () => deploy(signalbox, "default"))
    expect(await markersOf(signalbox, "default")).toEqual([])
    await signalbox.close()
    expect(spans().map(({ name }) => name)).toEqual(["release"])
    expect(linksOf(spans()[0])).toEqual([])
  })

  it("refuses any other value", async () => {
    const options = { directory: temporaryDirectory(onTestFinished), providers: [], telemetry: "hots" as "host" }
    expect(await rejected(connect(options))).toMatchObject({ _tag: "InvalidInputError", path: "telemetry" })
  })

  it("loads OpenTelemetry's API only if it is asked for, and says what to install if it is missing", () => {
    const path = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
    const connecting = (...telemetry: ReadonlyArray<string>) => {
      const flags = ["--conditions=@signalbox/source", "--import", path("resolutions.mjs")]
      const args = [...flags, path("connecting.ts"), temporaryDirectory(onTestFinished), ...telemetry]
      const env = { ...process.env, HIDDEN_PACKAGE: "@opentelemetry/api" }
      const { stderr, stdout } = spawnSync(process.execPath, args, { encoding: "utf8", env })
      return { stderr, stdout }
    }
    const without = connecting()
    expect(without.stdout.trim(), without.stderr).toBe("connected")
    expect(without.stderr).not.toContain("loads @opentelemetry/")
    const { stderr, stdout } = connecting("host")
    expect(stderr).toContain("loads @opentelemetry/api")
    expect(JSON.parse(stdout)).toMatchObject({
      tag: "InvalidInputError",
      code: "opentelemetry_missing",
      path: "telemetry",
      hint: expect.stringContaining("npm install @opentelemetry/api")
    })
  })
})
