import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { unpack } from "../../src/Artifact.ts"
import { bring, digestOf, refusal, scratch, sourceOf } from "./support.ts"

const inScratch = (test: (folder: string) => Promise<void>) =>
  Effect.scoped(Effect.flatMap(scratch, (folder) => Effect.promise(() => test(folder))))

describe("a folder as artifact", () => {
  for (const kind of ["relative", "absolute"] as const) {
    it.live(`that is a ${kind} link is copied from where the link leads, once`, () =>
      inScratch(async (folder) => {
        mkdirSync(join(folder, "build", "v1"), { recursive: true })
        writeFileSync(join(folder, "build", "v1", "data.txt"), "one")
        const current = join(folder, "current")
        symlinkSync(kind === "relative" ? "build/v1" : join(folder, "build", "v1"), current)
        const before = await digestOf(current)
        assert.strictEqual(before, await digestOf(join(folder, "build", "v1")))
        const release = join(folder, "releases", "one")
        await bring(current, release)
        assert.isTrue(lstatSync(release).isDirectory())
        writeFileSync(join(folder, "build", "v1", "data.txt"), "one, rebuilt")
        assert.notStrictEqual(await digestOf(current), before)
        assert.strictEqual(readFileSync(join(release, "data.txt"), "utf8"), "one")
        assert.strictEqual(await digestOf(release), before)
        rmSync(join(folder, "build"), { recursive: true })
        assert.strictEqual(readFileSync(join(release, "data.txt"), "utf8"), "one")
      })
    )
  }

  it.live("keeps inner links, and rejects links that leave it, with the path", () =>
    inScratch(async (folder) => {
      const app = join(folder, "app")
      mkdirSync(join(app, "lib"), { recursive: true })
      writeFileSync(join(app, "lib", "tool.js"), "tool")
      symlinkSync("lib/tool.js", join(app, "tool"))
      symlinkSync("not/there/yet", join(app, "later"))
      await bring(app, join(folder, "releases", "one"))
      assert.strictEqual(readlinkSync(join(folder, "releases", "one", "tool")), "lib/tool.js")
      assert.strictEqual(readlinkSync(join(folder, "releases", "one", "later")), "not/there/yet")
      for (const target of ["/etc/passwd", join(app, "lib"), "../elsewhere", "lib/../../elsewhere"]) {
        symlinkSync(target, join(app, "bad"))
        const reason = await refusal(digestOf(app))
        assert(reason._tag === "Invalid")
        assert.include(reason.message, "bad is a link that leaves it, to ")
        assert.include(reason.hint!, "relative link")
        rmSync(join(app, "bad"))
      }
    })
  )

  it.live("is copied byte by byte: names that are not UTF-8, modes, times and large files too", () =>
    inScratch(async (folder) => {
      const app = join(folder, "app")
      mkdirSync(app)
      const latin1 = Buffer.from("caf\xe9.txt", "latin1")
      const inApp = (name: Buffer) => Buffer.concat([Buffer.from(`${app}/`), name])
      writeFileSync(inApp(latin1), "latin1")
      writeFileSync(join(app, "café.txt"), "utf8")
      symlinkSync(latin1, inApp(Buffer.from("l\xefnk", "latin1")))
      writeFileSync(join(app, "run.sh"), "#!/bin/sh\n")
      chmodSync(join(app, "run.sh"), 0o775)
      const large = Buffer.alloc(3_000_000, "large")
      writeFileSync(join(app, "large"), large)
      for (const name of ["run.sh", "large"]) utimesSync(join(app, name), 1_600_000_000, 1_600_000_000)
      const release = join(folder, "releases", "one")
      await bring(app, release)
      assert.deepStrictEqual(readdirSync(release, "latin1").sort(), readdirSync(app, "latin1").sort())
      assert.strictEqual(readFileSync(Buffer.concat([Buffer.from(`${release}/`), latin1]), "utf8"), "latin1")
      assert.deepStrictEqual(
        readlinkSync(Buffer.concat([Buffer.from(`${release}/`), Buffer.from("l\xefnk", "latin1")]), "buffer"),
        latin1
      )
      assert.strictEqual(lstatSync(join(release, "run.sh")).mode & 0o777, 0o775)
      assert.strictEqual(lstatSync(join(release, "run.sh")).mtimeMs, 1_600_000_000_000)
      assert.strictEqual(lstatSync(join(release, "large")).mtimeMs, 1_600_000_000_000)
      assert.isTrue(readFileSync(join(release, "large")).equals(large))
    })
  )

  it.live("has another digest where a name, a mode, a content or a link differs", () =>
    inScratch(async (folder) => {
      const app = join(folder, "app")
      mkdirSync(app)
      writeFileSync(join(app, "a"), "one")
      const seen = [await digestOf(app)]
      const changes: ReadonlyArray<() => void> = [
        () => writeFileSync(join(app, "a"), "two"),
        () => {
          // The same size and the same time of modification.
          const { atime, mtime } = lstatSync(join(app, "a"))
          writeFileSync(join(app, "a"), "six")
          utimesSync(join(app, "a"), atime, mtime)
        },
        () => chmodSync(join(app, "a"), 0o755),
        () => symlinkSync("a", join(app, "b")),
        () => mkdirSync(join(app, "c")),
        () => writeFileSync(Buffer.concat([Buffer.from(`${app}/`), Buffer.from([0xff])]), "")
      ]
      for (const change of changes) {
        change()
        seen.push(await digestOf(app))
      }
      assert.strictEqual(new Set(seen).size, seen.length)
    })
  )

  it.live("is rejected by name if something in it is not a file, or if it does not exist", () =>
    inScratch(async (folder) => {
      const app = join(folder, "app")
      mkdirSync(app)
      execFileSync("mkfifo", [join(app, "pi\u0007pe")])
      const reason = await refusal(digestOf(app))
      assert(reason._tag === "Invalid")
      assert.include(reason.message, String.raw`pi\x07pe is neither a file nor a folder nor a link`)
      assert.include(reason.hint!, `${app} was given with the deployment (--artifact)`)
      const missing = await refusal(digestOf(join(folder, "other")))
      assert.strictEqual(missing._tag, "Missing")
    })
  )

  it.live("that changes while it is deployed is refused at once, and leaves nothing behind", () =>
    inScratch(async (folder) => {
      const app = join(folder, "app")
      mkdirSync(app)
      writeFileSync(join(app, "a"), "one")
      const planned = await digestOf(app)
      writeFileSync(join(app, "a"), "two")
      const reason = await refusal(bring(app, join(folder, "releases", "one"), planned))
      assert.strictEqual(reason._tag, "Invalid")
      assert.include(reason.message, "has changed since the deployment was planned")
      assert.deepStrictEqual(readdirSync(join(folder, "releases")), [])
    })
  )

  it.live("reports at once that it is being copied, and stops if the deployment is stopped", () =>
    inScratch(async (folder) => {
      const app = join(folder, "app")
      mkdirSync(app)
      for (let file = 0; file < 1_500; file++) writeFileSync(join(app, `file-${file}`), String(file))
      const planned = await digestOf(app)
      const stop = new AbortController()
      const messages: Array<string> = []
      const stopped = await unpack(
        sourceOf(app),
        planned,
        join(folder, "releases", "one"),
        stop.signal,
        async (message) => {
          messages.push(message)
          setImmediate(() => stop.abort())
        }
      ).then(
        () => "copied",
        (error: Error) => error.name
      )
      assert.strictEqual(messages[0], `copying ${app}`)
      assert.strictEqual(stopped, "AbortError")
      assert.deepStrictEqual(readdirSync(join(folder, "releases")), [])
    })
  )
})
