/**
 * Past executions judged again through the command: recorded once, replayed with other gates and strategies.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { memoryBackend, runWith, temporary } from "./support.ts"

const id = "DX6604E"
const gate = {
  gracePeriod: "0 millis",
  interval: "20 millis",
  consecutivePasses: 1,
  minSamples: 0,
  errorWindow: "1 minute",
  maxErrorCount: 100_000
}
const config = {
  organization: "acme",
  project: "shop",
  environments: { production: {}, staging: {} },
  stacks: [
    {
      name: "web",
      provider: "simulated",
      gate,
      strategy: {
        type: "canary",
        steps: [
          { weight: 10, bake: "60 millis" },
          { weight: 100, bake: "60 millis" }
        ]
      }
    }
  ]
}

let cwd: string
let world: Awaited<ReturnType<typeof memoryBackend>>
const env = { SIGNALBOX_DATABASE_URL: "memory:", SIGNALBOX_ACTOR: "ada" }
const run = (...argv: ReadonlyArray<string>) => runWith(world.backend, cwd, argv, { env })
const json = async (...argv: ReadonlyArray<string>) => {
  const ran = await run("replay", ...argv, "--json")
  assert.deepEqual([ran.code, ran.stderr], [0, ""], argv.join(" "))
  return JSON.parse(ran.stdout)
}

beforeAll(async () => {
  cwd = temporary("replay")
  Fs.writeFileSync(Path.join(cwd, "signalbox.config.json"), JSON.stringify(config))
  Fs.writeFileSync(Path.join(cwd, "strict.json"), JSON.stringify({ maxErrorCount: 0 }))
  Fs.writeFileSync(
    Path.join(cwd, "short.json"),
    JSON.stringify({ type: "canary", steps: [{ weight: 10, bake: "20 millis" }] })
  )
  Fs.writeFileSync(Path.join(cwd, "other.json"), JSON.stringify({ type: "canary", steps: [{ weight: 33 }] }))
  world = await memoryBackend({ requestsPerSecond: 10_000 })
  world.cloud.script("web", "2.0.0", { errorRate: 0.5 })
  await run("init", "--id", id)
  for (const [version, environment] of [
    ["1.0.0", "production"],
    ["2.0.0", "production"],
    ["1.0.0", "staging"]
  ] as const) {
    const ran = await run(
      "deploy",
      id,
      "-e",
      environment,
      "--version",
      version,
      "--correlation-id",
      `${environment}-${version}`
    )
    assert.strictEqual(ran.code, 0, ran.stderr)
  }
})
afterAll(() => Fs.rmSync(cwd, { recursive: true, force: true }))

describe("replay", () => {
  it("ends as it did without changes", async () => {
    const { change, executions, summary } = await json("production-2.0.0")
    assert.deepEqual(change, { gate: null, strategy: null, stack: null })
    assert.deepInclude(summary, { executions: 1, judged: 1, passes: 1, aborts: 0, changed: 0 })
    const [one] = executions
    assert.deepInclude(one, {
      correlationId: "production-2.0.0",
      status: "completed",
      version: "2.0.0",
      changed: false
    })
    assert.isNotEmpty(one.stacks[0].looks)
    for (const look of one.stacks[0].looks) assert.strictEqual(look.replayed, look.recorded)
    assert.match(one.replayed.at, /^\d{4}-.*Z$/)
  })

  it("shows when a stricter gate would have stopped it, by file or by key", async () => {
    for (const flags of [
      ["--gate", "strict.json"],
      ["--set", "maxErrorCount=0"],
      ["--gate", "strict.json", "--set", "minSamples=1"]
    ]) {
      const {
        executions: [one],
        summary
      } = await json("production-2.0.0", ...flags)
      assert.deepInclude(one.replayed, { kind: "aborts", stack: "web", step: "canary 10%", weight: 10 })
      assert.match(one.replayed.reason, /errors in .* at most 0 allowed/)
      assert.isAbove(one.replayed.afterMs, 0)
      assert.isTrue(one.changed)
      assert.strictEqual(summary.newlyAborted, 1)
    }
    const {
      executions: [other]
    } = await json("production-2.0.0", "--set", "maxErrorCount=0", "--stack", "db")
    assert.isFalse(other.changed)
  })

  it("replays a strategy, and says what cannot be known", async () => {
    assert.strictEqual(
      (await json("production-2.0.0", "--strategy", "short.json")).executions[0].replayed.kind,
      "passes"
    )
    const {
      executions: [one]
    } = await json("production-2.0.0", "--strategy", "other.json")
    assert.deepInclude(one.replayed, { kind: "unknown", reason: "nothing was measured at 33 %" })
    assert.strictEqual(
      (await json("production-2.0.0", "--strategy", "all_at_once")).executions[0].replayed.kind,
      "passes"
    )
    const compared = await json("production-2.0.0", "--set", "compare.alpha=0.01")
    assert.strictEqual(compared.executions[0].replayed.kind, "unknown")
    assert.isFalse((await json("production-2.0.0", "--set", "compare=off")).executions[0].changed)
  })

  it("goes over all executions of a time", async () => {
    const { executions, summary } = await json(
      "--environment",
      "production",
      "--since",
      "30d",
      "--set",
      "maxErrorCount=0"
    )
    assert.deepEqual(
      executions.map((one: any) => [one.correlationId, one.replayed.kind]),
      [
        ["production-2.0.0", "aborts"],
        ["production-1.0.0", "passes"]
      ]
    )
    assert.deepInclude(summary, { executions: 2, judged: 2, passes: 1, aborts: 1, newlyAborted: 1, changed: 1 })
    assert.strictEqual((await json(id, "--since", "1h")).summary.executions, 3)
    assert.strictEqual((await json("--since", "2999-01-01")).summary.executions, 0)
  })

  it("prints a table", async () => {
    const one = await run("replay", "production-2.0.0", "--gate", "strict.json")
    assert.match(
      one.stdout,
      /^deploy DX6604E production 2\.0\.0 \(production-2\.0\.0\): it would have ended otherwise\nthen: {5}✔ passes .*\nreplayed: ✖ aborts .* in canary 10%: web: .*\n\nSTACK +/
    )
    const many = await run("replay", "--environment", "production", "--since", "1w", "--set", "maxErrorCount=0")
    assert.match(many.stdout, /^CORRELATION ID +/)
    assert.match(
      many.stdout,
      /\n2 executions judged, 1 would pass, 1 would be stopped \(1 of them were not\), 0 would ask a person, 0 cannot be known to the end\n$/
    )
    assert.strictEqual((await run("replay", "--since", "2999-01-01")).stdout, "Nothing was judged in that time.\n")
  })

  it.each([
    [["nothing-there"], 4, "unknown_execution"],
    [["production-2.0.0", "--set", "maxErorCount=0"], 64, "configuration_invalid"],
    [["production-2.0.0", "--set", "compare.alpha=7"], 64, "configuration_invalid"],
    [["production-2.0.0", "--set", "maxErrorCount"], 64, "invalid_value"],
    [["production-2.0.0", "--gate", "missing.json"], 64, "file_unreadable"],
    [["production-2.0.0", "--strategy", "canry"], 64, "file_unreadable"],
    [["production-2.0.0", "--strategy", "strict.json"], 64, "configuration_invalid"],
    [["production-2.0.0", "--since", "30d"], 64, "flags_conflict"],
    [["--since", "tomorrow"], 64, "invalid_value"]
  ])("refuses %j with %i %s", async (argv, code, name) => {
    const ran = await run("replay", ...argv, "--json")
    const { error } = JSON.parse(ran.stderr)
    assert.deepEqual([ran.code, ran.stdout, error.code], [code, "", name])
    assert.isNotEmpty(error.hint)
  })
})
