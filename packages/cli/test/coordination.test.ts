/**
 * Who may deploy when: asking, taking a place, waiting for its turn, giving it back, holding the lock and vetoing a version.
 */
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { afterAll, afterEach, assert, beforeAll, beforeEach, describe, it } from "vitest"
import { StoreError } from "@signalbox/core/spi"
import type { Backend } from "../src/host/Host.ts"
import { timeOf } from "../src/commands/coordinating.ts"
import { disagreement } from "../src/live/disagreement.ts"
import { ordinal } from "../src/live/queue.ts"
import { type Binary, build } from "./binary.ts"
import { cleanEnvironment } from "./bundle.ts"
import { listing, memoryBackend, type Ran, runWith, temporary } from "./support.ts"

const id = "DX6604E"
const gate = { gracePeriod: "0 millis", interval: "20 millis", consecutivePasses: 1, minSamples: 1 }
const config = {
  organization: "acme",
  project: "shop",
  environments: { production: {}, staging: {} },
  leaseTtl: "5 seconds",
  stacks: [{ name: "web", provider: "simulated", gate }]
}

let cwd: string
let world: Awaited<ReturnType<typeof memoryBackend>>
let backend: Backend

// The stores are in memory; a database address says that there is no folder to look for.
const env = { SIGNALBOX_DATABASE_URL: "memory:", SIGNALBOX_ACTOR: "ada", SIGNALBOX_ENVIRONMENT: "production" }
const runIn = (more: Readonly<Record<string, string>>, ...argv: ReadonlyArray<string>) =>
  runWith(backend, cwd, argv, { env: { ...env, ...more } })
const run = (...argv: ReadonlyArray<string>) => runIn({}, ...argv)
/** Starts a command line; `said` comes when it has printed that. */
const start = (...argv: ReadonlyArray<string>) => {
  let printed = ""
  const waiting: Array<{ readonly what: RegExp; readonly resolve: () => void }> = []
  const told = (text: string) => {
    printed += text
    for (const { resolve, what } of waiting) if (what.test(printed)) resolve()
  }
  const ended = runWith(backend, cwd, argv, { env, told })
  const said = (what: RegExp) =>
    Promise.race([
      new Promise<void>((resolve) => (what.test(printed) ? resolve() : waiting.push({ what, resolve }))),
      ended.then((ran) => assert.match(printed, what, JSON.stringify(ran)))
    ])
  return { ended, said }
}
const json = async (...argv: ReadonlyArray<string>) => {
  const ran = await run(...argv, "--json")
  return { ...ran, value: JSON.parse(ran.stdout.trim().split("\n").at(-1) ?? "null") }
}
const errorOf = ({ stderr }: Ran) => JSON.parse(stderr).error
const expectExit = (ran: Ran, code: number): Ran => {
  assert.strictEqual(ran.code, code, `${ran.stdout}${ran.stderr}`)
  return ran
}
const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** An execution that has the lock for as long as nobody cleans it up. */
const occupied = async (name: string) => {
  expectExit(await run("register", "--correlation-id", name, "--by", "bob"), 0)
  expectExit(await run("wait", name, "--hold", "10m"), 0)
}

describe("coordination", () => {
  beforeEach(async () => {
    cwd = temporary("coordination")
    Fs.writeFileSync(Path.join(cwd, "signalbox.config.json"), JSON.stringify(config))
    world = await memoryBackend()
    backend = world.backend
    expectExit(await run("init", "--id", id), 0)
    Fs.writeFileSync(Path.join(cwd, ".deployment-metadata.yaml"), `deployment_id: ${id}\n`)
  })
  afterEach(async () => {
    await world.close()
    Fs.rmSync(cwd, { recursive: true, force: true })
  })

  describe("can-deploy", () => {
    it("says yes with 0 and no with 2, in one object", async () => {
      const yes = await json("can-deploy")
      const { checkedAt, ...rest } = yes.value
      assert.strictEqual(yes.code, 0)
      assert.match(checkedAt, iso)
      assert.deepEqual(rest, {
        deploymentId: id,
        environment: "production",
        canDeploy: true,
        degraded: false,
        degradedReason: null,
        blockers: [],
        queue: { length: 0 },
        nextFreeze: null
      })
      await occupied("first")
      expectExit(await run("register", "--correlation-id", "second"), 0)
      const no = await json("can-deploy")
      assert.deepEqual([no.code, no.value.canDeploy, no.value.queue], [2, false, { length: 1 }])
      const [lease, queued] = no.value.blockers
      assert.deepEqual([lease.kind, lease.who, queued.kind, queued.who], ["lease", "first", "queue", "second"])
      assert.sameMembers(Object.keys(lease), ["kind", "message", "who", "since", "clearsAt", "consoleUrl", "override"])
      assert.match(lease.since, iso)
    })

    it("says the first thing in one line, and with --explain all of them and what to do", async () => {
      expectExit(await run("lock", "hold", "--reason", "the database moves", "--until", "2 hours"), 0)
      expectExit(await run("veto", "v2", "--reason", "loses orders"), 0)
      const short = expectExit(await run("can-deploy", "--version", "v2"), 2)
      assert.match(short.stdout, /^✖ no: production is held by ada: the database moves \(and 1 more: --explain\)\n$/)
      const { stdout } = expectExit(await run("can-deploy", "--version", "v2", "--explain"), 2)
      assert.match(stdout, /^✖ no: 2 things are in the way of DX6604E production\n/)
      assert.match(stdout, /since +\d+m?s ago \(\d\d:/)
      assert.match(stdout, /over +in \d+ (min|h) \(at /)
      assert.match(stdout, /to go on +signalbox lock release DX6604E --environment production --reason "<reason>"/)
      assert.match(stdout, /✖ veto: version v2 was vetoed by ada: loses orders/)
    })

    it("asks the providers alone where the registry is away, and says so", async () => {
      const away = new StoreError({ operation: "open", reason: "Unavailable", detail: "no route" })
      backend = { ...world.backend, layer: () => Layer.effectContext(Effect.fail(away)) }
      const degraded = await json("can-deploy", id)
      assert.deepEqual(
        [degraded.code, degraded.value.degraded, degraded.value.degradedReason, degraded.value.canDeploy],
        [0, true, "open: no route", true]
      )
      assert.match((await run("can-deploy", id)).stdout, /degraded: only the providers were asked/)
      const listed = expectExit(await run("list", "--json"), 6)
      assert.match(errorOf(listed).hint, /signalbox can-deploy/)
      world.cloud.fail({ operation: "observe", times: 9, reason: { _tag: "Unavailable", message: "no answer" } })
      assert.strictEqual(errorOf(expectExit(await run("can-deploy", id, "--json"), 6)).code, "nobody_answers")
    })
  })

  describe("register", () => {
    it("prints the correlation id alone, and the place on stderr", async () => {
      const ran = expectExit(await run("register", "--version", "v2"), 0)
      assert.match(ran.stdout, /^[0-9a-f-]{36}\n$/)
      assert.match(ran.stderr, /^1st in the queue, nobody before it\nnext: {2}signalbox wait /)
      const second = expectExit(await run("register", "--correlation-id", "second"), 0)
      assert.strictEqual(second.stdout, "second\n")
      assert.include(second.stderr, `2nd in the queue, behind ${ran.stdout.trim()} (run by ada)`)
    })

    it("takes the same request again, and refuses another one with its id", async () => {
      const first = await json("register", "--correlation-id", "one", "--version", "v2")
      assert.deepInclude(first.value, {
        correlationId: "one",
        deploymentId: id,
        environment: "production",
        status: "queued",
        position: 1,
        ahead: [],
        duplicate: false
      })
      const again = await json("register", "--correlation-id", "one", "--version", "v2")
      assert.deepEqual([again.code, again.value.duplicate, again.value.position], [0, true, 1])
      for (const [changed, why] of [
        [["--version", "v3"], "one was asked for with the version v2, not v3"],
        [["--version", "v2", "--by", "bob"], "one was asked for with the actor ada, not bob"]
      ] as const) {
        const other = expectExit(await run("register", "--correlation-id", "one", ...changed, "--json"), 1)
        assert.deepEqual([errorOf(other).code, errorOf(other).message], ["correlation_id_taken", why])
      }
    })

    it("takes no place for what has ended, unless it ended well", async () => {
      expectExit(await run("register", "--correlation-id", "one"), 0)
      expectExit(await run("cleanup", "one", "--reason", "not today"), 0)
      const ended = expectExit(await run("register", "--correlation-id", "one", "--json"), 1)
      assert.deepInclude(errorOf(ended), { code: "withdrawn", message: "one is cancelled: not today" })
      expectExit(await run("register", "--correlation-id", "two"), 0)
      expectExit(await run("wait", "two"), 0)
      expectExit(await run("cleanup", "two", "--status", "succeeded"), 0)
      expectExit(await run("register", "--correlation-id", "two"), 0)
    })

    it("does not count a success whose turn had never come, and says so", async () => {
      expectExit(await run("register", "--correlation-id", "one"), 0)
      const cleaned = expectExit(await run("cleanup", "one", "--status", "succeeded"), 0)
      assert.include(cleaned.stderr, "its turn had never come")
      assert.strictEqual((await json("status", "one")).value.status, "cancelled")
    })

    it("knows the job that it is part of, and hands the id to the steps after it", async () => {
      const output = Path.join(cwd, "output")
      const github = {
        GITHUB_OUTPUT: output,
        GITHUB_SERVER_URL: "https://github.example",
        GITHUB_REPOSITORY: "acme/shop",
        GITHUB_RUN_ID: "4711",
        GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567"
      }
      expectExit(await runIn(github, "register", "--correlation-id", "job"), 0)
      const [, end = "", value] = /^correlation-id<<(.+)\n(.*)\n\1\n$/.exec(Fs.readFileSync(output, "utf8")) ?? []
      assert.isAbove(end.length, 10)
      assert.strictEqual(value, "job")
      const { value: shown } = await json("status", "job")
      assert.deepInclude(shown, {
        commit: github.GITHUB_SHA,
        workflowRun: "https://github.example/acme/shop/actions/runs/4711",
        queue: "fifo"
      })
      for (const search of ["4711", "0123456789abcdef"]) {
        const found = await json("active", "--search", search)
        assert.deepEqual(
          found.value.executions.map((one: { readonly correlationId: string }) => one.correlationId),
          ["job"]
        )
      }
      assert.deepEqual((await json("history", "--search", "4712")).value.executions, [])
    })

    it("asks git when a commit was made, and nothing that is no commit", async () => {
      const git = (...args: ReadonlyArray<string>) =>
        execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], {
          cwd,
          encoding: "utf8",
          env: {
            ...cleanEnvironment(),
            GIT_COMMITTER_DATE: "2026-11-21T10:00:00+01:00",
            GIT_CONFIG_GLOBAL: "/dev/null"
          }
        }).trim()
      git("init", "--quiet")
      git("commit", "--quiet", "--allow-empty", "--message", "one")
      const sha = git("rev-parse", "HEAD")
      const of = async (commit: string) => {
        const id = expectExit(await runIn({ GITHUB_SHA: commit }, "register"), 0).stdout.trim()
        return (await json("status", id)).value.committedAt
      }
      assert.strictEqual(await of(sha), "2026-11-21T09:00:00.000Z")
      assert.strictEqual(await of("f".repeat(40)), null)
      assert.strictEqual(await of(`--output=${Path.join(cwd, "written")}`), null)
      assert.isFalse(Fs.existsSync(Path.join(cwd, "written")))
    })

    it("does not let an older commit follow a newer one, unless it is said why", async () => {
      const at = (commit: string, time: string) => ["--commit", commit, "--committed-at", time]
      expectExit(await run("register", ...at("bbb", "2026-11-21T10:00:00Z")), 0)
      const older = ["register", "--correlation-id", "old", ...at("aaa", "2026-11-21T09:00:00+00:00")]
      assert.match(expectExit(await run(...older), 2).stderr, /commit aaa is older than bbb/)
      expectExit(await run(...older, "--override", "back on purpose"), 0)
    })

    it("registers a deployment that deploy then carries out", async () => {
      expectExit(await run("register", "--kind", "deploy", "--version", "v2", "--correlation-id", "later"), 0)
      expectExit(await run("wait", "later"), 0)
      const done = await json("deploy", "--version", "v2", "--correlation-id", "later")
      assert.deepEqual([done.code, done.value.status], [0, "completed"])
    })

    it("refuses what can never be done before it takes a place", async () => {
      expectExit(await run("register", "--kind", "deploy-stack"), 64)
      expectExit(await run("register", "--stack", "nothing"), 4)
      assert.deepEqual((await json("active")).value.executions, [])
    })
  })

  describe("wait", () => {
    it("holds the lock for whoever has come to its turn", async () => {
      expectExit(await run("register", "--correlation-id", "one"), 0)
      const ran = await json("wait", "one", "--hold", "10m")
      assert.deepInclude(ran.value, { correlationId: "one", turn: true, degraded: false, blockers: [] })
      assert.deepEqual((await json("can-deploy")).value.blockers[0].who, "one")
      assert.strictEqual((await json("can-deploy", "--correlation-id", "one")).code, 0)
    })

    it("says who is before it until its turn comes", async () => {
      await occupied("first")
      expectExit(await run("register", "--correlation-id", "second"), 0)
      const waiting = start("wait", "second", "--interval", "100ms", "--json")
      await waiting.said(/"turn":false/)
      expectExit(await run("cleanup", "first", "--status", "succeeded"), 0)
      const ran = expectExit(await waiting.ended, 0)
      const items = ran.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
      assert.deepInclude(items[0], { turn: false, position: 1, ahead: ["first"], status: "queued" })
      assert.match(items[0].message, /^1st in the queue, behind first \(run by bob\)/)
      assert.deepEqual(
        items.map(({ turn }) => turn),
        [...items.slice(1).map(() => false), true]
      )
    })

    it("gives up in time with 124, and keeps the place", async () => {
      await occupied("first")
      expectExit(await run("register", "--correlation-id", "second"), 0)
      const late = expectExit(await run("wait", "second", "--timeout", "200ms", "--json"), 124)
      assert.strictEqual(errorOf(late).code, "wait_timeout")
      assert.include(errorOf(late).hint, "signalbox cleanup second")
      assert.strictEqual((await json("status", "second")).value.status, "queued")
    })

    it.each([
      { code: "overtaken", exit: 2, by: ["register", "--queue", "latest_wins"], why: /took its place/ },
      { code: "veto", exit: 2, by: ["veto", "v2", "--reason", "loses orders"], why: /vetoed by ada: loses orders/ },
      // Nothing is in its way: somebody wants it no more.
      { code: "withdrawn", exit: 1, by: ["cleanup", "second", "--reason", "not today"], why: /is cancelled: not today/ }
    ])("ends with $exit and why: $code", async ({ by, code, exit, why }) => {
      await occupied("first")
      expectExit(await run("register", "--correlation-id", "second", "--version", "v2"), 0)
      const waiting = start("wait", "second", "--interval", "100ms", "--json")
      await waiting.said(/"turn":false/)
      expectExit(await run(...by), 0)
      const ended = expectExit(await waiting.ended, exit)
      assert.strictEqual(errorOf(ended).code, code)
      assert.match(errorOf(ended).message, why)
      assert.strictEqual(JSON.parse(ended.stdout.trim().split("\n").at(-1)!).turn, false)
    })

    it("waits until nothing is in the way of a deployment", async () => {
      expectExit(await run("lock", "hold", "--reason", "moving", "--until", "400ms"), 0)
      const ran = expectExit(await run("wait", id, "--interval", "100ms"), 0)
      assert.match(ran.stderr, /production is held by ada: moving; expected to be over in/)
      assert.strictEqual(ran.stdout, "✔ nothing is in the way of DX6604E production\n")
    })

    it("polls the providers while the registry is away, and says when it is back", async () => {
      expectExit(await run("register", "--correlation-id", "one"), 0)
      let opened = 0
      const away = new StoreError({ operation: "open", reason: "Unavailable", detail: "no route" })
      const real = world.backend
      // What was waited for is known from the first time; then it is away twice.
      backend = {
        ...real,
        layer: (options) => (++opened <= 2 ? Layer.effectContext(Effect.fail(away)) : real.layer(options))
      }
      const ran = expectExit(await run("wait", "one", "--interval", "100ms"), 0)
      assert.match(ran.stderr, /degraded: .*\n.*degraded: .*\nreconciled: the registry is back\n/)
      assert.match(ran.stdout, /one: its turn has come/)
    })

    it("knows nothing of what was never registered", async () => {
      assert.strictEqual(errorOf(expectExit(await run("wait", "nobody", "--json"), 4)).code, "unknown_execution")
    })
  })

  describe("cleanup", () => {
    it("can be repeated, also for what never was", async () => {
      await occupied("one")
      const cleaned = await json("cleanup", "one", "--status", "succeeded")
      assert.deepEqual(cleaned.value, { correlationId: "one", released: true, was: "queued", now: "completed" })
      const again = await json("cleanup", "one", "--status", "failed")
      assert.deepEqual(again.value, { correlationId: "one", released: false, was: "completed", now: "completed" })
      const never = await json("cleanup", "never")
      assert.deepEqual([never.code, never.value.was, never.value.released], [0, null, false])
      assert.include((await run("cleanup", "never")).stdout, "there is no execution never")
      assert.strictEqual((await json("can-deploy")).code, 0)
    })

    it("is refused as long as somebody runs it", async () => {
      const deploying = start("deploy", "--version", "v1", "--correlation-id", "busy")
      await deploying.said(/web: deploy started/)
      const refused = await run("cleanup", "busy", "--json")
      // Where it was over before, there is nothing to refuse.
      if ((await deploying.ended).code === 0 && refused.code !== 0) {
        assert.strictEqual(errorOf(expectExit(refused, 2)).code, "still_running")
      }
      assert.strictEqual((await json("status", "busy")).value.status, "completed")
    })

    it("sweeps what was forgotten, and leaves what was not", async () => {
      expectExit(await run("register", "--correlation-id", "fresh"), 0)
      assert.deepEqual((await json("cleanup", "--stale")).value, { swept: [] })
      expectExit(await run("cleanup", "fresh", "--stale"), 64)
      expectExit(await run("cleanup"), 64)
    })
  })

  describe("lock", () => {
    it("is held by hand, shown and given back", async () => {
      expectExit(await run("lock", "hold", "--reason", "moving"), 0)
      const shown = await json("lock", "show")
      assert.deepInclude(shown.value.hold, { by: "ada", reason: "moving", until: null })
      assert.strictEqual(shown.value.lease, null)
      expectExit(await run("deploy", "--version", "v1"), 2)
      assert.deepEqual((await json("active")).value.holds[0].reason, "moving")
      assert.match((await run("active")).stdout, /DX6604E production is held by ada: moving/)
      const released = await json("lock", "release", "--reason", "moved")
      assert.deepEqual([released.value.released, released.value.broken, released.value.hold], [true, null, null])
      const events = await json("events", "--audit", "--type", "LockReleased")
      assert.deepInclude(events.value.events[0].data, { reason: "moved", by: "ada" })
    })

    it("is not given back where nobody holds it, and says what would be needed", async () => {
      const free = expectExit(await run("lock", "release", "--reason", "x", "--json"), 1)
      assert.strictEqual(errorOf(free).code, "not_held")
      await occupied("one")
      const held = errorOf(expectExit(await run("lock", "release", "--reason", "x", "--json"), 1))
      assert.match(held.message, /nobody holds DX6604E in production by hand; one has its lock/)
      assert.include(held.hint, "--force")
      const broken = await json("lock", "release", "--reason", "x", "--force")
      assert.deepEqual([broken.code, broken.value.broken.holder, broken.value.lease], [0, "one", null])
    })

    it("shows those that wait in order, rollbacks first", async () => {
      await occupied("one")
      expectExit(await run("register", "--correlation-id", "two"), 0)
      expectExit(await run("register", "--correlation-id", "back", "--kind", "rollback"), 0)
      const waiting = start("wait", "two", "--timeout", "1s", "--interval", "100ms")
      await waiting.said(/in the queue/)
      const { stdout } = await run("lock", "show")
      assert.match(stdout, /◌ DX6604E production is locked by one \(run by bob\) since/)
      assert.match(stdout, /\n1st +back +rollback [^]*\n2nd +two +run /)
      expectExit(await waiting.ended, 124)
    })

    it.each(["soon", "2020-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "0 seconds"])(
      "is not held until %j",
      async (until) => {
        expectExit(await run("lock", "hold", "--reason", "x", "--until", until), 64)
        assert.strictEqual((await json("lock", "show")).value.hold, null)
      }
    )
  })

  it("a deployment that is named gets no environments on the way", async () => {
    const elsewhere = temporary("coordination-elsewhere")
    const there = (environment: string, ...argv: ReadonlyArray<string>) =>
      runWith(backend, elsewhere, argv, { env: { ...env, SIGNALBOX_ENVIRONMENT: environment } })
    for (const line of [
      ["can-deploy", id],
      ["lock", "show", id],
      ["register", id]
    ]) {
      assert.match(expectExit(await there("", ...line), 64).stderr, /which environment\?[^]*production \| staging/)
      assert.match(expectExit(await there("prodution", ...line), 64).stderr, /there is no environment "prodution"/)
      expectExit(await there("staging", ...line), 0)
      expectExit(await there("staging", line[0]!, ...line.slice(1, -1), "D000000"), 4)
    }
    assert.deepEqual(
      (await json("info")).value.environments.map((one: { readonly name: string }) => one.name),
      ["production", "staging"]
    )
    Fs.rmSync(elsewhere, { recursive: true, force: true })
  })

  it("a veto keeps a version out, in one environment or in all, until it is lifted", async () => {
    expectExit(await runIn({ SIGNALBOX_ENVIRONMENT: "" }, "veto", "v2", "--reason", "loses orders"), 0)
    assert.strictEqual(expectExit(await run("deploy", "--version", "v2", "--json"), 2).stdout, "")
    const wrong = expectExit(await run("veto", "v2", "--lift", "--reason", "fixed", "--json"), 1)
    assert.include(errorOf(wrong).hint, "in every environment")
    const lifted = expectExit(await runIn({ SIGNALBOX_ENVIRONMENT: "" }, "veto", "v2", "--lift", "--reason", "ok"), 0)
    assert.include(lifted.stdout, "is lifted")
    expectExit(await run("deploy", "--version", "v2"), 0)
  })

  describe("deploy --queue", () => {
    it("waits for its turn and says where it stands", async () => {
      await occupied("first")
      const deploying = start("deploy", "--version", "v1", "--queue", "fifo")
      await deploying.said(/1st in the queue, behind first \(run by bob\)/)
      expectExit(await run("cleanup", "first"), 0)
      const ran = expectExit(await deploying.ended, 0)
      assert.match(ran.stdout, /^✔ deploy DX6604E production v1: completed/)
    })

    it("gives up with 124 after --queue-timeout, and takes its place back", async () => {
      await occupied("first")
      const ran = await json("deploy", "--version", "v1", "--queue-timeout", "300ms")
      assert.deepEqual([ran.code, ran.value.status, ran.value.error.code], [124, "cancelled", "queue_timeout"])
      assert.deepEqual((await json("lock", "show")).value.queue, [])
    })

    it("ends with 2 where another one took its place", async () => {
      await occupied("first")
      const deploying = start("deploy", "--version", "v1", "--queue", "fifo")
      await deploying.said(/1st in the queue/)
      expectExit(await run("register", "--queue", "latest_wins"), 0)
      assert.match(expectExit(await deploying.ended, 2).stdout, /cancelled[^]*took its place: the latest wins/)
    })

    it("hands its timeout to the runner in the background", async () => {
      await occupied("first")
      let started: ReadonlyArray<string> = []
      const argv = ["deploy", "--version", "v1", "--detach", "--queue", "fifo", "--queue-timeout", "5m"]
      const detach = (args: ReadonlyArray<string>) => Effect.sync(() => ((started = args), 1))
      expectExit(await runWith(backend, cwd, argv, { env, detach }), 0)
      assert.include(started.join(" "), "--queue-timeout 300000ms")
    })
  })

  it("list has a note where the two levels disagree, and only there", async () => {
    expectExit(await run("deploy", "--version", "v1"), 0)
    assert.notInclude((await run("list")).stdout, "NOTE")
    expectExit(await run("destroy-stack", id, "web", "--yes"), 0)
    const note = "the deployment is deployed, but web is destroyed"
    assert.match((await run("list")).stdout, new RegExp(`NOTE[^]*${note}`))
    assert.strictEqual((await json("list")).value.deployments[0].note, note)
    assert.strictEqual((await json("status", id)).value.note, note)
  })

  it("a stack that the configuration got later is shown, also where it made a deployment partial", async () => {
    const api = { name: "api", provider: "simulated", gate, dependsOn: ["web"] }
    const more = { ...config, rollback: false, stacks: [...config.stacks, api] }
    Fs.writeFileSync(Path.join(cwd, "signalbox.config.json"), JSON.stringify(more))
    expectExit(await run("deploy", "--version", "v1"), 0)
    const stacks = async () =>
      (await json("status", id)).value.stacks.map(
        ({ name, status }: { readonly name: string; readonly status: string }) => `${name} ${status}`
      )
    assert.deepEqual(await stacks(), ["web deployed", "api deployed"])
    world.cloud.fail({ operation: "stage", stack: "api", times: 9, reason: { _tag: "Broken", message: "no image" } })
    expectExit(await run("deploy", "--version", "v2"), 1)
    assert.deepEqual(await stacks(), ["web deployed", "api failed"])
    assert.strictEqual((await json("status", id)).value.note, "partial because of api")
    const [listed] = (await json("list")).value.deployments
    assert.deepEqual([listed.note, listed.stacks], ["partial because of api", ["web", "api"]])
    assert.deepEqual((await json("info", id)).value.stacks, ["web", "api"])
  })
})

describe("words", () => {
  it("counts places", () => {
    assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 101, 112].map(ordinal), [
      "1st",
      "2nd",
      "3rd",
      "4th",
      "11th",
      "12th",
      "13th",
      "21st",
      "101st",
      "112th"
    ])
  })

  it("takes times with their offset, and nothing else", () => {
    assert.strictEqual(timeOf("2026-11-21T10:30:00+01:00")._tag, "Some")
    for (const wrong of ["2026-11-21", "2026-11-21T10:30:00", "1", "yesterday", ""]) {
      assert.strictEqual(timeOf(wrong)._tag, "None", wrong)
    }
  })

  it.each([
    ["deployed", ["deployed", "deployed"], undefined],
    ["deployed", ["deployed", "failed"], "the deployment is deployed, but b is failed"],
    ["partial", ["deployed", "failed"], "partial because of b"],
    ["failed", ["deployed", "deployed"], "the deployment is failed, but all its stacks are deployed"],
    ["failed", ["deployed", "failed"], undefined],
    ["destroyed", ["destroyed", "deployed"], "the deployment is destroyed, but b is deployed"],
    ["deploying", ["deploying", "not_deployed"], undefined]
  ] as const)("%s with stacks %j", (status, stacks, note) => {
    const named = stacks.map((one, index) => ({ name: "ab"[index]!, status: one }))
    assert.strictEqual(disagreement({ status, stacks: named }, "configured"), note)
  })

  it("sends nobody to providers that cannot be asked", () => {
    const unknown = { status: "unknown", stacks: [] }
    assert.match(disagreement(unknown, "configured") ?? "", /not known; look with: signalbox health$/)
    assert.match(disagreement(unknown, "bare") ?? "", /not known; no provider can be asked without a configuration/)
  })
})

describe("coordination between processes", { timeout: 60_000 }, () => {
  let binary: Binary
  let folder: string
  beforeAll(() => {
    binary = build()
    folder = temporary("coordination-binary")
  }, 60_000)
  afterAll(() => {
    Fs.rmSync(folder, { recursive: true, force: true })
    binary.remove()
  })

  const nowhere = { SIGNALBOX_DATABASE_URL: "postgres://nobody:none@127.0.0.1:1/nothing" }

  it("asking leaves nothing behind, with a configuration or without", async () => {
    const before = listing(folder)
    expectExit(await binary.run(folder, ["can-deploy"]), 0)
    expectExit(await binary.run(folder, ["lock", "show"]), 0)
    expectExit(await binary.run(folder, ["cleanup", "nothing"]), 0)
    assert.deepEqual(listing(folder), before)
  })

  it("nothing may be deployed where nobody has made the deployment that is named", async () => {
    const empty = Fs.mkdtempSync(Path.join(folder, "empty-"))
    const configured = Fs.mkdtempSync(Path.join(folder, "never-"))
    const stacks = [{ name: "web", provider: "local", properties: { command: ["node", "x.mjs"], port: 0 } }]
    const file = JSON.stringify({ organization: "a", project: "b", environments: { production: {} }, stacks })
    Fs.writeFileSync(Path.join(configured, "signalbox.config.json"), file)
    for (const job of [empty, configured]) {
      for (const asked of ["can-deploy", "wait"]) {
        const ran = expectExit(await binary.run(job, [asked, id, "--environment", "production", "--json"]), 4)
        assert.deepEqual([ran.stdout, errorOf(ran).code], ["", "no_state"])
      }
    }
    // Another one is there, and that one is not.
    expectExit(await binary.run(configured, ["init"]), 0)
    const ran = expectExit(await binary.run(configured, ["can-deploy", id, "--json"]), 4)
    assert.strictEqual(errorOf(ran).code, "unknown_deployment")
  })

  it("a project without a configuration gets every environment that it is run in", async () => {
    const job = Fs.mkdtempSync(Path.join(folder, "environments-"))
    const run = (...argv: ReadonlyArray<string>) => binary.run(job, argv)
    const command = ["--", "node", "-e", "0"]
    expectExit(await run("run", "--environment", "production", ...command), 0)
    // Where there is but one, it is meant.
    expectExit(await run("run", ...command), 0)
    expectExit(await run("run", "--environment", "staging", ...command), 0)
    expectExit(await run("register", "--environment", "preview", "--correlation-id", "one"), 0)
    expectExit(await run("lock", "hold", "--environment", "canary", "--reason", "moving"), 0)
    const { environments } = JSON.parse((await run("info", "--json")).stdout)
    assert.deepEqual(
      environments.map(({ name }: { readonly name: string }) => name),
      ["production", "staging", "preview", "canary"]
    )
    const ambiguous = expectExit(await run("run", ...command), 64)
    assert.match(ambiguous.stderr, /which environment\?[^]*production \| staging/)
    const other = JSON.parse((await run("list", "--json")).stdout).deployments[0].deploymentId
    expectExit(await run("run", "--deployment", other, "--environment", "prodution", ...command), 64)
  })

  it("an answer without the registry is degraded; without providers there is none", async () => {
    expectExit(await binary.run(folder, ["can-deploy"], { env: nowhere }), 6)
    const configured = Fs.mkdtempSync(Path.join(folder, "configured-"))
    const stacks = [
      { name: "web", provider: "local", properties: { command: ["node", "x.mjs"], artifact: ".", port: 0 } }
    ]
    const file = JSON.stringify({ organization: "a", project: "b", environments: { production: {} }, stacks })
    Fs.writeFileSync(Path.join(configured, "signalbox.config.json"), file)
    const ran = expectExit(await binary.run(configured, ["can-deploy", id, "--json"], { env: nowhere }), 0)
    const { canDeploy, degraded, degradedReason } = JSON.parse(ran.stdout)
    assert.deepEqual([canDeploy, degraded], [true, true])
    assert.include(degradedReason, "ECONNREFUSED")
    expectExit(await binary.run(configured, ["wait", id, "--timeout", "20s"], { env: nowhere }), 0)
  })

  it("Ctrl-C keeps the place, and the turn is kept for another process", async () => {
    const job = Fs.mkdtempSync(Path.join(folder, "job-"))
    const run = (...argv: ReadonlyArray<string>) => binary.run(job, argv)
    expectExit(await run("lock", "hold", "--reason", "moving"), 0)
    expectExit(await run("register", "--correlation-id", "one"), 0)
    const stopped = await binary.run(job, ["wait", "one", "--interval", "200ms"], {
      signals: [[/in the queue/, "SIGINT"]]
    })
    expectExit(stopped, 130)
    assert.match(stopped.stderr, /its place is kept; withdraw it with: signalbox cleanup one/)
    assert.match((await run("lock", "show")).stdout, /– +one +run .*nobody waits for it now/)
    assert.match((await run("active")).stdout, /one is registered, and nobody waits for its turn: signalbox wait one/)
    expectExit(await run("lock", "release", "--reason", "moved"), 0)
    expectExit(await run("wait", "one", "--hold", "1m"), 0)
    const blocked = expectExit(await run("can-deploy", "--json"), 2)
    assert.strictEqual(JSON.parse(blocked.stdout).blockers[0].who, "one")
    const ran = expectExit(await run("run", "--correlation-id", "one", "--", "node", "-e", "0"), 0)
    assert.notInclude(ran.stderr, "error")
    expectExit(await run("can-deploy"), 0)
  })

  it("a deployment in the background waits for its turn", async () => {
    const job = Fs.mkdtempSync(Path.join(folder, "background-"))
    const run = (...argv: ReadonlyArray<string>) => binary.run(job, argv)
    const server = `import { createServer } from "node:http"; createServer((_, to) => to.end("ok")).listen(process.env.PORT)`
    Fs.mkdirSync(Path.join(job, "app"))
    Fs.writeFileSync(Path.join(job, "app", "server.mjs"), server)
    const properties = { command: ["node", "server.mjs"], artifact: "app", port: 0 }
    const stacks = [{ name: "web", provider: "local", gate, properties }]
    const file = { organization: "a", project: "b", environments: { production: {} }, stacks }
    Fs.writeFileSync(Path.join(job, "signalbox.config.json"), JSON.stringify(file))
    expectExit(await run("init"), 0)
    expectExit(await run("lock", "hold", "--reason", "moving"), 0)
    const argv = ["--detach", "--queue", "fifo", "--correlation-id", "later", "--version", "v1"]
    expectExit(await run("deploy", ...argv), 0)
    // Until it has come, whoever attaches carries it on instead.
    for (let look = 0; look < 60; look++) {
      const { executions } = JSON.parse((await run("active", "--json")).stdout)
      if (executions[0]?.runner !== null) break
    }
    const attached = await binary.run(job, ["attach", "later"], { signals: [[/production is held by/, "SIGINT"]] })
    assert.match(attached.stderr, /1st in the queue, nobody before it; production is held by .*: moving/)
    expectExit(await run("lock", "release", "--reason", "moved"), 0)
    assert.match(expectExit(await run("attach", "later"), 0).stdout, /^✔ deploy .* production v1: completed/)
    expectExit(await run("destroy", "--yes"), 0)
  })

  it("a lock whose process was killed is shown with when it ends", async () => {
    const job = Fs.mkdtempSync(Path.join(folder, "killed-"))
    const run = (...argv: ReadonlyArray<string>) => binary.run(job, argv)
    expectExit(await run("register", "--correlation-id", "one"), 0)
    expectExit(await run("wait", "one", "--hold", "30s"), 0)
    const shown = expectExit(await run("lock", "show"), 0)
    assert.match(shown.stdout, /no process of it is left; the lock ends in \d+s/)
    const why = expectExit(await run("can-deploy", "--explain"), 2)
    assert.match(why.stdout, /no process of it is left, and it ends in/)
    expectExit(await run("cleanup", "one"), 0)
    expectExit(await run("can-deploy"), 0)
  })
})
