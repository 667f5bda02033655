import { describeCause } from "@signalbox/core/text"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import {
  bench,
  deploy,
  isAlive,
  killSupervisor,
  localProvider,
  mutation,
  ownerOf,
  processesOf,
  reboot,
  send,
  supervisorOf,
  until
} from "./harness.ts"

/** Every file below a folder, with its content. */
const contents = (directory: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(directory, { recursive: true, encoding: "utf8" })
      .map((name) => join(directory, name))
      .filter((path) => statSync(path).isFile())
      .map((path) => [path, readFileSync(path, "utf8")])
  )

const secretly = { env: { API_TOKEN: { $secret: "TEST_API_TOKEN" } } }

const tokenAt = (url: string) => Effect.promise(async () => JSON.parse((await send(`${url}/env`)).body).token as string)

const answers = (url: string) =>
  Effect.promise(() =>
    until("it answers again", () =>
      send(`${url}/env`).then(
        ({ status }) => status === 200,
        () => false
      )
    )
  )

describe("after a restart of the machine", () => {
  it.live("a query starts nothing, writes nothing, and learns that nothing runs", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        const stack = ref("api")
        const { candidate } = yield* deploy(provider, stack, "v1")
        const before = yield* provider.observe(stack)
        yield* Effect.promise(() => reboot(directory))
        const files = contents(join(directory, "local"))

        const seen = yield* provider.observe(stack)
        assert.strictEqual(seen.status, "failed")
        assert.include(seen.reason, "a deployment or a rollback starts it")
        assert.deepStrictEqual(seen.stable, before.stable)
        assert.deepStrictEqual(seen.outputs, before.outputs)
        assert.deepStrictEqual(seen.traffic, [])
        assert.deepStrictEqual(seen.health, { [candidate.id]: { healthy: 0, total: 2 } })
        assert.deepStrictEqual(
          seen.resources.map(({ status }) => status),
          ["stopped", "stopped", "stopped"]
        )
        const measured = yield* provider.metrics!.measure(stack, {
          releaseId: candidate.id,
          from: 0,
          to: 60_000
        })
        assert.deepStrictEqual(measured, { until: 60_000, requests: 0, errors: 0, latency: null, healthy: 0 })
        const drifts = yield* provider.drift!.detect(stack)
        assert.deepStrictEqual(
          drifts.map(({ field }) => field),
          ["instances", "traffic"]
        )
        const again = yield* provider.plan(stack, { version: "v1" })
        assert.strictEqual(again.action, "update")
        assert.deepStrictEqual(again.changes, ["start 2 processes of v1 again"])

        assert.deepStrictEqual(contents(join(directory, "local")), files)
        assert.isFalse(isAlive(supervisorOf(directory)!))
        assert.deepStrictEqual(processesOf(ownerOf(directory)), [])
      })
    )
  )

  it.live("deploying the same version restarts it where it was", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        const stack = ref("api", { instances: 1 })
        yield* deploy(provider, stack, "v1")
        const { outputs } = yield* provider.observe(stack)
        yield* Effect.promise(() => reboot(directory))
        yield* deploy(provider, stack, "v1")
        const seen = yield* provider.observe(stack)
        assert.strictEqual(seen.status, "ready")
        assert.deepStrictEqual(seen.outputs, outputs)
        assert.strictEqual(processesOf(ownerOf(directory)).length, 1)
        assert.strictEqual((yield* provider.plan(stack, { version: "v1" })).action, "none")
      })
    )
  )

  it.live("a supervisor that only learned a fence has started nothing, and a deployment starts missing processes", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        const stack = ref("api")
        yield* deploy(provider, stack, "v1")
        const { outputs } = yield* provider.observe(stack)
        const instances = () => processesOf(ownerOf(directory))

        yield* Effect.promise(() => reboot(directory))
        yield* provider.fence!(stack, 2)
        assert.deepStrictEqual(instances(), [])
        assert.strictEqual(
          (yield* provider.observe(stack)).reason,
          "no process of v1 is ready; a deployment or a rollback starts it"
        )
        const all = yield* deploy(provider, stack, "v1", 2)
        assert.deepStrictEqual(all.changes, ["start 2 processes of v1 again"])
        const seen = yield* provider.observe(stack)
        assert.deepStrictEqual([seen.status, seen.outputs], ["ready", outputs])
        assert.strictEqual(instances().length, 2)

        // One of them stays.
        yield* Effect.promise(() => killSupervisor(directory))
        const [first, second] = instances()
        process.kill(first!.pid, "SIGKILL")
        yield* Effect.promise(() => until("it is dead", () => !isAlive(first!.pid)))
        yield* provider.fence!(stack, 3)
        assert.strictEqual((yield* deploy(provider, stack, "v1", 3)).action, "update")
        assert.strictEqual(instances().length, 2)
        assert.isTrue(isAlive(second!.pid))
        assert.strictEqual((yield* provider.plan(stack, { version: "v1" })).action, "none")
      })
    )
  )

  it.live("a rollback without the secret changes nothing and names it, and with it rolls back", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, ref } = yield* bench
        const env: NodeJS.ProcessEnv = { TEST_API_TOKEN: "good" }
        const provider = localProvider({ directory, env })
        const stack = ref("api", { instances: 1, ...secretly })
        yield* deploy(provider, stack, "v1")
        const { checkpoint } = yield* deploy(provider, stack, "v2")
        const url = String((yield* provider.observe(stack)).outputs["url"])
        yield* Effect.promise(() => reboot(directory))

        delete env["TEST_API_TOKEN"]
        const checked = yield* Effect.flip(provider.canGoBack!(stack, checkpoint))
        assert.strictEqual(describeCause(checked.info), "api: the environment variable TEST_API_TOKEN is not set")
        assert.strictEqual(checked.info.path, "stacks.api.properties.env.API_TOKEN")
        const refused = yield* Effect.flip(provider.rollback(stack, checkpoint, mutation("without")))
        assert.strictEqual(refused.reason._tag, "Invalid")
        assert.include(refused.message, "v1")
        assert.include(refused.message, "TEST_API_TOKEN")
        // The supervisor that was started for it keeps to what it should run, and that lacks the secret too.
        const seen = yield* provider.observe(stack)
        assert.strictEqual(seen.status, "failed")
        assert.strictEqual(
          seen.reason,
          "v2 is not started without TEST_API_TOKEN: deploy or roll back where that is set"
        )
        assert.deepStrictEqual(
          seen.resources.map(({ status }) => status),
          ["listening", "blocked"]
        )
        assert.deepStrictEqual(processesOf(ownerOf(directory)), [])
        // A deployment of the current version brings it back, though nothing changes.
        env["TEST_API_TOKEN"] = "better"
        assert.strictEqual((yield* provider.plan(stack, { version: "v2" })).action, "update")

        assert.strictEqual((yield* provider.canGoBack!(stack, checkpoint)).how, "rebuild")
        const back = yield* provider.rollback(stack, checkpoint, mutation("with"))
        assert.strictEqual(back.stable?.version, "v1")
        assert.strictEqual(yield* tokenAt(url), "better")
        assert.strictEqual(processesOf(ownerOf(directory)).length, 1)
      })
    )
  )

  it.live("destroying starts nothing first", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        const stack = ref("api", { command: ["sh", "-c", `echo started >> ${"$"}TRACE; exec node server.mjs`] })
        const traced = {
          ...stack,
          properties: { ...(stack.properties as object), env: { TRACE: join(directory, "trace") } }
        }
        yield* deploy(provider, traced as never, "v1")
        yield* Effect.promise(() => reboot(directory))
        yield* provider.destroy(traced as never, mutation("destroy"))
        assert.strictEqual(readFileSync(join(directory, "trace"), "utf8"), "started\nstarted\n")
      })
    )
  )
})

describe("secrets after a crash", () => {
  it.live("are the latest ones, though the supervisor and all processes died at once", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, ref } = yield* bench
        const env: NodeJS.ProcessEnv = { TEST_API_TOKEN: "old" }
        const provider = localProvider({ directory, env })
        const stack = ref("api", { instances: 1, ...secretly })
        yield* deploy(provider, stack, "v1")
        env["TEST_API_TOKEN"] = "new"
        yield* deploy(provider, stack, "v2")
        const url = String((yield* provider.observe(stack)).outputs["url"])
        const [instance] = processesOf(ownerOf(directory))
        const supervisor = supervisorOf(directory)!
        // Neither sees the other die.
        process.kill(supervisor, "SIGSTOP")
        process.kill(instance!.pid, "SIGKILL")
        process.kill(supervisor, "SIGKILL")
        yield* answers(url)
        assert.strictEqual(yield* tokenAt(url), "new")
        assert.notStrictEqual(supervisorOf(directory), supervisor)
      })
    )
  )

  it.live("belong to the stack, if another one has a secret of the same name", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, ref } = yield* bench
        const urls: Array<string> = []
        for (const name of ["one", "two"]) {
          const provider = localProvider({ directory, env: { TEST_API_TOKEN: name } })
          const stack = ref(name, { instances: 1, ...secretly })
          yield* deploy(provider, stack, "v1")
          urls.push(String((yield* provider.observe(stack)).outputs["url"]))
        }
        for (const { pid } of processesOf(ownerOf(directory))) process.kill(pid, "SIGKILL")
        for (const [index, name] of ["one", "two"].entries()) {
          yield* answers(urls[index]!)
          assert.strictEqual(yield* tokenAt(urls[index]!), name)
        }
      })
    )
  )

  it.live("are learned from the processes if the watchdog was killed too", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, ref } = yield* bench
        const env: NodeJS.ProcessEnv = { TEST_API_TOKEN: "good" }
        const provider = localProvider({ directory, env })
        const stack = ref("api", { instances: 1, ...secretly })
        const { candidate } = yield* deploy(provider, stack, "v1")
        const url = String((yield* provider.observe(stack)).outputs["url"])
        yield* Effect.promise(() => killSupervisor(directory))
        delete env["TEST_API_TOKEN"]
        yield* provider.traffic!.shift(stack, { releaseId: candidate.id, percent: 100 }, mutation("shift"))
        const [instance] = processesOf(ownerOf(directory))
        process.kill(instance!.pid, "SIGKILL")
        yield* answers(url)
        assert.strictEqual(yield* tokenAt(url), "good")
      })
    )
  )
})
