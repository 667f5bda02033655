import { execFile, execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { promisify } from "node:util"
import { assert, describe, it, onTestFinished } from "vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { LeaseStore } from "@signalbox/core/spi"
import { embeddedStore, makeStateFolder } from "../src/index.ts"
import { temporaryDirectory } from "./support/directory.ts"

const git = (folder: string, ...args: ReadonlyArray<string>) =>
  execFileSync("git", args, { cwd: folder, encoding: "utf8", env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" } })

describe("makeStateFolder", () => {
  it("keeps the state out of commits", async () => {
    const folder = temporaryDirectory(onTestFinished)
    git(folder, "init", "-q")
    // The store is made by its first write.
    await Effect.runPromise(
      Effect.flatMap(LeaseStore, (leases) =>
        leases.acquire({ key: "k", holder: "h", owner: "o", ttl: Duration.seconds(1) })
      ).pipe(Effect.provide(embeddedStore({ directory: `${folder}/.signalbox` })))
    )
    assert.isAbove(Fs.readdirSync(Path.join(folder, ".signalbox")).length, 1)
    assert.strictEqual(git(folder, "status", "--porcelain"), "")
  })

  it("leaves an existing folder as it is", () => {
    const folder = temporaryDirectory(onTestFinished)
    const state = Path.join(folder, ".signalbox")
    Fs.mkdirSync(state)
    makeStateFolder(state)
    assert.deepEqual(Fs.readdirSync(state), [])
    Fs.writeFileSync(Path.join(state, ".gitignore"), "*.db\n")
    makeStateFolder(state)
    assert.strictEqual(Fs.readFileSync(Path.join(state, ".gitignore"), "utf8"), "*.db\n")
  })

  it("is made once by many processes, and never without its .gitignore", async () => {
    const folder = temporaryDirectory(onTestFinished)
    const state = Path.join(folder, "deep", ".signalbox")
    const source = new URL("../src/makeStateFolder.ts", import.meta.url).href
    const script = `import { makeStateFolder } from ${JSON.stringify(source)}
        import { readFileSync } from "node:fs"
        makeStateFolder(${JSON.stringify(state)})
        console.log(readFileSync(${JSON.stringify(Path.join(state, ".gitignore"))}, "utf8"))`
    const run = () => promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script])
    const said = await Promise.all(Array.from({ length: 6 }, run))
    assert.deepEqual(new Set(said.map(({ stdout }) => stdout.trim())), new Set(["*"]))
    assert.deepEqual(Fs.readdirSync(Path.dirname(state)), [".signalbox"])
  })
})
