import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { mkdirSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { EnvironmentName } from "@signalbox/core/spi"
import { LocalProvider } from "../src/index.ts"
import { socketOf } from "../src/supervisor/Paths.ts"
import {
  bench,
  deploy,
  isAlive,
  killSupervisor,
  ledgerOf,
  mutation,
  ownerOf,
  processesOf,
  send,
  stateOf,
  supervisorOf,
  until
} from "./harness.ts"

const pidsOf = (directory: string, version: string) =>
  processesOf(ownerOf(directory))
    .filter(({ env }) => env["SIGNALBOX_VERSION"] === version)
    .map(({ pid }) => pid)
    .sort((a, b) => a - b)

describe("the supervisor", () => {
  it.live("refuses a call of its holder that arrives after a later one", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        const stack = ref("api")
        yield* deploy(provider, stack, "v1")
        const plan = yield* provider.plan(stack, { version: "v2" })
        yield* provider.stage(stack, { plan, capacityPercent: 100 }, mutation("stage"))
        // What a runner sent and gave up, held up on its way.
        const { deploymentId, environment } = stack
        const late = {
          deploymentId,
          environment,
          stack: stack.stack,
          idempotencyKey: "late",
          fence: 1,
          order: Number(process.hrtime.bigint() / 1_000n),
          secrets: {},
          releaseId: plan.candidate.id,
          percent: 50
        }
        yield* provider.rollback(stack, plan.checkpoint, mutation("rollback"))
        const answer = yield* Effect.promise(() =>
          send(
            "http://supervisor/shift",
            { socketPath: socketOf(realpathSync(directory)), method: "POST" },
            Buffer.from(JSON.stringify(late))
          )
        )
        assert.match(answer.body, /"Conflict"/)
        const { traffic } = yield* provider.observe(stack)
        assert.deepStrictEqual(traffic, [{ releaseId: plan.checkpoint.release!.id, percent: 100 }])
        assert.deepStrictEqual(
          ledgerOf(directory)
            .map(({ idempotencyKey }) => idempotencyKey)
            .filter((key) => key === "late"),
          []
        )
      })
    )
  )

  it.live("is replaced when it is killed: same processes, same port, same weights", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        const stack = ref("api")
        yield* deploy(provider, stack, "v1")
        const plan = yield* provider.plan(stack, { version: "v2" })
        yield* provider.stage(stack, { plan, capacityPercent: 100 }, mutation("stage"))
        const seen = yield* provider.traffic!.shift(
          stack,
          { releaseId: plan.candidate.id, percent: 30 },
          mutation("shift")
        )
        const url = String(seen.outputs["url"])
        const pids = [pidsOf(directory, "v1"), pidsOf(directory, "v2")]
        const victim = supervisorOf(directory)!
        process.kill(victim, "SIGKILL")
        yield* Effect.promise(() =>
          until("it answers again", () =>
            send(`${url}/`).then(
              ({ status }) => status === 200,
              () => false
            )
          )
        )
        const counts: Record<string, number> = {}
        for (let request = 0; request < 100; request++) {
          const { body } = yield* Effect.promise(() => send(`${url}/`))
          counts[body] = (counts[body] ?? 0) + 1
        }
        assert.closeTo(counts["v2"]!, 30, 1)
        assert.deepStrictEqual([pidsOf(directory, "v1"), pidsOf(directory, "v2")], pids)
        assert.notStrictEqual(supervisorOf(directory), victim)
        const after = yield* provider.observe(stack)
        assert.deepStrictEqual(after.traffic, seen.traffic)
        assert.deepStrictEqual(after.health, seen.health)
        yield* provider.rollback(stack, plan.checkpoint, mutation("rollback"))
        assert.deepStrictEqual(pidsOf(directory, "v2"), [])
        assert.strictEqual(ledgerOf(directory).length, new Set(ledgerOf(directory).map(({ n }) => n)).size)
      })
    )
  )

  it.live("is killed ten times in the middle of a deployment, which ends as if nothing had been, without orphans", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        const stack = ref("api")
        yield* deploy(provider, stack, "v1")
        let last: number | undefined
        const killer = yield* Effect.forkChild(
          Effect.gen(function* () {
            for (let kill = 0; kill < 10; kill++) {
              yield* Effect.sleep(60 + kill * 25)
              const pid = supervisorOf(directory)
              if (pid === undefined || pid === last) continue
              last = pid
              yield* Effect.sync(() => isAlive(pid) && process.kill(pid, "SIGKILL"))
            }
          })
        )
        const plan = yield* deploy(provider, stack, "v2")
        yield* Fiber.join(killer)
        // The last kill may come after the deployment's end: its watchdog starts the next one.
        const observed = provider.observe(stack)
        yield* Effect.promise(() =>
          until("its traffic is seen again", () =>
            Effect.runPromise(Effect.map(observed, ({ traffic }) => traffic.length > 0))
          )
        )
        const seen = yield* observed
        assert.strictEqual(seen.stable?.id, plan.candidate.id)
        assert.deepStrictEqual(seen.traffic, [{ releaseId: plan.candidate.id, percent: 100 }])
        yield* Effect.promise(() =>
          until(
            "only the two processes that are wanted are left",
            () => pidsOf(directory, "v1").length === 0 && pidsOf(directory, "v2").length === 2
          )
        )
        const keys = ledgerOf(directory).map(({ idempotencyKey }) => idempotencyKey)
        assert.strictEqual(new Set(keys).size, keys.length)
      })
    )
  )

  it.live("returns with the next change after its watchdog was killed as well, and takes over running processes", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        const stack = ref("api")
        const plan = yield* deploy(provider, stack, "v1")
        const pids = pidsOf(directory, "v1")
        yield* Effect.promise(() => killSupervisor(directory))
        const seen = yield* provider.observe(stack)
        assert.strictEqual(seen.status, "failed")
        assert.include(seen.reason, "its supervisor does not run")
        assert.include(seen.reason, "(2 of its processes do)")
        const back = yield* provider.rollback(stack, { ...plan.checkpoint, release: plan.candidate }, mutation("back"))
        assert.strictEqual(back.status, "ready")
        assert.deepStrictEqual(pidsOf(directory, "v1"), pids)
      })
    )
  )

  it.live("kills what runs with its mark and is not wanted", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        yield* deploy(provider, ref("api"), "v1")
        const orphan = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {
          detached: true,
          stdio: "ignore",
          env: {
            PATH: process.env["PATH"],
            SIGNALBOX_SUPERVISOR: ownerOf(directory),
            SIGNALBOX_INSTANCE: "api-unknown"
          }
        })
        const exited = new Promise((resolve) => orphan.once("exit", resolve))
        process.kill(supervisorOf(directory)!, "SIGKILL")
        yield* Effect.promise(() => exited)
        assert.strictEqual(pidsOf(directory, "v1").length, 2)
      })
    )
  )

  it.live("never signals a process that got the pid of one of its own", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        const stack = ref("api", { instances: 1 })
        yield* deploy(provider, stack, "v1")
        const stranger = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {
          detached: true,
          stdio: "ignore"
        })
        yield* LocalProvider.stop(directory)
        const { readFileSync, writeFileSync } = yield* Effect.promise(() => import("node:fs"))
        const path = join(directory, "local", "state.json")
        const state = JSON.parse(readFileSync(path, "utf8"))
        const [entry] = Object.values<any>(state.stacks)
        entry.instances = [
          {
            id: "api-recycled",
            releaseId: entry.stable,
            createdAt: 0,
            port: 20_000,
            pid: stranger.pid,
            started: "1",
            restarts: 0,
            retiring: false
          }
        ]
        writeFileSync(path, JSON.stringify(state))
        yield* provider.destroy(stack, mutation("destroy"))
        assert.isTrue(isAlive(stranger.pid!))
        stranger.kill("SIGKILL")
      })
    )
  )

  it.live("carries on when the command that deploys is killed in the middle of staging", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        const stack = ref("api")
        const client = spawn(
          process.execPath,
          [
            "--conditions=@signalbox/source",
            fileURLToPath(new URL("fixtures/stage.ts", import.meta.url)),
            directory,
            "slow"
          ],
          { stdio: "inherit" }
        )
        const exited = new Promise((resolve) => client.once("exit", resolve))
        yield* Effect.promise(() => until("its processes run", () => pidsOf(directory, "slow").length > 0))
        client.kill("SIGKILL")
        yield* Effect.promise(() => exited)
        const plan = yield* provider.plan(stack, { version: "slow" })
        const seen = yield* provider.stage(stack, { plan, capacityPercent: 100 }, mutation("stage-slow"))
        assert.deepStrictEqual(seen.health[plan.candidate.id], { healthy: 2, total: 2 })
        assert.strictEqual(pidsOf(directory, "slow").length, 2)
        assert.strictEqual(ledgerOf(directory).length, 1)
        yield* provider.rollback(stack, { release: null, takenAt: 0, data: null }, mutation("rollback"))
        assert.strictEqual(processesOf(ownerOf(directory)).length, 0)
      })
    )
  )

  it.live(
    "refuses a runner that lost the lease of the environment, even for a stack that its successor has not touched yet",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { directory, provider, ref } = yield* bench
          yield* deploy(provider, ref("api"), "v1", 4)
          yield* deploy(provider, ref("db"), "v1", 4)
          const plan = yield* provider.plan(ref("api"), { version: "v2" })
          yield* deploy(provider, ref("db"), "v2", 6)
          const entries = ledgerOf(directory).length
          const late = yield* Effect.flip(
            provider.stage(ref("api"), { plan, capacityPercent: 100 }, mutation("late", 4))
          )
          assert.strictEqual(late.reason._tag, "Fenced")
          assert.strictEqual(ledgerOf(directory).length, entries)
          const elsewhere = { ...ref("api"), environment: EnvironmentName.make("staging") }
          yield* deploy(provider, elsewhere, "v1", 1)
        })
      ),
    240_000
  )

  it.live("is one, however many start it at once, and ends when nothing is left", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, ref } = yield* bench
        const providers = Array.from({ length: 6 }, () => LocalProvider.make({ directory }))
        yield* Effect.forEach(
          providers,
          (provider, index) => provider.destroy(ref(`s${index}`), mutation(`destroy-${index}`)),
          { concurrency: "unbounded" }
        )
        const pid = supervisorOf(directory)!
        assert.isTrue(isAlive(pid))
        yield* Effect.promise(() => until("it has ended", () => !isAlive(pid)))
      })
    )
  )

  it.live("ends with everything that it holds when its directory is deleted", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        yield* deploy(provider, ref("api"), "v1")
        const owner = ownerOf(directory)
        const supervisor = supervisorOf(directory)!
        rmSync(directory, { recursive: true })
        yield* Effect.promise(() =>
          until("it has ended", () => !isAlive(supervisor) && processesOf(owner).length === 0)
        )
        mkdirSync(directory)
      })
    )
  )

  it.live("keeps its files private, and the newest releases only", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        const stack = ref("api", { keep: 2, instances: 1 })
        for (const version of ["v1", "v2", "v3"]) yield* deploy(provider, stack, version)
        const local = join(directory, "local")
        assert.strictEqual(statSync(local).mode & 0o777, 0o700)
        for (const file of ["state.json", "ledger.ndjson", "supervisor.log", "supervisor.sock"]) {
          assert.strictEqual(statSync(join(local, file)).mode & 0o077, 0, file)
        }
        const [state] = Object.values<any>(stateOf(directory).stacks)
        assert.deepStrictEqual(
          Object.values<any>(state.releases)
            .map(({ release }) => release.version)
            .sort(),
          ["v2", "v3"]
        )
      })
    )
  )

  it.live("changes nothing that it cannot write down, and does it when it can", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        const stack = ref("api", { instances: 1 })
        yield* deploy(provider, stack, "v1")
        const plan = yield* provider.plan(stack, { version: "v2" })
        yield* provider.stage(stack, { plan, capacityPercent: 100 }, mutation("stage"))
        const before = yield* provider.observe(stack)
        const shift = provider.traffic!.shift(stack, { releaseId: plan.candidate.id, percent: 100 }, mutation("shift"))
        // Something else is at the path of the next state's draft: no write can succeed.
        const obstacle = join(directory, "local", "state.json.draft")
        mkdirSync(obstacle)
        assert.strictEqual((yield* Effect.flip(shift)).reason._tag, "Unavailable")
        assert.deepStrictEqual((yield* provider.observe(stack)).traffic, before.traffic)
        rmSync(obstacle, { recursive: true })
        const after = yield* shift
        assert.deepStrictEqual(after.traffic, [{ releaseId: plan.candidate.id, percent: 100 }])
        assert.strictEqual(ledgerOf(directory).filter(({ idempotencyKey }) => idempotencyKey === "shift").length, 1)
      })
    )
  )

  it.live("restarts instance by instance, and reports what drifted", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        const stack = ref("api")
        yield* deploy(provider, stack, "v1")
        const before = pidsOf(directory, "v1")
        yield* provider.restart!(stack, mutation("restart"))
        const after = pidsOf(directory, "v1")
        assert.strictEqual(after.length, 2)
        assert.isFalse(after.some((pid) => before.includes(pid)))
        const changed = ref("api", { env: { PLAIN: "new" } })
        const drifts = yield* provider.drift!.detect(changed)
        assert.deepStrictEqual(
          drifts.map(({ field, owned }) => [field, owned]),
          [["config", false]]
        )
        // Its program is gone as well: it cannot come back until that is put right.
        const [release] = readdirSync(join(directory, "releases", "DX6604E", "test", "api"))
        const program = join(directory, "releases", "DX6604E", "test", "api", release!, "server.mjs")
        renameSync(program, `${program}.away`)
        for (const pid of after) process.kill(pid, "SIGKILL")
        const missing = () =>
          Effect.runPromise(provider.drift!.detect(stack)).then((found) => found.map(({ field }) => field).sort())
        yield* Effect.promise(() => until("it is told", async () => (await missing()).join() === "instances,traffic"))
        assert.strictEqual((yield* provider.observe(stack)).status, "failed")
        renameSync(`${program}.away`, program)
        yield* provider.drift!.correct(stack, ["instances", "traffic"], mutation("correct"))
        assert.deepStrictEqual(yield* provider.drift!.detect(stack), [])
        assert.strictEqual(pidsOf(directory, "v1").length, 2)
      })
    )
  )
})
