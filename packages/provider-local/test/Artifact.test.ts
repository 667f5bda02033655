import { assert, describe, it } from "@effect/vitest"
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { create } from "tar"
import type { ProviderError, StackRef } from "@signalbox/core/spi"
import { scratch, sha256 } from "./artifact/support.ts"
import { app, bench, deploy, mutation, send } from "./harness.ts"

const stage = (provider: Parameters<typeof deploy>[0], ref: StackRef, artifact: string) =>
  Effect.flatMap(provider.plan(ref, { version: "v1", artifact }), (plan) =>
    provider.stage(ref, { plan, capacityPercent: 100 }, mutation(`stage-${artifact}`))
  )

const reasonOf = (error: ProviderError) => error.reason

describe("artifacts of a local stack", () => {
  it.live("run from a directory, from an archive, and from a URL, and roll back without the network", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { provider, ref } = yield* bench
        const directory = yield* scratch
        const file = join(directory, "app.tar.gz")
        yield* Effect.promise(() => create({ gzip: true, file, cwd: app }, ["."]))
        let requests = 0
        const server = createServer((request, response) => {
          requests += 1
          response.statusCode =
            request.headers["authorization"] === undefined && request.url === "/app.tgz?token=t0ken" ? 200 : 403
          response.end(response.statusCode === 200 ? readFileSync(file) : "")
        })
        yield* Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)))
        const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
        const stack = ref("api", { instances: 1 })

        process.env["ARTIFACT_TOKEN"] = "t0ken"
        const byUrl = yield* provider.plan(stack, {
          version: "url",
          artifact: `${origin}/app.tgz?token=\${ARTIFACT_TOKEN}`
        })
        assert.strictEqual(byUrl.candidate.digest, `sha256:${sha256(file)}`)
        assert.notInclude(JSON.stringify(byUrl), "t0ken")
        yield* provider.stage(stack, { plan: byUrl, capacityPercent: 100 }, mutation("stage"))
        yield* provider.traffic!.shift(stack, { releaseId: byUrl.candidate.id, percent: 100 }, mutation("shift"))
        yield* provider.traffic!.retire(stack, { keep: byUrl.candidate.id, capacityPercent: 0 }, mutation("retire"))

        const byFile = yield* provider.plan(stack, { version: "file", artifact: `${file}#sha256=${sha256(file)}` })
        assert.strictEqual(byFile.candidate.artifact, file)
        yield* stage(provider, stack, file)
        const before = yield* deploy(provider, stack, "directory")
        yield* Effect.promise(() => new Promise((resolve) => server.close(resolve)))
        const seen = requests
        yield* provider.rollback(stack, before.checkpoint, mutation("rollback"))
        assert.strictEqual(requests, seen)
        const { outputs } = yield* provider.observe(stack)
        assert.strictEqual((yield* Effect.promise(() => send(String(outputs["url"])))).body, "url")
        const denied = yield* Effect.flip(provider.plan(stack, { version: "x", artifact: `${origin}/other.tgz` }))
        assert.strictEqual(reasonOf(denied)._tag, "Unavailable")
      })
    )
  )

  it.live("are refused where their digest is another one, with the way to it", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { directory, provider, ref } = yield* bench
        const wrong = "0".repeat(64)
        for (const [stack, candidate] of [
          [ref("api"), { version: "v1", artifact: `${app}#sha256=${wrong}` }],
          [ref("api", { digest: `sha256:${wrong}` }), { version: "v1" }]
        ] as const) {
          const error = yield* Effect.flip(provider.plan(stack, candidate))
          assert.strictEqual(error.reason._tag, "Invalid")
          assert.strictEqual(error.info.path, "stacks.api.properties.artifact")
        }
        assert.deepStrictEqual(readdirSync(directory), [])
      })
    )
  )

  it.live("that changed since they were planned are planned again", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { provider, ref } = yield* bench
        const folder = yield* scratch
        writeFileSync(join(folder, "server.mjs"), "one")
        const plan = yield* provider.plan(ref("api"), { version: "v1", artifact: folder })
        writeFileSync(join(folder, "server.mjs"), "two")
        const error = yield* Effect.flip(provider.stage(ref("api"), { plan, capacityPercent: 100 }, mutation("stage")))
        assert.strictEqual(error.reason._tag, "Invalid")
        const again = yield* provider.plan(ref("api"), { version: "v1", artifact: folder })
        assert.notStrictEqual(again.candidate.id, plan.candidate.id)
      })
    )
  )

  it.live("are rejected with distinct errors", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { provider, ref } = yield* bench
        const plain = ref("api", { artifact: "https://user:password@127.0.0.1:9/app.tgz" })
        const secret = yield* Effect.flip(provider.plan(plain, { version: "v1" }))
        assert.strictEqual(secret.reason._tag, "Invalid")
        assert.notInclude(secret.message, "password@")
        const { artifact: _, ...without } = plain.properties as Record<string, never>
        const none = yield* Effect.flip(provider.plan({ ...plain, properties: without }, { version: "v1" }))
        assert.strictEqual(none.info.path, "stacks.api.properties.artifact")
        const unknown = yield* Effect.flip(provider.plan(ref("api", { comand: ["x"] }), { version: "v1" }))
        assert.strictEqual(unknown.info.path, "stacks.api.properties.comand")
        const outside = yield* Effect.flip(provider.plan(ref("api", { cwd: "../.." }), { version: "v1" }))
        assert.strictEqual(outside.info.path, "stacks.api.properties.cwd")
      })
    )
  )

  it.live("of one version are distinguished by their digests wherever both are named", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { provider, ref } = yield* bench
        const folder = yield* scratch
        cpSync(app, folder, { recursive: true })
        const stack = ref("api", { artifact: folder, instances: 1 })
        yield* deploy(provider, stack, "v1")
        const first = yield* provider.observe(stack)
        writeFileSync(join(folder, "more.txt"), "more")
        const plan = yield* provider.plan(stack, { version: "v1" })
        const short = (digest: string | undefined) => digest!.slice("sha256:".length).slice(0, 12)
        const [old, fresh] = [short(first.stable!.digest), short(plan.candidate.digest)]
        assert.notStrictEqual(old, fresh)
        assert.strictEqual(plan.changes[0], `start 1 process of v1 (${fresh}) beside v1 (${old})`)
        assert.strictEqual(
          plan.rollback,
          `all traffic goes back to v1 (${old}), whose files are kept; v1 (${fresh}) is drained and stopped`
        )
        const other = yield* provider.plan(stack, { version: "v2" })
        assert.strictEqual(other.changes[0], "start 1 process of v2 beside v1")
        rmSync(join(folder, "more.txt"))
        const configured = { ...stack, properties: { ...(stack.properties as object), grace: "1 second" } }
        const sameFiles = yield* provider.plan(configured, { version: "v1" })
        assert.match(
          sameFiles.changes[0]!,
          /^start 1 process of v1 \(configuration \w{12}\) beside v1 \(configuration \w{12}\)$/
        )
      })
    )
  )
})
