import { errorInfo } from "@signalbox/core/spi"
/**
 * Texts about durations: for work in progress, and about the reliability of estimates.
 */
import { calibrationView } from "@signalbox/core/api/views"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { Duration, Effect } from "effect"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import {
  type CorrelationId,
  type DeploymentId,
  DeploymentStore,
  type EnvironmentName,
  type Event,
  type StackName
} from "@signalbox/core/spi"
import type { Estimate } from "@signalbox/core/analysis"
import { clearing } from "../src/live/canDeploy.ts"
import { leftLine, between, roughly } from "../src/live/estimate.ts"
import { placeLine } from "../src/live/queue.ts"
import { heartbeat } from "../src/live/transition.ts"
import { render } from "../src/live/render.ts"
import { verdict } from "../src/live/report.ts"
import { at, execution } from "./states.ts"
import { memoryBackend, runWith, temporary } from "./support.ts"

const minute = 60_000
const web = "web" as StackName
const deploymentId = "DX6604E" as DeploymentId
const release = { id: "r1", version: "1", configDigest: "c" }

const requested = (id: string): Event => ({
  _tag: "ExecutionRequested",
  correlationId: id as CorrelationId,
  kind: "deploy",
  deploymentId,
  environment: "production" as EnvironmentName,
  version: "1.0.0",
  by: "ada",
  deploymentBefore: "deployed",
  stacksBefore: [{ name: web, status: "deployed", release, checkpoint: null, outputs: {} }],
  spec: {
    stacks: [
      {
        name: web,
        provider: "simulated",
        enabled: true,
        dependsOn: [],
        strategy: { type: "all_at_once" },
        gate: {
          minHealthyPercentage: 0,
          maxErrorCount: 10,
          errorWindow: Duration.minutes(5),
          maxResponseTime: Duration.seconds(2),
          responseTime: "p95",
          gracePeriod: Duration.zero,
          interval: Duration.seconds(10),
          consecutivePasses: 1,
          minSamples: 0
        },
        timeout: Duration.minutes(30),
        properties: {}
      }
    ],
    parallelism: 1,
    rollback: true,
    leaseTtl: Duration.seconds(10)
  }
})

/** One that deployed `web` within `millis`; without it, it is still in progress. */
const deployedAt = (id: string, startedAt: number, millis?: number) =>
  Effect.flatMap(DeploymentStore, (store) => {
    const finishedAt = startedAt + (millis ?? 0)
    const events: ReadonlyArray<readonly [number, Event]> = [
      [startedAt, requested(id)],
      [startedAt, { _tag: "ExecutionTransitioned", on: "started" }],
      [startedAt, { _tag: "StageTransitioned", stage: "deployment", on: "started" }],
      [startedAt, { _tag: "StageTransitioned", stage: "deployment", on: "started", stack: web }],
      ...(millis === undefined
        ? []
        : ([
            [finishedAt, { _tag: "StageTransitioned", stage: "deployment", on: "succeeded", stack: web }],
            [finishedAt, { _tag: "StageTransitioned", stage: "deployment", on: "succeeded" }],
            [finishedAt, { _tag: "ExecutionTransitioned", on: "completed" }]
          ] as const))
    ]
    return store.append({
      stream: id,
      events: events.map(([time, event], index) => ({ id: `e${index}`, at: time, event }))
    })
  })

let cwd: string
let world: Awaited<ReturnType<typeof memoryBackend>>
const env = { SIGNALBOX_DATABASE_URL: "memory:", SIGNALBOX_ACTOR: "ada" }
const run = (...argv: ReadonlyArray<string>) => runWith(world.backend, cwd, argv, { env })
const inStore = (effect: Effect.Effect<unknown, unknown, DeploymentStore>) =>
  Effect.runPromise(Effect.provide(effect, world.backend.layer({ directory: cwd, providers: new Map() })))

beforeAll(async () => {
  cwd = temporary("report")
  world = await memoryBackend()
  const config = {
    organization: "acme",
    project: "shop",
    environments: { production: {} },
    stacks: [{ name: "web", provider: "simulated" }]
  }
  Fs.writeFileSync(Path.join(cwd, "signalbox.config.json"), JSON.stringify(config))
  await run("init", "--id", deploymentId)
})
afterAll(() => Fs.rmSync(cwd, { recursive: true, force: true }))

describe("report --calibration", () => {
  it("exits with 4 and a hint if there is no history", async () => {
    const { code, stderr } = await run("report", "--calibration")
    assert.strictEqual(code, 4)
    assert.include(stderr, "there is no execution that succeeded")
  })

  it("requires the subject of the report", async () => {
    assert.strictEqual((await run("report")).code, 64)
  })

  it("says in one sentence whether the intervals held, and when, by basis and by number", async () => {
    const now = Date.now()
    await inStore(
      Effect.forEach(
        Array.from({ length: 40 }, (_, n) => n),
        (n) => deployedAt(`h${n}`, now - (50 - n) * 60 * minute, 10 * minute + ((n * 53) % 120) * 1_000)
      )
    )
    const json = JSON.parse((await run("report", deploymentId, "--calibration", "--json")).stdout)
    assert.deepInclude(json, { deploymentId, environment: null, executions: 40, coverage: 0.8 })
    assert.strictEqual(json.covered, Math.round(json.share * json.n))
    assert.closeTo(json.share, 0.8, 0.07)
    assert.deepEqual(
      json.byMoment.map(({ moment }: { readonly moment: number }) => moment),
      [0, 0.25, 0.5, 0.75]
    )
    assert.isAbove(json.withoutInterval.few, 0)

    const { code, stdout } = await run("report", deploymentId, "--calibration")
    assert.strictEqual(code, 0)
    assert.match(stdout, /^80 % intervals covered \d+\.\d % of \d+ \(\d+\): /)
    for (const word of ["WHEN", "at the start", "BY WHAT", "same work, same environment", "BY HOW MANY"]) {
      assert.include(stdout, word)
    }
  })
})

describe("a running execution", () => {
  it("shows the remaining time, to people and to programs", async () => {
    await inStore(deployedAt("now", Date.now() - 5 * minute))
    const { stdout } = await run("status", "now")
    assert.match(stdout, /left +about [56] min left \(5–7 min, n = 40\)/)
    assert.match((await run("status", deploymentId)).stdout, /left: +about [56] min left \(5–7 min, n = 40\)/)
    const { estimate } = JSON.parse((await run("status", "now", "--json")).stdout)
    assert.deepInclude(estimate, { coverage: 0.8, n: 40, basis: "history", scope: "environment" })
    assert.isTrue(
      0 < estimate.lowMs && estimate.lowMs <= estimate.remainingMs && estimate.remainingMs <= estimate.highMs
    )
    const watched = await run("watch", "now", "--timeout", "1", "--json")
    assert.deepEqual([watched.code, watched.stdout.trim().split("\n").length], [124, 1])
    assert.strictEqual(JSON.parse(watched.stdout).estimate.n, 40)
  })

  it("is estimated no more once it is over", async () => {
    assert.isNull(JSON.parse((await run("status", "h1", "--json")).stdout).estimate)
    assert.notInclude((await run("status", "h1")).stdout, "left")
  })
})

describe("remaining time, in words", () => {
  const known = {
    point: 4 * minute,
    low: 3 * minute,
    high: 7 * minute,
    coverage: 0.8,
    n: 12,
    scope: "environment"
  } as const
  const state = execution()

  it("is only as exact as it is known, and shows the uncertainty", () => {
    assert.strictEqual(leftLine({ ...known, basis: "history" }, state), "about 4 min left (3–7 min, n = 12)")
    assert.strictEqual(
      leftLine({ ...known, basis: "few", n: 3 }, state),
      "about 4 min left (not enough history: ±20 % of the mean, n = 3)"
    )
    const none = { ...known, point: null, low: null, high: null }
    assert.strictEqual(leftLine({ ...none, basis: "exceeded" }, state), "longer than all 12 past runs")
    assert.isUndefined(leftLine({ ...none, basis: "none" }, state))
    assert.isUndefined(leftLine(undefined, state))
    assert.strictEqual(
      leftLine({ ...known, basis: "history" }, { ...state, status: "paused" }),
      "about 4 min left once it goes on (3–7 min, n = 12)"
    )
  })

  it("marks guesses about blockers and admissions", () => {
    const now = Date.UTC(2026, 0, 1, 12)
    const info = errorInfo("blocked_by_provider", { stack: "web", answered: true })
    const blocker = { info, who: null, since: null, consoleUrl: null, kind: "lease" } as const
    const clear = { low: now + 3 * minute, point: now + 4 * minute, high: now + 7 * minute, n: 12 }
    const over = (basis: "history" | "few") => clearing({ ...blocker, clearsAt: { ...clear, basis } }, now)
    assert.strictEqual(over("history"), "in about 4 min (3–7 min)")
    assert.strictEqual(over("few"), "in about 4 min (not enough history: ±20 % of the mean, n = 12)")
    const known = { ...clear, low: clear.point, high: clear.point, basis: "known", n: null } as const
    assert.match(clearing({ ...blocker, clearsAt: known }, now)!, /^in 4 min \(at /)
    assert.isUndefined(clearing({ ...blocker, clearsAt: null }, now))
    const ahead = [{ correlationId: "a" as CorrelationId, kind: "deploy", by: "ada" }] as const
    const place = (left: Estimate.Estimate) => placeLine({ position: 1, ahead, left })
    const left = { point: 4 * minute, low: 3 * minute, high: 7 * minute, coverage: 0.8, n: 3, scope: "stage" } as const
    assert.match(place({ ...left, basis: "history" }), /expected in about 4 min \(3–7 min\)$/)
    assert.match(place({ ...left, basis: "few" }), /expected in about 4 min \(not enough history: .*, n = 3\)$/)
  })

  it("names the scope if it is not the very same", () => {
    assert.include(leftLine({ ...known, basis: "history", scope: "provider" }, state), "others with the same provider")
  })

  it("has round numbers", () => {
    assert.deepEqual([0, 300, 40_000, 89_000, 90_000, 3_600_000, 7_300_000].map(roughly), [
      "0 s",
      "less than 1 s",
      "40 s",
      "89 s",
      "2 min",
      "60 min",
      "2 h"
    ])
    assert.strictEqual(between(40_000, 120_000), "40 s–2 min")
    assert.strictEqual(between(0, 120_000), "0–2 min")
    assert.strictEqual(between(61_000, 61_200), "61 s")
  })

  it("appears in the tree and in the heartbeat line", () => {
    const estimate = { ...known, basis: "history" } as const
    const lines = render(state, { now: at(30), columns: 100, rows: 40, color: false, estimate })
    assert.strictEqual(lines[1], "  about 4 min left (3–7 min, n = 12)")
    assert.match(heartbeat(state, at(30), estimate), /; about 4 min left \(3–7 min, n = 12\)$/)
  })
})

describe("the verdict on estimates", () => {
  const view = (n: number, covered: number) => ({
    ...calibrationView({
      executions: n,
      coverage: 0.8,
      n,
      covered,
      share: n === 0 ? null : covered / n,
      error: 205,
      naive: 340,
      width: 1_000,
      few: 3,
      none: 1,
      exceeded: 0,
      byMoment: [],
      byScope: [],
      byHistory: []
    })
  })

  it("says whether they hold as promised", () => {
    assert.strictEqual(
      verdict(view(512, 407)),
      "80 % intervals covered 79.5 % of 512 (407): as they should; half of the estimates were off by less than 205ms, the mean by 340ms"
    )
    assert.include(verdict(view(512, 300)), "they are too narrow")
    assert.include(verdict(view(512, 500)), "they are wider than they need to be")
    // Of ten, six may be chance.
    assert.include(verdict(view(10, 6)), "as they should")
    assert.include(verdict(view(0, 0)), "not enough history")
  })
})
