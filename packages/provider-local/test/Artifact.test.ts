import { assert, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import * as Effect from "effect/Effect"
import { create, Header } from "tar"
import type { ProviderError, StackRef } from "@signalbox/core/spi"
import { app, bench, deploy, mutation, send } from "./harness.ts"

const scratch = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "signalbox-artifact-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

const sha256 = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex")

interface Entry {
  readonly path: string
  readonly type?: "File" | "SymbolicLink" | "Link" | "Directory" | "FIFO"
  readonly linkpath?: string
  readonly content?: string
}

/** An archive with whatever entries, also such as no tool would write. */
const archive = (file: string, entries: ReadonlyArray<Entry>) => {
  const blocks = entries.flatMap(({ content = "", linkpath, path, type = "File" }) => {
    const header = new Header({
      path,
      type,
      mode: 0o644,
      size: Buffer.byteLength(content),
      mtime: new Date(0),
      ...(linkpath === undefined ? {} : { linkpath })
    })
    const block = Buffer.alloc(512)
    header.encode(block, 0)
    const body = Buffer.alloc(Math.ceil(Buffer.byteLength(content) / 512) * 512)
    body.write(content)
    return [block, body]
  })
  writeFileSync(file, gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)])))
}

const stage = (provider: Parameters<typeof deploy>[0], ref: StackRef, artifact: string) =>
  Effect.flatMap(provider.plan(ref, { version: "v1", artifact }), (plan) =>
    provider.stage(ref, { plan, capacityPercent: 100 }, mutation(`stage-${artifact}`))
  )

const reasonOf = (error: ProviderError) => error.reason

describe("artifacts of a local stack", () => {
  it.live("run from a directory, from an archive, and from a URL, and go back without the network", () =>
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

  it.live("are refused where anything in them lies or leads outside", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { provider, ref, directory } = yield* bench
        const folder = yield* scratch
        const cases: Readonly<Record<string, ReadonlyArray<Entry>>> = {
          "parent path": [{ path: "../evil.txt", content: "x" }],
          "hidden parent path": [{ path: "a/../../evil.txt", content: "x" }],
          "absolute path": [{ path: "/tmp/signalbox-evil.txt", content: "x" }],
          "link outside": [{ path: "link", type: "SymbolicLink", linkpath: "../../.." }],
          "absolute link": [{ path: "link", type: "SymbolicLink", linkpath: "/etc/passwd" }],
          "hard link outside": [{ path: "link", type: "Link", linkpath: "../../../state.json" }],
          "write through a link": [
            { path: "link", type: "SymbolicLink", linkpath: "." },
            { path: "inner", type: "SymbolicLink", linkpath: "link/.." }
          ],
          device: [{ path: "pipe", type: "FIFO" }]
        }
        for (const [name, entries] of Object.entries(cases)) {
          const file = join(folder, `${name.replaceAll(" ", "-")}.tgz`)
          archive(file, [{ path: "server.mjs", content: "" }, ...entries])
          const error = yield* Effect.flip(stage(provider, ref("api"), file))
          assert.strictEqual(error.reason._tag, "Invalid", name)
        }
        const left = readdirSync(join(directory, "releases", "DX6604E", "test", "api"))
        assert.deepStrictEqual(left, [])

        const copied = join(folder, "copied")
        mkdirSync(copied)
        symlinkSync("/etc", join(copied, "etc"))
        assert.strictEqual((yield* Effect.flip(stage(provider, ref("api"), copied))).reason._tag, "Invalid")
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
        assert.strictEqual(error.reason._tag, "Conflict")
        const again = yield* provider.plan(ref("api"), { version: "v1", artifact: folder })
        assert.notStrictEqual(again.candidate.id, plan.candidate.id)
      })
    )
  )

  it.live("that are wrong are told apart", () =>
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
})
