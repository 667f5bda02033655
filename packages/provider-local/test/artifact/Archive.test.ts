import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import * as Effect from "effect/Effect"
import { digest } from "../../src/Artifact.ts"
import { archive, bring, digestOf, type Entry, refusal, scratch, sha256, sourceOf, tarOf } from "./support.ts"

const inScratch = (test: (folder: string) => Promise<void>) =>
  Effect.scoped(Effect.flatMap(scratch, (folder) => Effect.promise(() => test(folder))))

const server: Entry = { path: "server.mjs", content: "server" }

describe("an archive as artifact", () => {
  it.live("is refused while planning, and while unpacking, where anything in it lies or leads outside", () =>
    inScratch(async (folder) => {
      const cases: Readonly<Record<string, ReadonlyArray<Entry>>> = {
        "parent path": [{ path: "../evil.txt", content: "x" }],
        "hidden parent path": [{ path: "a/../../evil.txt", content: "x" }],
        "absolute path": [{ path: "/tmp/signalbox-evil.txt", content: "x" }],
        "link outside": [{ path: "link", type: "SymbolicLink", linkpath: "../../.." }],
        "absolute link": [{ path: "link", type: "SymbolicLink", linkpath: "/etc/passwd" }],
        "hard link outside": [{ path: "link", type: "Link", linkpath: "../../../state.json" }],
        "link through a link": [
          { path: "link", type: "SymbolicLink", linkpath: "." },
          { path: "inner", type: "SymbolicLink", linkpath: "link/.." }
        ],
        "link through a link to nothing": [
          { path: "link", type: "SymbolicLink", linkpath: "." },
          { path: "inner", type: "SymbolicLink", linkpath: "link/../later" }
        ],
        "write through a link": [
          { path: "a", type: "Directory" },
          { path: "link", type: "SymbolicLink", linkpath: "a" },
          { path: "link/file", content: "x" }
        ],
        device: [{ path: "pipe", type: "FIFO" }]
      }
      for (const [name, entries] of Object.entries(cases)) {
        const file = join(folder, `${name.replaceAll(" ", "-")}.tgz`)
        archive(file, [server, ...entries])
        const planned = await refusal(digestOf(file))
        assert(planned._tag === "Invalid", name)
        assert.deepStrictEqual(planned.path, ["artifact"])
        const staged = await refusal(bring(file, join(folder, "releases", "one"), `sha256:${sha256(file)}`))
        assert.strictEqual(staged._tag, "Invalid", name)
        assert.deepStrictEqual(readdirSync(join(folder, "releases")), [])
      }
      assert.isFalse(existsSync("/tmp/signalbox-evil.txt"))
    })
  )

  it.live("is rejected while planning if it is broken, with its kind and where it was given", () =>
    inScratch(async (folder) => {
      const whole = gzipSync(tarOf([server, { path: "data", content: "data".repeat(10_000) }]))
      const cases: Readonly<Record<string, readonly [bytes: Buffer, says: RegExp]>> = {
        "cut.tgz": [whole.subarray(0, whole.length - 20), /unexpected end of file|truncated/i],
        "end.tgz": [gzipSync(tarOf([server]).subarray(0, 700)), /truncated/i],
        "noise.tgz": [gzipSync(Buffer.alloc(4096, "noise")), /not an archive|unrecognized|checksum|invalid/i],
        "page.tar.gz": [
          Buffer.from("<html>log in\u001b[2J</html>"),
          /no gzip archive: it begins with "<html>log in\\\\x1b/
        ],
        "plain.tgz": [tarOf([server]), /no gzip archive: it is a tar archive without compression/],
        "empty.tgz": [Buffer.alloc(0), /no gzip archive: it is empty/],
        "plain.tar": [tarOf([server]), /neither a folder nor a \.tar\.gz or \.tgz archive/],
        "notes.txt": [Buffer.from("notes"), /neither a folder nor a \.tar\.gz or \.tgz archive/]
      }
      for (const [name, [bytes, says]] of Object.entries(cases)) {
        const file = join(folder, name)
        writeFileSync(file, bytes)
        for (const [from, where] of [
          ["deployment", "was given with the deployment (--artifact)"],
          ["properties", `is "artifact" in the properties of the stack`]
        ] as const) {
          const reason = await refusal(digest(sourceOf(file, from), new AbortController().signal))
          assert(reason._tag === "Invalid", name)
          assert.match(reason.message, says)
          assert.include(reason.message, file)
          assert.include(reason.hint!, `${file} ${where}`)
        }
      }
    })
  )

  it.live("is reported as a different one before it is reported as broken", () =>
    inScratch(async (folder) => {
      const file = join(folder, "app.tgz")
      archive(file, [server, { path: "../evil.txt" }])
      const reason = await refusal(digestOf(`${file}#sha256=${"0".repeat(64)}`))
      assert.include(reason.message, `its digest is sha256:${sha256(file)}, not sha256:000`)
    })
  )

  it.live("is unpacked as it is, also where a link without that ending leads to it", () =>
    inScratch(async (folder) => {
      const file = join(folder, "app.tgz")
      archive(file, [server, { path: "lib/a", content: "a" }, { path: "b", type: "SymbolicLink", linkpath: "lib/a" }])
      symlinkSync(file, join(folder, "current"))
      await bring(join(folder, "current"), join(folder, "releases", "one"))
      assert.strictEqual(readFileSync(join(folder, "releases", "one", "b"), "utf8"), "a")
      assert.strictEqual(await digestOf(file), `sha256:${sha256(file)}`)
    })
  )

  it.live("of the system's tar is taken, of many files and with long names", () =>
    inScratch(async (folder) => {
      const app = join(folder, "app")
      const deep = join(app, "a".repeat(90), "b".repeat(90))
      mkdirSync(deep, { recursive: true })
      for (let file = 0; file < 500; file++) writeFileSync(join(deep, `file-${file}`), "x".repeat(file * 10))
      execFileSync("tar", ["-C", app, "-czf", join(folder, "app.tgz"), "."])
      await bring(join(folder, "app.tgz"), join(folder, "releases", "one"))
      assert.strictEqual(await digestOf(join(folder, "releases", "one")), await digestOf(app))
    })
  )
})
