import { describe as describeError } from "@signalbox/core/text"
import { assert, describe, it } from "@effect/vitest"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type { Json, ProviderError } from "@signalbox/core/spi"
import { freePort } from "../src/supervisor/instance/Ports.ts"
import { type Bench, bench, deploy, localProvider, mutation, send, stateOf, supervisorOf, until } from "./harness.ts"

/** An application of one file, which imports `createServer`. */
const application = (text: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const folder = mkdtempSync(join(tmpdir(), "signalbox-app-"))
      writeFileSync(join(folder, "server.mjs"), `import { createServer } from "node:http"\n${text}\n`)
      return folder
    }),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )

const stageOf = (
  { provider, ref }: Pick<Bench, "provider" | "ref">,
  more: Readonly<Record<string, Json>>,
  version = "v1",
  timeout = "1 minute"
) =>
  Effect.suspend(() => {
    const stack = ref("web", { instances: 1, readiness: { path: "/up", timeout }, ...more })
    return Effect.flatMap(provider.plan(stack, { version }), (plan) =>
      provider.stage(stack, { plan, capacityPercent: 100 }, mutation(`stage-${version}-${Math.random()}`))
    )
  })

/**
 * Stages a release that never becomes ready, with more time if it was too little for the application to get that far.
 */
const unready = (artifact: string, said: RegExp) =>
  Effect.gen(function* () {
    const world = yield* bench
    for (const timeout of ["2 seconds", "8 seconds"]) {
      const failed = yield* Effect.flip(stageOf(world, { artifact }, "v1", timeout))
      if (said.test(failed.message)) return failed
    }
    return yield* Effect.flip(stageOf(world, { artifact }, "v1", "32 seconds"))
  })

/** The file that a hint names. */
const logIn = ({ info }: ProviderError): string => /Its log: (.*)$/.exec(describeError(info).hint!)![1]!

describe("a release that does not become ready reports", () => {
  for (const [what, text, said, helps] of [
    [
      "the status that it answered",
      `console.error("no route"); createServer((_, r) => { r.statusCode = 404; r.end() }).listen(process.env.PORT, "127.0.0.1")`,
      /: GET \/up answered 404; the end of its log:\nno route$/,
      /^Set readiness.path to a path that it answers with 2xx or 3xx\. .+ Its log: /
    ],
    [
      "what it said about it",
      `createServer((q, r) => { r.statusCode = 403; r.end("blocked host " + q.headers.host) }).listen(process.env.PORT, "127.0.0.1")`,
      /: GET \/up answered 403 "blocked host 127\.0\.0\.1:\d+"$/,
      /It wrote no log\.$/
    ],
    [
      "that it listens and does not answer",
      `createServer(() => {}).listen(process.env.PORT, "127.0.0.1")`,
      /: GET \/up was not answered$/,
      /raise readiness\.timeout/
    ],
    [
      "that it listens on no port",
      `setInterval(() => {}, 1000)`,
      /: nothing accepts connections on port \d+; it listens on no port$/,
      /has to listen on the port that the environment variable PORT names/
    ],
    [
      "that it breaks off",
      `import("node:net").then(({ createServer }) => createServer((s) => s.destroy()).listen(process.env.PORT, "127.0.0.1"))`,
      /: GET \/up failed: ECONNRESET$/,
      /has to speak HTTP/
    ]
  ] as const) {
    it.live(what, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const failed = yield* unready(yield* application(text), said)
          assert.strictEqual(failed.reason._tag, "Broken")
          assert.match(failed.message, said)
          assert.match(describeError(failed.info).hint!, helps)
        })
      )
    )
  }

  it.live("the port that its child listens on instead", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const port = yield* Effect.promise(() => freePort(new Set()))
        const artifact = yield* application(
          `import { spawn } from "node:child_process"
if (process.argv[2] === "child") {
  createServer((_, r) => r.end()).listen(${port}, "127.0.0.1")
  // It must not outlive a test that is stopped.
  process.stdin.on("end", () => process.exit()).resume()
} else spawn(process.execPath, [import.meta.filename, "child"], { detached: true, env: {}, stdio: ["pipe", "ignore", "ignore"] })
setInterval(() => {}, 1000)`
        )
        const said = new RegExp(`: nothing accepts connections on port \\d+; it listens on 127\\.0\\.0\\.1:${port}$`)
        assert.match((yield* unready(artifact, said)).message, said)
      })
    )
  )
})

describe("a release that cannot be started reports why, even if only the system knows", () => {
  const startOf = (planned: Readonly<Record<string, Json>>, staged: Readonly<Record<string, Json>>) =>
    Effect.gen(function* () {
      const { provider, ref } = yield* bench
      const plan = yield* provider.plan(ref("web", planned), { version: "v1" })
      return yield* Effect.flip(
        provider.stage(ref("web", { ...planned, ...staged }), { plan, capacityPercent: 100 }, mutation("stage"))
      )
    })

  it.live("an environment that is too large", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const failed = yield* startOf({}, { env: { A: "x".repeat(3 << 20) } })
        assert.match(failed.message, /the environment is too large \(A has 3145731 bytes; this system takes \d+/)
        assert.include(describeError(failed.info).hint, "Put large values into a file of the artifact")
      })
    )
  )

  it.live("a program that the supervisor does not find", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const failed = yield* startOf({}, { command: ["no-such-program-4711"] })
        assert.match(failed.message, /there is no program "no-such-program-4711" on the PATH$/)
        assert.include(describeError(failed.info).hint, "Install it, correct the name")
      })
    )
  )
})

describe("the log of a release that failed", () => {
  const talks = `for (let n = 0; n < 40; n++) console.error("line " + n + " " + process.env.TOKEN)
process.exit(3)`

  it.live("is kept where the hint says, without secrets, until the stack is destroyed", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, ref } = yield* bench
        const provider = localProvider({ directory, env: { ...process.env, TEST_TOKEN: "s3cr3t-0815" } })
        const more = { artifact: yield* application(talks), env: { TOKEN: { $secret: "TEST_TOKEN" } } }
        const failed = yield* Effect.flip(stageOf({ provider, ref }, more))
        assert.match(failed.message, /its process exited with code 3; the end of its log:\nline 30 \*\*\*\n/)
        const log = logIn(failed)
        assert.match(readFileSync(log, "utf8"), /^line 0 \*\*\*\n[^]*line 39 \*\*\*\n$/)
        assert.strictEqual(statSync(log).mode & 0o777, 0o600)
        // Nothing is left of the stack.
        assert.deepStrictEqual(stateOf(directory).stacks, {})
        const logs = readdirSync(join(directory, "local", "logs"), { recursive: true }).map(String)
        assert.deepStrictEqual(
          logs.filter((name) => name.endsWith(".log")).map((name) => join(directory, "local", "logs", name)),
          [log]
        )
        // Rolling back from it, as an execution does, is no reason to forget why.
        const none = { release: null, takenAt: 0, data: null }
        yield* provider.rollback(ref("web", more), none, mutation("rollback"))
        assert.isTrue(existsSync(log))
        yield* provider.destroy(ref("web", more), mutation("destroy"))
        assert.isFalse(existsSync(log))
      })
    )
  )

  it.live("is bounded in size and in number, and goes with its release", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const world = yield* bench
        const artifact = yield* application(
          `for (let n = 0; n < 40_000; n++) process.stdout.write("line " + n + " ".repeat(50) + "\\n")
process.exitCode = 3`
        )
        const logs: Array<string> = []
        for (let attempt = 1; attempt <= 7; attempt++) {
          logs.push(logIn(yield* Effect.flip(stageOf(world, { artifact }, `v${attempt}`))))
        }
        assert.deepStrictEqual(
          logs.map((log) => existsSync(log)),
          [false, false, true, true, true, true, true]
        )
        const { size } = statSync(logs[6]!)
        assert.isAtMost(size, 1 << 20)
        assert.isAbove(size, (1 << 20) - 1000)
        assert.match(readFileSync(logs[6]!, "utf8"), /^line \d+ +\n/)
        // Their releases are forgotten with the next healthy one.
        yield* deploy(world.provider, world.ref("web", { instances: 1 }), "good")
        assert.deepStrictEqual(
          logs.map((log) => existsSync(log)),
          [false, false, false, false, false, false, false]
        )
      })
    )
  )
})

describe("a release that listens on ::1 only", () => {
  it.live("gets ready, gets its requests, and keeps them when the supervisor is replaced", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        const artifact = yield* application(
          `createServer((_, r) => r.end(process.env.SIGNALBOX_VERSION)).listen(process.env.PORT, "::1")`
        )
        const stack = ref("web", { artifact, instances: 2 })
        yield* deploy(provider, stack, "v1")
        const url = String((yield* provider.observe(stack)).outputs["url"])
        for (let request = 0; request < 20; request++) {
          assert.strictEqual((yield* Effect.promise(() => send(url))).body, "v1")
        }
        const supervisor = supervisorOf(directory)!
        process.kill(supervisor, "SIGKILL")
        yield* Effect.promise(() => until("another one holds", () => supervisorOf(directory) !== supervisor))
        yield* Effect.promise(() =>
          until("it answers again", () =>
            send(url).then(
              ({ body }) => body === "v1",
              () => false
            )
          )
        )
      })
    )
  )
})
