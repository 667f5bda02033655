import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import * as Effect from "effect/Effect"
import { bench, deploy, localProvider, mutation, ownerOf, processesOf, send, supervisorOf, until } from "./harness.ts"

const secret = "s3cr3t-4711-xyzzy"

/** The files under a directory that hold a word. */
const holding = (directory: string, word: string): string => {
  try {
    return execFileSync("grep", ["-rl", word, directory], { encoding: "utf8" })
  } catch {
    return ""
  }
}

describe("secrets of a local stack", () => {
  it.live("reach the process and nothing else, and survive the supervisor", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, ref } = yield* bench
        // Not in the environment of this process: a supervisor can only know it from the caller.
        const env: NodeJS.ProcessEnv = { TEST_API_TOKEN: secret }
        const provider = localProvider({ directory, env })
        const stack = ref("api", { instances: 1, env: { API_TOKEN: { $secret: "TEST_API_TOKEN" }, PLAIN: 7 } })
        const plan = yield* deploy(provider, stack, "v1")
        const url = String((yield* provider.observe(stack)).outputs["url"])
        const seen = () => Effect.promise(async () => JSON.parse((await send(`${url}/env`)).body))
        const first = yield* seen()
        assert.strictEqual(first.token, secret)
        assert.strictEqual(first.plain, "7")
        assert.notInclude(first.keys, "TEST_API_TOKEN")

        const failed = yield* Effect.flip(
          Effect.flatMap(provider.plan(stack, { version: "broken" }), (broken) =>
            provider.stage(stack, { plan: broken, capacityPercent: 100 }, mutation("stage-broken"))
          )
        )
        assert.include(failed.message, "cannot find the database")
        assert.include(failed.message, "the secret is ***")
        assert.notInclude(JSON.stringify([plan, yield* provider.observe(stack), failed]), secret)
        assert.strictEqual(holding(directory, secret), "")

        // Restarted by a supervisor without the secret: it learns from the process that it takes over.
        const supervisor = supervisorOf(directory)!
        process.kill(supervisor, "SIGKILL")
        yield* Effect.promise(() => until("another one holds", () => supervisorOf(directory) !== supervisor))
        yield* provider.observe(stack)
        const [instance] = processesOf(ownerOf(directory))
        process.kill(instance!.pid, "SIGKILL")
        yield* Effect.promise(() =>
          until("it answers again", () =>
            send(`${url}/env`).then(
              ({ status }) => status === 200,
              () => false
            )
          )
        )
        assert.strictEqual((yield* seen()).token, secret)
        assert.strictEqual(holding(directory, secret), "")

        delete env["TEST_API_TOKEN"]
        const missing = yield* Effect.flip(provider.plan(stack, { version: "v2" }))
        assert.strictEqual(missing.info.path, "stacks.api.properties.env.API_TOKEN")
      })
    )
  )
})
