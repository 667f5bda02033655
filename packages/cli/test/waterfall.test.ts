import { displayWidth } from "effect/cli/CliOutput"
import type { TraceSpan } from "@signalbox/core/engine"
import { assert, describe, it } from "vitest"
import { linksOf } from "../src/commands/trace.ts"
import { paint } from "../src/host/color.ts"
import { waterfall } from "../src/live/waterfall.ts"
import { memoryBackend, runWith, temporary } from "./support.ts"
import * as Fs from "node:fs"
import * as Path from "node:path"

const span = (
  spanId: string,
  parentSpanId: string | undefined,
  start: number,
  end: number,
  more: Partial<TraceSpan> = {}
): TraceSpan => ({
  traceId: "0".repeat(32),
  spanId,
  ...(parentSpanId === undefined ? {} : { parentSpanId }),
  name: "Step.stage",
  kind: "internal",
  start,
  end,
  open: false,
  status: "ok",
  events: [],
  links: [],
  attributes: { "signalbox.stage": "health_check" },
  ...more
})

const spans: ReadonlyArray<TraceSpan> = [
  span("root", undefined, 0, 10_000, { attributes: { "cicd.pipeline.name": "deploy shop" } }),
  span("gate", "web", 4_000, 9_000, {
    name: "Gate.watch",
    status: "error",
    attributes: {
      "signalbox.step": "watch/web/canary 10%/1",
      "signalbox.stack": "web",
      "signalbox.watched": "canary 10%",
      "signalbox.verdict": "no_data"
    }
  }),
  span("ask", "web", 9_000, 10_000, {
    name: "Approval.wait",
    open: true,
    status: "unset",
    attributes: { "signalbox.step": "ask/web/canary 10%/1" }
  }),
  span("web", "deployment", 1_000, 10_000, {
    attributes: { "signalbox.stack": "web", "signalbox.stage": "deployment" }
  }),
  span("stage", "web", 1_000, 4_000, { attributes: { "signalbox.step": "stage/web/100", "signalbox.stack": "web" } }),
  span("deployment", "root", 1_000, 10_000, { attributes: { "signalbox.stage": "deployment" } }),
  span("run", "root", 0, 5_000, {
    name: "Runner.run",
    status: "error",
    attributes: { "signalbox.cut": true, "signalbox.resumed": false }
  })
]

describe("the waterfall", () => {
  it("shows nesting, durations and times", () => {
    assert.deepEqual(waterfall(spans, { columns: 72, paint: paint(false) }), [
      "✔ deploy shop                     10s  ████████████████████████████████",
      "✖   runner, ended abruptly       5.0s  ████████████████",
      "✔   deployment                   9.0s     █████████████████████████████",
      "✔     web                        9.0s     █████████████████████████████",
      "✔       stage 100                3.0s     ██████████",
      "✖       gate canary 10%: no data 5.0s               ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒",
      "◌       waits for an answer      1.0s                               ░░░"
    ])
  })

  it("is never wider than the screen, and drops the bars if there is no room", () => {
    for (let columns = 12; columns < 220; columns++) {
      for (const line of waterfall(spans, { columns, paint: paint(false) }))
        assert.isAtMost(displayWidth(line), columns, `${columns}: ${line}`)
    }
    assert.notInclude(waterfall(spans, { columns: 50, paint: paint(false) }).join(""), "█")
    assert.include(waterfall(spans, { columns: 50, paint: paint(false) }).join(""), "10s")
    assert.isNotEmpty(waterfall(spans, { columns: Number.POSITIVE_INFINITY, paint: paint(false) }))
  })
})

describe("links", () => {
  it("lead to Jaeger here, and to Honeycomb if it is known", () => {
    const time = { start: 1_500, end: 2_500 }
    assert.deepEqual(linksOf({}, "ab", time), { jaeger: "http://localhost:16686/trace/ab", honeycomb: null })
    const env = {
      SIGNALBOX_HONEYCOMB_TEAM: "acme",
      SIGNALBOX_HONEYCOMB_ENVIRONMENT: "p d",
      SIGNALBOX_HONEYCOMB_DATASET: "signalbox"
    }
    assert.deepEqual(linksOf({ ...env, SIGNALBOX_JAEGER_URL: "https://jaeger.example/ui/" }, "ab", time), {
      jaeger: "https://jaeger.example/ui/trace/ab",
      honeycomb:
        "https://ui.honeycomb.io/acme/environments/p%20d/datasets/signalbox/trace?trace_id=ab&trace_start_ts=1&trace_end_ts=4"
    })
  })
})

describe("signalbox trace", () => {
  it("shows the trace of an execution, as text and as JSON", async () => {
    const { backend, close } = await memoryBackend()
    const cwd = temporary("waterfall")
    Fs.mkdirSync(Path.join(cwd, ".signalbox"))
    Fs.writeFileSync(
      Path.join(cwd, "signalbox.config.json"),
      JSON.stringify({
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
      })
    )
    const run = (...args: ReadonlyArray<string>) => runWith(backend, cwd, args)
    assert.strictEqual((await run("init", "--id", "DX6604E")).code, 0)
    const deployed = await run("deploy", "DX6604E", "--version", "1", "--correlation-id", "run-1")
    assert.strictEqual(deployed.code, 0, deployed.stderr)
    const shown = await run("trace", "run-1")
    assert.strictEqual(shown.code, 0, shown.stderr)
    assert.include(shown.stdout, "trace      6fca4610c64ad7af1e5028433611bd55")
    assert.include(shown.stdout, "http://localhost:16686/trace/6fca4610c64ad7af1e5028433611bd55")
    assert.match(shown.stdout, /✔ {7}gate validation: pass +\d+ms/)
    const { spans, ...value } = JSON.parse((await run("trace", "DX6604E", "--json")).stdout)
    assert.deepInclude(value, { correlationId: "run-1", status: "completed", telemetry: "off" })
    assert.deepInclude(spans[0], {
      parentSpanId: null,
      name: "RUN deploy shop",
      offsetMs: 0,
      open: false,
      status: "ok"
    })
    assert.strictEqual((await run("trace", "nothing")).code, 4)
    await close()
    Fs.rmSync(cwd, { recursive: true })
  })
})
