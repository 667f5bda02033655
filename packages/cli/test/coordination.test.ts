/**
 * Who may deploy when: registering, waiting for admission, cleaning up.
 */
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { assert, describe, it } from "vitest"
import { StoreError } from "@signalbox/core/spi"
import { cleanEnvironment } from "./bundle.ts"
import {
  config,
  coordinated,
  env,
  errorOf,
  expectExit,
  gate,
  here,
  id,
  json,
  occupied,
  run,
  runIn,
  start
} from "./coordinating.ts"
import { runWith, temporary } from "./support.ts"

describe("coordination", () => {
  coordinated()

  describe("register", () => {
    it("prints the correlation id alone, and the place on stderr", async () => {
      const ran = expectExit(await run("register", "--version", "v2"), 0)
      assert.match(ran.stdout, /^[0-9a-f-]{36}\n$/)
      assert.match(ran.stderr, /^1st in the queue, no request before it\nnext: {2}signalbox wait /)
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
        [["--version", "v3"], "one was requested with the version v2, not v3"],
        [["--version", "v2", "--by", "bob"], "one was requested with the actor ada, not bob"]
      ] as const) {
        const other = expectExit(await run("register", "--correlation-id", "one", ...changed, "--json"), 1)
        assert.deepEqual([errorOf(other).code, errorOf(other).message], ["correlation_id_taken", why])
      }
    })

    it("takes no position for an ended request, unless it ended successfully", async () => {
      expectExit(await run("register", "--correlation-id", "one"), 0)
      expectExit(await run("cleanup", "one", "--reason", "not today"), 0)
      const ended = expectExit(await run("register", "--correlation-id", "one", "--json"), 1)
      assert.deepInclude(errorOf(ended), { code: "withdrawn", message: "one is cancelled: not today" })
      expectExit(await run("register", "--correlation-id", "two"), 0)
      expectExit(await run("wait", "two"), 0)
      expectExit(await run("cleanup", "two", "--status", "succeeded"), 0)
      expectExit(await run("register", "--correlation-id", "two"), 0)
    })

    it("does not count a success that was never admitted, and says so", async () => {
      expectExit(await run("register", "--correlation-id", "one"), 0)
      const cleaned = expectExit(await run("cleanup", "one", "--status", "succeeded"), 0)
      assert.include(cleaned.stderr, "its turn had never come")
      assert.strictEqual((await json("status", "one")).value.status, "cancelled")
    })

    it("knows the job that it is part of, and hands the id to the steps after it", async () => {
      const output = Path.join(here.cwd, "output")
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

    it("asks git for the commit time, and only for a commit", async () => {
      const git = (...args: ReadonlyArray<string>) =>
        execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], {
          cwd: here.cwd,
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
      assert.strictEqual(await of(`--output=${Path.join(here.cwd, "written")}`), null)
      assert.isFalse(Fs.existsSync(Path.join(here.cwd, "written")))
    })

    it("does not let an older commit follow a newer one without an override", async () => {
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
    it("keeps the lease for an admitted request", async () => {
      expectExit(await run("register", "--correlation-id", "one"), 0)
      const ran = await json("wait", "one", "--hold", "10m")
      assert.deepInclude(ran.value, { correlationId: "one", turn: true, degraded: false, blockers: [] })
      assert.deepEqual((await json("can-deploy")).value.blockers[0].who, "one")
      assert.strictEqual((await json("can-deploy", "--correlation-id", "one")).code, 0)
    })

    it("shows who is ahead until it is admitted", async () => {
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
      const free = expectExit(
        await runIn({ SIGNALBOX_ENVIRONMENT: "" }, "wait", id, "-e", "staging", "--timeout", "5s"),
        0
      )
      assert.include(free.stdout, "nothing is in the way")
      const taken = expectExit(await run("wait", "--timeout", "200ms", "--json"), 124)
      assert.include(errorOf(taken).hint, `signalbox can-deploy ${id} --environment production --explain`)
    })

    it.each([
      { code: "overtaken", exit: 2, by: ["register", "--queue", "latest_wins"], why: /replaced it/ },
      {
        code: "blocked_by_veto",
        exit: 2,
        by: ["veto", "v2", "--reason", "loses orders"],
        why: /vetoed by ada: loses orders/
      },
      // Nothing blocks it: the request is withdrawn.
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

    it("ends at once if a queued request is aborted", async () => {
      await occupied("first")
      expectExit(await run("register", "--correlation-id", "second"), 0)
      const told = expectExit(await run("abort", "second", "--reason", "not today"), 0)
      assert.match(told.stdout, /next: {2}signalbox status second/)
      assert.notInclude(told.stdout, "attach")
      const { value } = await json("status", "second")
      assert.match(value.error.message, /aborted by ada: not today/)
    })

    it("waits until nothing blocks a deployment", async () => {
      expectExit(await run("lock", "hold", "--reason", "moving", "--until", "400ms"), 0)
      const ran = expectExit(await run("wait", id, "--interval", "100ms"), 0)
      assert.match(ran.stderr, /production is locked by ada: moving; expected to be over in/)
      assert.strictEqual(ran.stdout, "✔ nothing is in the way of DX6604E production\n")
    })

    it("polls the providers while the store is unavailable, and says when it is back", async () => {
      expectExit(await run("register", "--correlation-id", "one"), 0)
      let opened = 0
      const away = new StoreError({ operation: "open", reason: "Unavailable", detail: "no route" })
      const real = here.world.backend
      // The first look is cached; then the store is unavailable twice.
      here.backend = {
        ...real,
        layer: (options) => (++opened <= 2 ? Layer.effectContext(Effect.fail(away)) : real.layer(options))
      }
      const ran = expectExit(await run("wait", "one", "--interval", "100ms"), 0)
      assert.match(ran.stderr, /degraded: .*\n.*degraded: .*\nreconciled: the store is back\n/)
      assert.match(ran.stdout, /one: its turn has come/)
    })

    it("does not know an unregistered request", async () => {
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

    it("is rejected while a runner is alive", async () => {
      const deploying = start("deploy", "--version", "v1", "--correlation-id", "busy")
      await deploying.said(/web: deploy started/)
      const refused = await run("cleanup", "busy", "--json")
      // If it was over before, there is nothing to reject.
      if ((await deploying.ended).code === 0 && refused.code !== 0) {
        assert.strictEqual(errorOf(expectExit(refused, 2)).code, "still_running")
      }
      assert.strictEqual((await json("status", "busy")).value.status, "completed")
    })

    it("sweeps abandoned requests, and only those", async () => {
      expectExit(await run("register", "--correlation-id", "fresh"), 0)
      assert.deepEqual((await json("cleanup", "--stale")).value, { swept: [] })
      expectExit(await run("cleanup", "fresh", "--stale"), 64)
      expectExit(await run("cleanup"), 64)
    })
  })

  describe("deploy --queue", () => {
    it("waits for its admission and prints its position", async () => {
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
      assert.include(ran.value.error.hint, `signalbox can-deploy ${id} --environment production --explain`)
      assert.deepEqual((await json("lock", "show")).value.queue, [])
    })

    it("ends with 2 where another one took its place", async () => {
      await occupied("first")
      const deploying = start("deploy", "--version", "v1", "--queue", "fifo")
      await deploying.said(/1st in the queue/)
      expectExit(await run("register", "--queue", "latest_wins"), 0)
      assert.match(expectExit(await deploying.ended, 2).stdout, /cancelled[^]*replaced it: the latest request wins/)
    })

    it("hands its timeout to the runner in the background", async () => {
      await occupied("first")
      let started: ReadonlyArray<string> = []
      const argv = ["deploy", "--version", "v1", "--detach", "--queue", "fifo", "--queue-timeout", "5m"]
      const detach = (args: ReadonlyArray<string>) => Effect.sync(() => ((started = args), 1))
      expectExit(await runWith(here.backend, here.cwd, argv, { env, detach }), 0)
      assert.include(started.join(" "), "--queue-timeout 300000ms")
    })
  })

  it("a deployment that is named gets no environments on the way", async () => {
    const elsewhere = temporary("coordination-elsewhere")
    const there = (environment: string, ...argv: ReadonlyArray<string>) =>
      runWith(here.backend, elsewhere, argv, { env: { ...env, SIGNALBOX_ENVIRONMENT: environment } })
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

  it("list has a note if the two levels disagree, and only then", async () => {
    expectExit(await run("deploy", "--version", "v1"), 0)
    assert.notInclude((await run("list")).stdout, "NOTE")
    expectExit(await run("destroy-stack", id, "web", "--yes"), 0)
    const note = "the deployment is deployed, but web is destroyed"
    assert.match((await run("list")).stdout, new RegExp(`NOTE[^]*${note}`))
    assert.strictEqual((await json("list")).value.deployments[0].note, note)
    assert.strictEqual((await json("status", id)).value.note, note)
  })

  it("shows a stack that the configuration got later, even if it made a deployment partial", async () => {
    const api = { name: "api", provider: "simulated", gate, dependsOn: ["web"] }
    const more = { ...config, rollback: false, stacks: [...config.stacks, api] }
    Fs.writeFileSync(Path.join(here.cwd, "signalbox.config.json"), JSON.stringify(more))
    expectExit(await run("deploy", "--version", "v1"), 0)
    const stacks = async () =>
      (await json("status", id)).value.stacks.map(
        ({ name, status }: { readonly name: string; readonly status: string }) => `${name} ${status}`
      )
    assert.deepEqual(await stacks(), ["web deployed", "api deployed"])
    here.world.cloud.fail({
      operation: "stage",
      stack: "api",
      times: 9,
      reason: { _tag: "Broken", message: "no image" }
    })
    expectExit(await run("deploy", "--version", "v2"), 1)
    assert.deepEqual(await stacks(), ["web deployed", "api failed"])
    assert.strictEqual((await json("status", id)).value.note, "partial because of api")
    const [listed] = (await json("list")).value.deployments
    assert.deepEqual([listed.note, listed.stacks], ["partial because of api", ["web", "api"]])
    assert.deepEqual((await json("info", id)).value.stacks, ["web", "api"])
  })
})
