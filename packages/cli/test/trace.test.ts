/**
 * One trace, whichever processes took part: real processes, one of which is killed, and a real OTLP receiver.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { rootSpanIdOf, traceIdOf } from "@signalbox/core/telemetry"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Binary, build } from "./binary.ts"
import { until } from "./chaos/processes.ts"
import { attributesOf, type Collector, listen, type Received } from "./collector.ts"
import { temporary } from "./support.ts"

const id = "DX6604E"
const secret = "hunter2-do-not-export"
const ci = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

const server = `
import { createServer } from "node:http"
createServer((request, response) => response.end("ok")).listen(process.env.PORT)
`
const stackOf = (name: string, more: object = {}) => ({
  name,
  provider: "local",
  gate: { gracePeriod: "0 millis", interval: "100 millis", consecutivePasses: 2, minSamples: 1 },
  properties: {
    command: ["node", "server.mjs"],
    artifact: "app",
    env: { GREETING: secret },
    readiness: { timeout: "1 minute", interval: "100 millis" }
  },
  ...more
})

let binary: Binary
let cwd: string
let collector: Collector

const configure = (bake: string) =>
  Fs.writeFileSync(
    Path.join(cwd, "signalbox.config.json"),
    JSON.stringify({
      organization: "acme",
      project: "shop",
      environments: { production: {} },
      leaseTtl: "30 seconds",
      stacks: [stackOf("db"), stackOf("web", { dependsOn: ["db"], strategy: { type: "blue_green", bake } })]
    })
  )

const otel = (url = collector.url): Readonly<Record<string, string>> => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
  OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
  OTEL_BSP_SCHEDULE_DELAY: "50"
})
const run = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) => binary.run(cwd, args, { env })
const deploy = (correlationId: string, env: Readonly<Record<string, string>> = {}, ...more: ReadonlyArray<string>) =>
  run(["deploy", "--version", correlationId, "--correlation-id", correlationId, "--json", ...more], env)
const events = async (correlationId: string): Promise<ReadonlyArray<any>> =>
  JSON.parse((await run(["events", correlationId, "--json"])).stdout).events
const of = (correlationId: string) => collector.spans().filter(({ traceId }) => traceId === traceIdOf(correlationId))
/** The spans of a finished execution. What a busy process could not send before its end, the next command sends. */
const sent = async (correlationId: string): Promise<ReadonlyArray<Received>> => {
  const arrived = async () =>
    of(correlationId).some(({ parentSpanId }) => parentSpanId === undefined) ||
    (await run(["list", "--json"], otel()), false)
  assert.isTrue(await until(arrived), `no root of ${correlationId}`)
  return of(correlationId)
}

/** Whatever became of its processes, this is a tree with one root. */
const assertTree = (correlationId: string, spans: ReadonlyArray<Received>): Received => {
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined)
  assert.deepEqual(
    roots.map(({ spanId }) => spanId),
    [rootSpanIdOf(correlationId)]
  )
  const ids = spans.map(({ spanId }) => spanId)
  assert.strictEqual(new Set(ids).size, ids.length, "no span twice")
  for (const span of spans) {
    assert.isTrue(span.parentSpanId === undefined || ids.includes(span.parentSpanId), `${span.name} has its parent`)
    assert.strictEqual(span.attributes["signalbox.correlation_id"], correlationId)
    assert.isAtLeast(span.end, span.start)
    const parent = spans.find(({ spanId }) => spanId === span.parentSpanId) ?? span
    // Times in the log are whole milliseconds. A request begins before it is recorded, and a command may end after it was heeded.
    if (span.name.startsWith("Signalbox.")) continue
    assert.isAtLeast(span.start + 1, parent.start, `${span.name} begins in ${parent.name}`)
    assert.isAtMost(span.end - 1, parent.end, `${span.name} ends in ${parent.name}`)
  }
  return roots[0]!
}

beforeAll(async () => {
  binary = build()
  cwd = temporary("trace")
  collector = await listen()
  Fs.mkdirSync(Path.join(cwd, "app"))
  Fs.writeFileSync(Path.join(cwd, "app", "server.mjs"), server)
  configure("100 millis")
  const made = await run(["init", "--id", id, "--json"])
  assert.strictEqual(made.code, 0, made.stderr)
  // The first release has nothing beside it that it could bake against.
  const first = await deploy("first-1")
  assert.strictEqual(first.code, 0, first.stderr)
})

afterAll(async () => {
  await run(["destroy", id, "--yes"])
  await collector.close()
  Fs.rmSync(cwd, { recursive: true, force: true })
})

describe("one trace", () => {
  it("is not created unless requested", async () => {
    const ran = await deploy("quiet-1", { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SDK_DISABLED: "true" })
    assert.strictEqual(ran.code, 0, ran.stderr)
    assert.deepEqual(collector.requests, [])
    assert.notInclude(JSON.stringify(await events("quiet-1")), "trace")
  })

  it("has stages, stacks, steps and calls of providers, in one process", async () => {
    const ran = await deploy("alone-1", {
      ...otel(),
      TRACEPARENT: ci,
      OTEL_EXPORTER_OTLP_HEADERS: "x-team=a%20b",
      OTEL_RESOURCE_ATTRIBUTES: "team=shop,broken"
    })
    assert.strictEqual(ran.code, 0, ran.stderr)
    const spans = await sent("alone-1")
    const root = assertTree("alone-1", spans)
    assert.strictEqual(root.name, "RUN deploy shop")
    assert.strictEqual(root.kind, 2)
    assert.deepInclude(root.attributes, {
      "cicd.pipeline.name": "deploy shop",
      "cicd.pipeline.run.id": "alone-1",
      "cicd.pipeline.result": "success",
      "deployment.environment.name": "production",
      "signalbox.runs": 1
    })
    assert.deepEqual(
      root.links.map(({ spanId, traceId }) => [traceId, spanId]),
      [["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"]]
    )
    const byId = new Map(spans.map((span) => [span.spanId, span]))
    const pathOf = (span: Received | undefined): string =>
      span?.parentSpanId === undefined ? "" : `${pathOf(byId.get(span.parentSpanId))}/${span.name}`
    const seen = new Set(spans.map(pathOf))
    for (const path of [
      "/Signalbox.submit",
      "/Runner.run",
      "/Stage.initialization/Stack.initialization/Step.plan/Provider.plan",
      "/Stage.health_check/Stack.health_check/Step.observe/Provider.observe",
      "/Stage.deployment/Stack.deployment/Step.stage/Provider.stage",
      "/Stage.deployment/Stack.deployment/Gate.watch/Provider.measure"
    ])
      assert.isTrue(seen.has(path), `${path} in ${[...seen].join(" ")}`)
    const gate = spans.find(({ name, events }) => name === "Gate.watch" && events.length > 0)
    assert.strictEqual(gate?.events[0]?.name, "gate.verdict")
    const [request] = collector.requests
    assert.strictEqual(request?.headers["x-team"], "a b")
    const resource = attributesOf(
      JSON.parse(collector.requests.find(({ path }) => path === "/v1/traces")!.text).resourceSpans[0].resource
        .attributes
    )
    assert.deepInclude(resource, { "service.name": "signalbox", team: "shop" })
    for (const { text } of collector.requests) assert.notInclude(text, secret)
  })

  it("measures runs without naming them", () => {
    const metrics = collector.requests.filter(({ path }) => path === "/v1/metrics")
    assert.isNotEmpty(metrics)
    const found = metrics.flatMap(({ text }) => JSON.parse(text).resourceMetrics[0].scopeMetrics[0].metrics)
    const duration = found.find(({ name }: any) => name === "cicd.pipeline.run.duration")
    assert.strictEqual(duration.unit, "s")
    assert.deepInclude(attributesOf(duration.histogram.dataPoints[0].attributes), {
      "cicd.pipeline.name": "deploy shop",
      "cicd.pipeline.run.state": "finalizing",
      "cicd.pipeline.result": "success"
    })
    assert.notInclude(metrics.map(({ text }) => text).join(""), "alone-1")
    assert.isDefined(found.find(({ name }: any) => name === "cicd.pipeline.run.active"))
  })

  it("is one tree if one process made the request, another was killed and a third finished", async () => {
    // It lasts until it is promoted, however slow the machine is.
    configure("1 hour")
    const correlationId = "4f9d0f0e-1b5e-4a51-9d0c-3a8d8a8a2f10"
    const child = spawn(
      process.execPath,
      [binary.path, "deploy", "--version", "killed", "--correlation-id", correlationId, "--detach", "--json"],
      { cwd, env: { ...process.env, ...otel(), HOME: cwd }, stdio: ["ignore", "pipe", "inherit"] }
    )
    let output = ""
    child.stdout.on("data", (data) => (output += data))
    await once(child, "close")
    assert.notStrictEqual(output, "")
    const { pid } = JSON.parse(output)
    // The release bakes: its intent is in the log, its receipt is not.
    while (
      !(await events(correlationId)).some(
        ({ data, type }) => type === "StepStarted" && data.operation === "watch" && data.stack === "web"
      )
    )
      await new Promise((resolve) => setTimeout(resolve, 50))
    const instances = () => new Set(of(correlationId).map(({ instance }) => instance)).size
    assert.isTrue(await until(() => instances() === 2))
    process.kill(pid, "SIGKILL")
    assert.strictEqual((await run(["promote", correlationId])).code, 0)
    const resumed = await run(["attach", correlationId, "--json"], { ...otel(), TRACEPARENT: ci })
    assert.strictEqual(resumed.code, 0, resumed.stderr)

    const spans = await sent(correlationId)
    const root = assertTree(correlationId, spans)
    assert.strictEqual(root.traceId, correlationId.replaceAll("-", ""))
    assert.strictEqual(new Set(spans.map(({ instance }) => instance)).size, 3, "three processes sent spans")
    const runs = spans.filter(({ name }) => name === "Runner.run").toSorted((left, right) => left.start - right.start)
    assert.deepEqual(
      runs.map(({ attributes }) => attributes["signalbox.cut"]),
      [true, false]
    )
    assert.deepEqual(
      runs.map(({ links }) => links.length),
      [0, 1]
    )
    const steps = spans.filter(({ attributes }) => attributes["signalbox.step"] !== undefined)
    const done = (await events(correlationId))
      .filter(({ type }) => type === "StepFinished")
      .map(({ data }) => data.step)
    assert.sameMembers(
      steps.map(({ attributes }) => attributes["signalbox.step"]),
      done
    )
    // Calls that finished before the kill were not repeated. Spans of calls that the killed process had not sent yet
    // are lost with it.
    assert.isAtMost(
      spans.filter(({ name }) => name === "Provider.stage").length,
      done.filter((step) => step.startsWith("stage/")).length
    )
    assert.strictEqual((await events(correlationId)).filter(({ type }) => type === "TraceExported").length, 1)

    const after = collector.requests.length
    assert.strictEqual((await run(["attach", correlationId, "--json"], otel())).code, 0)
    assert.deepEqual(
      of(correlationId).length,
      spans.length,
      `nothing new in ${collector.requests.length - after} requests`
    )
  })

  it("waits for no collector, and is sent by the next command that finds one", async () => {
    configure("100 millis")
    const gone = await listen()
    await gone.close()
    const ran = await deploy("dead-1", otel(gone.url))
    assert.strictEqual(ran.code, 0, ran.stderr)
    assert.strictEqual(JSON.parse((await run(["trace", "dead-1", "--json"])).stdout).telemetry, "pending")

    const spans = await sent("dead-1")
    assertTree(
      "dead-1",
      spans.filter(({ name }) => !name.startsWith("Provider."))
    )
    assert.strictEqual(JSON.parse((await run(["trace", "dead-1", "--json"])).stdout).telemetry, "exported")
  })

  it("does not wait for a collector that does not answer", async () => {
    const silent = await listen(() => new Promise(() => undefined))
    // An exporter that were waited for would outlast this test.
    const ran = await deploy("slow-1", { ...otel(silent.url), OTEL_EXPORTER_OTLP_TIMEOUT: "3600000" })
    assert.strictEqual(ran.code, 0, ran.stderr)
    await silent.close()
  })

  it("links executions that it retries or reverts", async () => {
    Fs.mkdirSync(Path.join(cwd, "broken"), { recursive: true })
    Fs.writeFileSync(Path.join(cwd, "broken", "server.mjs"), "process.exit(3)")
    const broken = (correlationId: string) =>
      run(
        ["deploy", "--version", "broken", "--artifact", "broken", "--correlation-id", correlationId, "--json"],
        otel()
      )
    assert.strictEqual((await broken("broken-1")).code, 3)
    const failed = assertTree("broken-1", await sent("broken-1"))
    assert.deepInclude(failed.attributes, { "cicd.pipeline.result": "failure", "signalbox.status": "rolled_back" })
    assert.strictEqual(failed.status, 2)
    assert.isString(failed.attributes["error.type"])
    assert.strictEqual((await broken("broken-2")).code, 3)
    const again = assertTree("broken-2", await sent("broken-2"))
    assert.deepEqual(
      again.links.map(({ attributes, traceId }) => [attributes["signalbox.link"], traceId]),
      [["retry_of", traceIdOf("broken-1")]]
    )
    const back = await run(["rollback", id, "--correlation-id", "back-1", "--json"], otel())
    assert.strictEqual(back.code, 0, back.stderr)
    assert.deepEqual(
      assertTree("back-1", await sent("back-1")).links.map(({ attributes }) => attributes["signalbox.link"]),
      ["rollback_of"]
    )
  })
})
