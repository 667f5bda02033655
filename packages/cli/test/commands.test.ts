import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { traceIdOf } from "@signalbox/core/telemetry"
import { memoryBackend, type Ran, runWith, temporary } from "./support.ts"

const gate = { gracePeriod: "0 millis", interval: "20 millis", consecutivePasses: 1, minSamples: 1 }
const config = {
  organization: "acme",
  project: "shop",
  environments: { production: {}, staging: {} },
  leaseTtl: "5 seconds",
  stacks: [
    { name: "db", provider: "simulated", gate },
    { name: "web", provider: "simulated", dependsOn: ["db"], gate }
  ]
}
const id = "DX6604E"

let cwd: string
let world: Awaited<ReturnType<typeof memoryBackend>>
beforeAll(async () => {
  cwd = temporary("commands")
  Fs.writeFileSync(Path.join(cwd, "signalbox.config.json"), JSON.stringify(config))
  world = await memoryBackend()
})
afterAll(() => Fs.rmSync(cwd, { recursive: true, force: true }))

// The stores are in memory; a database address says that there is no folder to look for.
const env = { SIGNALBOX_DATABASE_URL: "memory:", SIGNALBOX_ACTOR: "ada" }
const run = (...argv: ReadonlyArray<string>) => runWith(world.backend, cwd, argv, { env })
const json = async (...argv: ReadonlyArray<string>) => {
  const ran = await run(...argv, "--json")
  assert.strictEqual(ran.stderr, "", argv.join(" "))
  assert.strictEqual(ran.stdout.trim().split("\n").length, 1, "one object on one line where it is no terminal")
  return { ...ran, value: JSON.parse(ran.stdout) }
}
const error = (ran: Ran) => JSON.parse(ran.stderr).error
const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const executionKeys = [
  "deploymentId",
  "correlationId",
  "traceId",
  "kind",
  "status",
  "environment",
  "version",
  "strategy",
  "triggeredBy",
  "startedAt",
  "finishedAt",
  "durationMs",
  "stacks",
  "stages",
  "verdicts",
  "error"
]
const assertExecution = (value: any) => {
  assert.containsAllKeys(value, executionKeys)
  assert.match(value.traceId, /^[0-9a-f]{32}$/)
  assert.match(value.startedAt, iso)
  for (const stack of value.stacks) assert.containsAllKeys(stack, ["name", "provider", "status", "release", "stages"])
  for (const stage of [...value.stages, ...value.stacks.flatMap((stack: any) => stack.stages)]) {
    assert.containsAllKeys(stage, ["name", "status", "startedAt", "finishedAt"])
  }
}

describe("commands", () => {
  it("init makes a deployment", async () => {
    const { value } = await json("init", "--id", id)
    assert.deepInclude(value, {
      deploymentId: id,
      organization: "acme",
      project: "shop",
      status: "initialized",
      environments: ["production", "staging"],
      stacks: ["db", "web"]
    })
    assert.match(value.createdAt, iso)
    const again = await run("init", "--id", id, "--json")
    assert.deepEqual([again.code, again.stdout, error(again).code], [1, "", "deployment_exists"])
  })

  it("deploy --dry-run shows the plan and does nothing", async () => {
    const { value } = await json("deploy", id, "-e", "production", "--version", "v1", "--dry-run")
    assert.isTrue(value.dryRun)
    assert.deepEqual(
      value.stacks.map(({ action, name }: any) => [name, action]),
      [
        ["db", "create"],
        ["web", "create"]
      ]
    )
    assert.deepEqual((await json("history", id)).value, { executions: [], next: null })
  })

  it("deploy carries a release in and gives one object", async () => {
    const { code, value } = await json(
      "deploy",
      id,
      "-e",
      "production",
      "--version",
      "v1",
      "--correlation-id",
      "run-1",
      "--reason",
      "first"
    )
    assert.strictEqual(code, 0)
    assertExecution(value)
    assert.deepInclude(value, {
      kind: "deploy",
      status: "completed",
      version: "v1",
      triggeredBy: "ada",
      reason: "first",
      error: null
    })
    assert.strictEqual(value.traceId, traceIdOf("run-1"))
    assert.isAbove(value.durationMs, 0)
  })

  it("deploy with the same correlation id joins", async () => {
    const { code, value } = await json("deploy", id, "-e", "production", "--version", "v1", "--correlation-id", "run-1")
    assert.deepEqual([code, value.status], [0, "completed"])
    const other = await run("deploy", id, "-e", "production", "--version", "v9", "--correlation-id", "run-1", "--json")
    assert.deepEqual([other.code, other.stdout, error(other).code], [1, "", "correlation_id_taken"])
  })

  it("without --json messages go to stderr and the result to stdout", async () => {
    const ran = await run("deploy", id, "-e", "production", "--version", "v2")
    assert.strictEqual(ran.code, 0)
    assert.match(
      ran.stdout,
      /^✔ deploy DX6604E production v2: completed in .*\n  db: deployed v2\n  web: deployed v2\n$/
    )
    assert.match(ran.stderr, /web: deploy completed at v2/)
    assert.notInclude(ran.stdout + ran.stderr, "\u001b")
  })

  it("groups its lines on GitHub Actions", async () => {
    const ran = await runWith(world.backend, cwd, ["deploy", id, "-e", "staging", "--version", "v1"], {
      env: { ...env, GITHUB_ACTIONS: "true" }
    })
    assert.match(ran.stderr, /^::group::signalbox deploy DX6604E staging\n[^]*\n::endgroup::\n$/)
  })

  it("draws a tree on a terminal and gives the cursor back", async () => {
    const ran = await runWith(world.backend, cwd, ["deploy", id, "-e", "production", "--version", "v3"], {
      env,
      tty: true
    })
    assert.strictEqual(ran.code, 0)
    assert.include(ran.stderr, "\u001b[?25l")
    assert.isAbove(ran.stderr.lastIndexOf("\u001b[?25h"), ran.stderr.lastIndexOf("\u001b[?25l"))
    assert.include(ran.stderr, "deploy DX6604E")
  })

  it("status shows both levels", async () => {
    const { value } = await json("status", id, "-e", "production")
    assert.deepInclude(value, { deploymentId: id, environment: "production", status: "deployed" })
    assert.deepEqual(
      value.stacks.map(({ name, release, status }: any) => [name, status, release.version]),
      [
        ["db", "deployed", "v3"],
        ["web", "deployed", "v3"]
      ]
    )
    assertExecution(value.execution)
    const text = (await run("status", id, "-e", "production")).stdout
    assert.match(text, /STACK +STATUS +VERSION/)
    assert.match(text, /web +✔ deployed +v3/)
  })

  it("status of a correlation id shows that execution", async () => {
    const { value } = await json("status", "run-1")
    assertExecution(value)
    assert.deepInclude(value, { correlationId: "run-1", status: "completed", version: "v1", runner: null })
    const text = (await run("status", "run-1")).stdout
    assert.match(text, /^✔ deploy DX6604E production v1: completed in .*\n/)
    assert.match(text, /\nreason +first\n/)
    assert.match(text, /\nVERDICTS\n/)
    const unknown = await run("status", "run-x", "--json")
    assert.deepEqual([unknown.code, unknown.stdout, error(unknown).code], [4, "", "unknown_execution"])
  })

  it("list shows the requested environment, or else the most recently changed one", async () => {
    const last = (await json("list")).value.deployments
    assert.deepEqual(
      last.map(({ environment, status }: any) => [environment, status]),
      [["production", "deployed"]]
    )
    assert.strictEqual((await json("list", "-e", "staging")).value.deployments[0].environment, "staging")
  })

  it("info shows the deployment", async () => {
    const { value } = await json("info", id)
    assert.containsAllKeys(value, [
      "deploymentId",
      "organization",
      "project",
      "environments",
      "stacks",
      "createdAt",
      "directory",
      "config"
    ])
  })

  it("rollback and destroy --dry-run show what they would undo, dependents first, and change nothing", async () => {
    const before = (await json("status", id, "-e", "production")).value
    const back = (await json("rollback", id, "-e", "production", "--dry-run")).value
    assert.deepInclude(back, { kind: "rollback", dryRun: true })
    assert.deepEqual(
      back.stacks.map(({ action, from, name, release }: any) => [name, action, from.version, release.version]),
      [
        ["web", "rollback", "v3", "v2"],
        ["db", "rollback", "v3", "v2"]
      ]
    )
    const gone = (await json("destroy-stack", id, "web", "-e", "production", "--dry-run")).value
    assert.deepEqual(
      gone.stacks.map(({ action, name, release }: any) => [name, action, release]),
      [["web", "destroy", null]]
    )
    const text = (await run("destroy", id, "-e", "production", "--dry-run")).stdout
    assert.include(
      text,
      "  - web (simulated)  v3 is taken away\n  - db (simulated)  v3 is taken away\n2 of 2 stacks go away."
    )
    const none = (await run("destroy", id, "-e", "staging", "--dry-run")).stdout
    assert.include(none, "v1 is taken away")
    assert.deepEqual((await json("status", id, "-e", "production")).value.stacks, before.stacks)
  })

  it("rollback restores the previous release", async () => {
    const { code, value } = await json("rollback", id, "-e", "production")
    assert.strictEqual(code, 0)
    assertExecution(value)
    assert.deepEqual(
      value.stacks.map(({ release }: any) => release.version),
      ["v2", "v2"]
    )
  })

  it("rollback --dry-run with nothing to go back to fails as the rollback does", async () => {
    const args = ["rollback", id, "-e", "production", "--json"]
    const [real, dry] = [await run(...args), await run(...args, "--dry-run")]
    assert.deepInclude(error(real), { code: "nothing_to_roll_back" })
    assert.deepEqual([dry.code, dry.stdout, error(dry)], [real.code, "", error(real)])
    assert.strictEqual(dry.code, 1)
  })

  it("history pages by cursor", async () => {
    const first = (await json("history", id, "--limit", "2")).value
    assert.strictEqual(first.executions.length, 2)
    const second = (await json("history", id, "--limit", "100", "--cursor", first.next)).value
    assert.isNull(second.next)
    const ids = [...first.executions, ...second.executions].map(({ correlationId }) => correlationId)
    assert.strictEqual(new Set(ids).size, 5)
    assert.strictEqual(ids.at(-1), "run-1")
    const narrowed = await run("history", id, "-e", "production", "--text", "v", "--limit", "1")
    assert.match(
      narrowed.stdout,
      /more: signalbox history DX6604E --environment production --text v --limit 1 --cursor \S+\n$/
    )
    const bad = await run("history", "--cursor", "nonsense", "--json")
    assert.deepEqual([bad.code, error(bad).code], [64, "cursor_invalid"])
  })

  it("events prints one object, and lines with a schema when following", async () => {
    const { value } = await json("events", "run-1", "--type", "ExecutionTransitioned")
    assert.deepEqual(
      value.events.map(({ data }: any) => data.on),
      ["started", "completed"]
    )
    const followed = await run("events", "run-1", "--follow", "--json")
    const lines = followed.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    assert.isAbove(lines.length, 10)
    for (const line of lines) assert.strictEqual(line.schema, "signalbox.event/1")
    assert.deepEqual(
      lines.map(({ seq }) => seq),
      lines.map((_, index) => index + 1)
    )
  })

  it("watch streams states with a schema and ends with the execution", async () => {
    const ran = await run("watch", "run-1", "--json", "--interval", "1")
    const lines = ran.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    assert.strictEqual(ran.code, 0)
    assert.strictEqual(lines.at(-1).schema, "signalbox.execution/1")
    assertExecution(lines.at(-1))
  })

  it("metrics counts, with n and durations for each kind", async () => {
    const { value } = await json("metrics", id, "--hours", "1")
    assert.deepInclude(value, { total: 5, completed: 5, failed: 0, successRate: 1, n: 5 })
    assert.deepEqual(
      value.kinds.map(({ kind, total }: any) => [kind, total]),
      [
        ["deploy", 4],
        ["rollback", 1]
      ]
    )
    assert.containsAllKeys(value.kinds[0].durationMs, ["n", "p50", "p90"])
  })

  it("health exits 5 where something is not healthy", async () => {
    const good = await json("health", id, "-e", "production")
    assert.deepEqual([good.code, good.value.healthy, good.value.verdict], [0, true, "pass"])
    const bad = await runWith(
      world.backend,
      cwd,
      ["health", id, "-e", "production", "--max-errors", "0", "--min-healthy", "100", "--json"],
      { env }
    )
    assert.include([0, 5], bad.code)
  })

  it("active shows executions in progress", async () => {
    assert.deepEqual((await json("active")).value, { executions: [], locks: [] })
  })

  it("operator commands reject finished and unknown executions", async () => {
    for (const command of ["pause", "resume", "approve", "promote", "abort", "retry"]) {
      const finished = await run(command, "run-1", "--json")
      assert.deepEqual([finished.code, finished.stdout], [1, ""], command)
      const unknown = await run(command, "nobody", "--json")
      assert.deepEqual([unknown.code, error(unknown).code], [4, "unknown_execution"])
      const idle = await run(command, id, "--json")
      assert.deepEqual([idle.code, error(idle).code], [4, "nothing_in_progress"])
    }
  })

  it("attach shows how a finished execution ended", async () => {
    assert.strictEqual((await json("attach", "run-1")).value.status, "completed")
  })

  it("deploy --detach starts a runner and says how to attach", async () => {
    const started: Array<ReadonlyArray<string>> = []
    const ran = await runWith(
      world.backend,
      cwd,
      ["deploy", id, "-e", "staging", "--version", "v5", "--detach", "--correlation-id", "run-5", "--json"],
      {
        env,
        detach: (args, log) => Effect.sync(() => (started.push([...args, log]), 4711))
      }
    )
    assert.strictEqual(ran.code, 0, ran.stderr)
    assert.deepInclude(JSON.parse(ran.stdout), { correlationId: "run-5", detached: true, pid: 4711 })
    assert.deepEqual(started[0]?.slice(0, 2), ["__run", "run-5"])
    const active = (await json("active")).value.executions
    assert.deepEqual(
      active.map(({ correlationId, runner }: any) => [correlationId, runner]),
      [["run-5", null]]
    )
    const watched = await run("watch", "run-5", "--timeout", "1", "--json")
    assert.deepEqual([watched.code, JSON.parse(watched.stdout.split("\n")[0]!).status], [124, "queued"])
    const other = await run("deploy", id, "-e", "staging", "--version", "v6", "--json")
    assert.strictEqual(other.code, 2)
    assert.include(error(other).message, "run-5")
    assert.include(error(other).hint, "signalbox attach run-5")
    const carried = await json("attach", id, "-e", "staging")
    assert.deepEqual([carried.code, carried.value.status], [0, "completed"])
  })

  it("destroy wants a confirmation, and never waits for one", async () => {
    const refused = await run("destroy", id, "-e", "staging", "--json")
    assert.deepEqual([refused.code, refused.stdout, error(refused).code], [64, "", "confirmation_missing"])
    const wrong = await run("destroy", id, "-e", "staging", "--confirm", "DX6604F")
    assert.strictEqual(wrong.code, 64)
    const typed = await runWith(world.backend, cwd, ["destroy", id, "-e", "staging"], {
      env,
      ask: () => Effect.succeed("no")
    })
    assert.strictEqual(typed.code, 64)
    assert.strictEqual((await json("status", id, "-e", "staging")).value.status, "deployed")
    const done = await json("destroy", id, "-e", "staging", "--confirm", id)
    assert.deepEqual([done.code, done.value.status], [0, "completed"])
    assert.strictEqual((await json("status", id, "-e", "staging")).value.status, "destroyed")
  })

  it("unknown things exit with 4", async () => {
    const ran = await run("status", "DAAAAAA", "--json")
    assert.deepEqual([ran.code, ran.stdout, error(ran).code], [4, "", "unknown_deployment"])
  })

  it.each(["bash", "zsh", "fish"])("completions %s", async (shell) => {
    const ran = await run("completions", shell)
    assert.strictEqual(ran.code, 0)
    assert.include(ran.stdout, "deploy-stack")
    assert.notInclude(ran.stdout, "__supervisor")
  })

  it("bare, it prints a short help", async () => {
    const ran = await run()
    assert.deepEqual([ran.code, ran.stderr], [0, ""])
    assert.include(ran.stdout, "signalbox --help")
    assert.isBelow(ran.stdout.split("\n").length, 15)
  })
})

describe("trace ids", () => {
  it.each([
    ["4F9D0F0E-1b5e-4a51-9d0c-3a8d8a8a2f10", "4f9d0f0e1b5e4a519d0c3a8d8a8a2f10"],
    ["run-1", "6fca4610c64ad7af1e5028433611bd55"],
    ["00000000-0000-0000-0000-000000000000", "25f5d57d6f2674d3d92d88f3dd0c3919"]
  ])("%s", (correlationId, expected) => {
    assert.strictEqual(traceIdOf(correlationId), expected)
  })
})
