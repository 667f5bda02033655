/**
 * The pages about the command line match it: flags and exit codes are the program's, examples are valid command lines,
 * and the commands of the first steps are executed.
 */
import { spawn, type SpawnOptionsWithoutStdio } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { examples } from "../../../scripts/cliExamples.ts"
import { groupsOf, helpOf, insert, reference } from "../../../scripts/reference.ts"
import { type Binary, build } from "./binary.ts"
import { cleanEnvironment } from "./bundle.ts"
import { ExitCode } from "../src/main/ExitCode.ts"
import { closedBackend, runWith, temporary } from "./support.ts"

const page = (name: string) => Fs.readFileSync(fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url)), "utf8")
/** The codes of errors for a command line that was not understood. */
const misread = [
  "usage",
  "flags_conflict",
  "invalid_value",
  "missing_argument",
  "missing_option",
  "unexpected_argument",
  "unknown_subcommand",
  "unrecognized_option"
]
const codes: ReadonlyArray<number> = Object.values(ExitCode)

let binary: Binary
let folder: string
beforeAll(() => {
  binary = build()
  folder = temporary("docs")
})
afterAll(() => {
  Fs.rmSync(folder, { recursive: true, force: true })
})

describe("docs/cli.md", () => {
  it("has the commands and flags of the program (node_modules/.bin/node scripts/reference.ts writes them again)", () => {
    assert.strictEqual(page("cli.md"), insert(page("cli.md"), reference(binary.path)))
  })

  it("has every exit code, and no other", () => {
    const table = [...page("cli.md").matchAll(/^\| (\d+) +\|/gm)].map(([, code]) => Number(code))
    assert.sameMembers(table, [...codes])
    for (const [name, { exits }] of Object.entries(examples)) assert.includeMembers([...codes], [...exits], name)
  })

  it("names the environment variables that the program reads or sets, and no other", () => {
    const within = (directory: string, pattern: RegExp): ReadonlyArray<string> =>
      Fs.readdirSync(fileURLToPath(new URL(directory, import.meta.url)), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
        .flatMap((entry) => [...Fs.readFileSync(Path.join(entry.parentPath, entry.name), "utf8").matchAll(pattern)])
        .map(([, name = ""]) => name)
    const read = ["../src", "../../node/src/config"].flatMap((folder) => within(folder, /\benv\.(SIGNALBOX_[A-Z_]+)/g))
    const set = within("../../node/src/command", /\b(SIGNALBOX_[A-Z_]+)[":]/g)
    const named = [...page("cli.md").matchAll(/`(SIGNALBOX_[A-Z_]+)`/g)].map(([, name]) => name)
    assert.sameMembers([...new Set(named)], [...new Set([...read, ...set])])
  })

  it("has examples that the program understands", async () => {
    const names = groupsOf(helpOf(binary.path)).flatMap(({ commands }) => commands.map(({ name }) => name))
    for (const name of names) {
      for (const line of examples[name]?.lines ?? []) {
        const [, command = ""] = /signalbox ([^#)]*)/.exec(line) ?? []
        const argv = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain = ""]) => quoted ?? plain)
        const cwd = Fs.mkdtempSync(Path.join(folder, "line-"))
        const end = argv.indexOf("--")
        const asked = argv.includes("--json") ? argv : argv.toSpliced(end === -1 ? argv.length : end, 0, "--json")
        const ran = await runWith(closedBackend(new Map()), cwd, asked)
        assert.strictEqual(argv[0], name)
        // Without a configuration or a store it gets as far as to miss them.
        if (ran.code !== 0) assert.notInclude(misread, JSON.parse(ran.stderr).error.code, line)
      }
    }
  })
})

const inShell = (script: string, options: SpawnOptionsWithoutStdio) =>
  new Promise<{ readonly code: number | null; readonly said: string }>((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", script], options)
    let said = ""
    child.stdout.on("data", (data) => (said += String(data)))
    child.stderr.on("data", (data) => (said += String(data)))
    child.on("error", reject)
    // Its output is done when it ends: processes that it leaves running may hold the streams.
    child.on("exit", (code) => setImmediate(() => resolve({ code, said })))
  })

/** Types the commands of a page, line after line, as a person would; `# exits with 2` is the expected exit code. */
const type = async (name: string): Promise<number> => {
  const home = Fs.mkdtempSync(Path.join(folder, "home-"))
  const bin = Path.join(home, "bin")
  const shims = {
    signalbox: `exec "${process.execPath}" "${binary.path}" "$@"`,
    // That it installs is what `npm run pack-test` shows; here the bundle of this tree is the command.
    npm: `[ "$*" = "install --global @signalbox/cli" ]`
  }
  Fs.mkdirSync(bin)
  for (const [shim, text] of Object.entries(shims)) {
    Fs.writeFileSync(Path.join(bin, shim), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  }
  const env = {
    ...cleanEnvironment(),
    HOME: home,
    PATH: [bin, Path.dirname(process.execPath), process.env["PATH"]].join(Path.delimiter)
  }
  const fences = [...page(name).matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, lines = ""]) => lines)
  const lines = fences.flatMap((fence) => fence.trim().split("\n"))
  let cwd = Path.join(home, "work")
  Fs.mkdirSync(cwd)
  const where = Path.join(home, "where")
  for (const line of lines) {
    const wanted = Number(/# exits with (\d+)$/.exec(line)?.[1] ?? 0)
    const { code, said } = await inShell(`${line}\ncode=$?; pwd > "${where}"; exit $code`, { cwd, env })
    assert.strictEqual(code, wanted, `${line}\n${said}`)
    cwd = Fs.readFileSync(where, "utf8").trim()
  }
  return lines.length
}

describe.concurrent.each([
  { name: "getting-started.md", atLeast: 8 },
  { name: "coordination.md", atLeast: 20 },
  { name: "troubleshooting.md", atLeast: 20 }
])("docs/$name", ({ atLeast, name }) => {
  it("says what to type, and it works", async () => {
    assert.isAtLeast(await type(name), atLeast)
  })
})
