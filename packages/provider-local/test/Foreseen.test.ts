import { describe as describeError } from "@signalbox/core/text"
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { EnvironmentName, type Json, type ProviderError } from "@signalbox/core/spi"
import { freePort } from "../src/supervisor/instance/Ports.ts"
import { app, bench, deploy, localProvider, mutation, stateOf } from "./harness.ts"

const invalid = (error: ProviderError) => {
  assert.strictEqual(error.reason._tag, "Invalid", error.message)
  const { hint = "", message } = describeError(error.info)
  return { message, path: error.info.path ?? "", hint }
}

/** A folder with an application that the test may change. */
const application = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = mkdtempSync(join(tmpdir(), "signalbox-app-"))
    cpSync(app, folder, { recursive: true })
    return folder
  }),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** Listens on a port until the end of the test. */
const listener = Effect.acquireRelease(
  Effect.callback<{ readonly port: number; readonly close: () => void }>((resume) => {
    const server = createServer()
    server.listen(0, "127.0.0.1", () =>
      resume(
        Effect.succeed({ port: (server.address() as { readonly port: number }).port, close: () => void server.close() })
      )
    )
  }),
  ({ close }) => Effect.sync(close)
)

/** Plans a stack that is wrong, and looks that nothing came of it. */
const refusal = (more: Readonly<Record<string, Json>>) =>
  Effect.gen(function* () {
    const { directory, provider, ref } = yield* bench
    const before = readdirSync(directory)
    const found = invalid(yield* Effect.flip(provider.plan(ref("web", more), { version: "v1" })))
    assert.deepStrictEqual(readdirSync(directory), before)
    return found
  })

describe("what a plan foresees of its files", () => {
  it.live("a working directory that is not there", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { message, path } = yield* refusal({ cwd: "dist" })
        assert.strictEqual(message, `web: the working directory "dist" is not in ${app}`)
        assert.strictEqual(path, "stacks.web.properties.cwd")
      })
    )
  )

  it.live("a script whose first line ends as on Windows; its hint mends it", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const folder = yield* application
        writeFileSync(join(folder, "start.sh"), "#!/bin/sh\r\nexec node server.mjs\r\n", { mode: 0o755 })
        const { hint, message, path } = yield* refusal({ artifact: folder, command: ["./start.sh"] })
        assert.include(message, "the first line of ./start.sh ends as on Windows (CR LF)")
        assert.strictEqual(path, "stacks.web.properties.command.0")
        execFileSync("sh", ["-c", hint.slice(hint.indexOf("perl"))])
        const { provider, ref } = yield* bench
        const stack = ref("web", { artifact: folder, command: ["./start.sh"], instances: 1 })
        yield* deploy(provider, stack, "v1")
        assert.strictEqual((yield* provider.observe(stack)).status, "ready")
      })
    )
  )

  it.live("a script that may not be executed; both ways of its hint mend it", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const folder = yield* application
        const script = join(folder, "start.sh")
        writeFileSync(script, "#!/bin/sh\nexec node server.mjs\n", { mode: 0o644 })
        const { hint, message } = yield* refusal({ artifact: folder, command: ["./start.sh"] })
        assert.strictEqual(message, "web: ./start.sh is not executable")
        assert.strictEqual(hint, `Run chmod +x ${script}, or set the command to ["sh","start.sh"].`)
        const { provider, ref } = yield* bench
        const one = ref("one", { artifact: folder, command: ["sh", "start.sh"], instances: 1 })
        yield* deploy(provider, one, "v1")
        chmodSync(script, 0o755)
        const other = ref("other", { artifact: folder, command: ["./start.sh"], instances: 1 })
        yield* deploy(provider, other, "v1")
        assert.strictEqual((yield* provider.observe(one)).status, "ready")
        assert.strictEqual((yield* provider.observe(other)).status, "ready")
      })
    )
  )

  for (const [what, files, command, said] of [
    ["a program that is not in the artifact", {}, ["./missing.sh"], "./missing.sh does not exist in"],
    ["a program that is a folder", { "bin/x": "" }, ["./bin"], "./bin is not a file"],
    ["an interpreter that does not exist", { run: "#!/opt/none/bin/sh\n" }, ["./run"], "/opt/none/bin/sh"],
    ["a program that is on no PATH", {}, ["no-such-program-4711"], 'there is no program "no-such-program-4711"']
  ] as const) {
    it.live(what, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const folder = yield* application
          for (const [name, text] of Object.entries<string>(files)) {
            mkdirSync(join(folder, name, ".."), { recursive: true })
            writeFileSync(join(folder, name), text, { mode: 0o755 })
          }
          const { message, path } = yield* refusal({ artifact: folder, command: [...command] })
          assert.include(message, said)
          assert.strictEqual(path, "stacks.web.properties.command.0")
        })
      )
    )
  }

  it.live("an artifact that holds the state folder", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, ref } = yield* bench
        for (const artifact of [directory, join(directory, "..")]) {
          const provider = localProvider({ directory })
          const { message, path } = invalid(
            yield* Effect.flip(provider.plan(ref("web", { artifact }), { version: "v1" }))
          )
          assert.include(message, `the artifact ${artifact} holds the folder`)
          assert.strictEqual(path, "stacks.web.properties.artifact")
        }
      })
    )
  )

  it.live("what an archive holds, with its cause, when it is unpacked: nothing is started", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const folder = yield* application
        writeFileSync(join(folder, "start.sh"), "#!/bin/sh\r\nexec node server.mjs\r\n", { mode: 0o755 })
        const archive = `${folder}.tgz`
        execFileSync("tar", ["-czf", archive, "-C", folder, "."])
        yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(archive, { force: true })))
        const { directory, provider, ref } = yield* bench
        const stack = ref("web", { artifact: archive, command: ["./start.sh"] })
        const failed = yield* Effect.flip(
          Effect.flatMap(provider.plan(stack, { version: "v1" }), (plan) =>
            provider.stage(stack, { plan, capacityPercent: 100 }, mutation("stage"))
          )
        )
        assert.include(invalid(failed).message, "ends as on Windows (CR LF)")
        assert.deepStrictEqual(stateOf(directory).stacks, {})
      })
    )
  )
})

describe("what a plan foresees of its environment", () => {
  it.live("a NUL", () =>
    Effect.scoped(
      Effect.gen(function* () {
        assert.strictEqual((yield* refusal({ env: { A: "a\u0000b" } })).path, "stacks.web.properties.env.A")
        assert.strictEqual((yield* refusal({ command: ["node", "a\u0000b"] })).path, "stacks.web.properties.command.1")
        assert.strictEqual((yield* refusal({ cwd: "a\u0000b" })).path, "stacks.web.properties.cwd")
      })
    )
  )

  it.live("a value that is larger than the system takes, and no smaller one", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { message, path } = yield* refusal({ env: { A: "x".repeat(3 << 20), B: "b" } })
        assert.match(message, /the environment is too large \(A has 3145731 bytes; this system takes \d+/)
        assert.strictEqual(path, "stacks.web.properties.env.A")
        const { provider, ref } = yield* bench
        yield* deploy(provider, ref("web", { env: { A: "x".repeat(100_000) }, instances: 1 }), "v1")
      })
    )
  )

  it.live("a sum that is larger than the system takes", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const env = Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`A${index}`, "x".repeat(100_000)]))
        const { message } = yield* refusal({ env })
        assert.match(message, /the environment is too large \(\d+ bytes; this system takes \d+\)/)
      })
    )
  )
})

describe("what a plan foresees of its port", () => {
  it.live("a program that listens there", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { port } = yield* listener
        const { hint, message, path } = yield* refusal({ port })
        assert.match(message, new RegExp(`^web: port ${port} is taken by .+ \\(process ${process.pid}\\)$`))
        assert.strictEqual(path, "stacks.web.properties.port")
        assert.strictEqual(hint, "End that process, or set another port.")
      })
    )
  )

  it.live("another stack, another environment, and that it cannot change; keeping it is no mistake", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        const port = yield* Effect.promise(() => freePort(new Set()))
        const another = yield* Effect.promise(() => freePort(new Set([port])))
        const stack = ref("web", { port, instances: 1 })
        yield* deploy(provider, stack, "v1")
        const staging = { ...stack, environment: EnvironmentName.make("staging") }
        const elsewhere = invalid(yield* Effect.flip(provider.plan(staging, { version: "v1" })))
        assert.strictEqual(elsewhere.message, `web: port ${port} is taken by the stack web in test`)
        assert.include(elsewhere.hint, "environments.staging.stacks.web.properties.port")
        const other = invalid(yield* Effect.flip(provider.plan(ref("api", { port }), { version: "v1" })))
        assert.strictEqual(other.message, `api: port ${port} is taken by the stack web`)
        const [instance] = stateOf(directory).stacks["DX6604E/test/web"].instances
        const inner = yield* Effect.flip(provider.plan(ref("api", { port: instance.port }), { version: "v1" }))
        assert.include(inner.message, "is taken by the stack web")

        const changed = invalid(yield* Effect.flip(provider.plan(ref("web", { port: another }), { version: "v2" })))
        assert.include(changed.message, `the public port is ${port} and cannot change`)
        yield* provider.plan(ref("web", { port, instances: 1 }), { version: "v2" })
        yield* provider.plan(ref("web", { instances: 1 }), { version: "v2" })
        // As its hint says.
        yield* provider.destroy(stack, mutation("destroy"))
        yield* provider.plan(ref("web", { port: another }), { version: "v2" })
      })
    )
  )

  it.live("is exclusive: two stacks of one configuration cannot both have it", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { provider, ref } = yield* bench
        assert.deepStrictEqual(provider.exclusive!(ref("web", { port: 8080 })), [{ name: "port 8080", path: ["port"] }])
        assert.deepStrictEqual(provider.exclusive!(ref("web", { port: 0 })), [])
        assert.deepStrictEqual(provider.exclusive!(ref("web")), [])
      })
    )
  )
})

describe("mistakes known before a rollback", () => {
  it.live("a secret that is not there, and files that are not kept", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, ref } = yield* bench
        const stack = ref("web", { instances: 1, env: { TOKEN: { $secret: "TEST_TOKEN" } } })
        const provider = localProvider({ directory, env: { TEST_TOKEN: "abcdef" } })
        yield* deploy(provider, stack, "v1")
        const { checkpoint } = yield* provider.plan(stack, { version: "v2" })
        assert.strictEqual((yield* provider.canGoBack!(stack, checkpoint)).how, "switch")
        const bare = localProvider({ directory, env: {} })
        const found = invalid(yield* Effect.flip(bare.canGoBack!(stack, checkpoint)))
        assert.include(found.message, "the environment variable TEST_TOKEN is not set")
        const releases = join(directory, "releases", "DX6604E", "test", "web")
        assert.isTrue(existsSync(releases))
        yield* provider.destroy(stack, mutation("destroy"))
        assert.deepStrictEqual(yield* provider.canGoBack!(stack, checkpoint), {
          how: "rebuild",
          why: "the files of v1 are fetched again"
        })
      })
    )
  )
})
