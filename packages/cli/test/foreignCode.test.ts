/**
 * A configuration in TypeScript is code of the project. Its output does not reach standard output, and if it ends the
 * program, the program does not end successfully.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { build, type Binary } from "./binary.ts"
import { temporary } from "./support.ts"

let binary: Binary
let root: string
beforeAll(() => {
  binary = build()
  root = temporary("foreign")
})
afterAll(() => {
  Fs.rmSync(root, { recursive: true, force: true })
})

const printing = `
import * as Fs from "node:fs"
import { fork, spawnSync, execSync, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { Worker } from "node:worker_threads"
import "./dependency.cjs"
console.log("said console.log")
console.table([{ said: "table" }])
process.stdout.write("said process.stdout\\n")
Fs.writeSync(1, "said writeSync\\n")
Fs.writeFileSync(1, "said writeFileSync\\n")
spawnSync("echo", ["said spawnSync"], { stdio: "inherit" })
execSync("echo said execSync", { stdio: [0, 1, 2] })
execFileSync("echo", ["said execFileSync"], { stdio: ["ignore", process.stdout, "inherit"] })
await once(spawn("echo", ["said spawn"], { stdio: "inherit" }), "close")
await once(fork("./child.mjs"), "close")
await once(new Worker("console.log('said worker')", { eval: true }), "exit")
setTimeout(() => console.log("said later"), 1).unref()
const heard = execSync("echo heard").toString().trim()
export default {
  organization: "acme",
  project: heard,
  environments: { production: {} },
  stacks: [{ name: "web", provider: "local", properties: { command: ["node", "a.mjs"] } }]
}
`
const said = [
  "dependency",
  "console.log",
  "table",
  "process.stdout",
  "writeSync",
  "writeFileSync",
  "spawnSync",
  "execSync",
  "execFileSync",
  "spawn",
  "fork",
  "worker"
]

let count = 0
const project = (config: string): string => {
  const folder = Path.join(root, String(count++))
  Fs.mkdirSync(folder)
  Fs.writeFileSync(Path.join(folder, "signalbox.config.ts"), config)
  Fs.writeFileSync(Path.join(folder, "dependency.cjs"), `console.log("said dependency")`)
  Fs.writeFileSync(Path.join(folder, "child.mjs"), `console.log("said fork")`)
  return folder
}

describe("what a configuration in TypeScript prints", () => {
  it("goes to standard error, however it is printed", async () => {
    const folder = project(printing)
    const ran = await binary.run(folder, ["init", "--json"])
    assert.strictEqual(ran.code, 0, ran.stderr)
    assert.strictEqual(JSON.parse(ran.stdout).project, "heard")
    for (const word of said) assert.include(ran.stderr, word)
    for (const line of ["can-deploy --json", "deploy --dry-run --json --version v1", "health --json"]) {
      const { stderr, stdout } = await binary.run(folder, line.split(" "))
      // After a failure, standard output is empty.
      if (stdout !== "") JSON.parse(stdout)
      assert.include(stderr, "said fork", line)
    }
  })

  it("leaves one line to $(signalbox register)", async () => {
    const folder = project(printing)
    await binary.run(folder, ["init"])
    const { stdout } = await binary.run(folder, ["register", "--version", "v1"])
    assert.match(stdout, /^[^\s]+\n$/)
  })
})

describe("a configuration in TypeScript that", () => {
  it.each([
    ["ends the program", "process.exit(0)\nexport default {}", "process.exit"],
    ["ends it out of what it imports", `import "./exits.cjs"\nexport default {}`, "process.exit"],
    ["never finishes loading", "await new Promise(() => undefined)\nexport default {}", "never finishes loading"]
  ])("%s is refused", async (_, text, message) => {
    const folder = project(text)
    Fs.writeFileSync(Path.join(folder, "exits.cjs"), "process.exit(0)")
    const ran = await binary.run(folder, ["can-deploy", "--json"])
    assert.deepEqual([ran.code, ran.stdout], [64, ""], ran.stderr)
    const { error } = JSON.parse(ran.stderr)
    assert.include(error.message, message)
    assert.isNotEmpty(error.hint)
  })

  it("ends the program later does not end it with success", async () => {
    const ran = await binary.run(
      project(
        `setImmediate(() => process.exit(0))\nawait new Promise((done) => setTimeout(done, 60_000))\nexport default {}`
      ),
      ["can-deploy"]
    )
    assert.notStrictEqual(ran.code, 0)
    assert.strictEqual(ran.stdout, "")
  })
})
