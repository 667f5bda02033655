/**
 * Bad input changes nothing: hundreds of broken configurations and command lines, 1,000 each at night. Each is run through
 * the same `main` as the program, in this process, because so many processes would take minutes; a sample of each goes
 * through the real binary too.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as FastCheck from "fast-check"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import * as Completions from "effect/cli/Completions"
import { LocalProvider } from "@signalbox/provider-local"
import { commands } from "../src/commands/index.ts"
import { build, type Binary } from "./binary.ts"
import { brokenConfig, brokenLine, environment, goodConfig, secret } from "./broken.ts"
import { closedBackend, listing, type Ran, runWith, temporary } from "./support.ts"

const seed = 20261121
const count = Number(process.env["SIGNALBOX_BROKEN_INPUTS"] ?? 300)
const sample = 10
const everyNth = Math.floor(count / sample)
const backend = closedBackend(new Map([["local", LocalProvider.make({ directory: "." })]]))
const id = "DX6604E"

const assertRefused = (ran: Ran, about: string, json: boolean): void => {
  assert.strictEqual(ran.code, 64, `${about}\n${ran.stderr}`)
  assert.strictEqual(ran.stdout, "", about)
  assert.notMatch(ran.stderr, /^\s+at .*(:\d+:\d+|<anonymous>)/m, `${about}: a stack trace`)
  assert.notInclude(ran.stderr, secret, `${about}: a value that could be a secret`)
  if (!json) {
    assert.match(ran.stderr, /^error: ./, about)
    assert.match(ran.stderr, /^hint: {2}./m, about)
    return
  }
  const { error } = JSON.parse(ran.stderr)
  assert.isNotEmpty(error.code, about)
  assert.isNotEmpty(error.message, about)
  assert.isNotEmpty(error.hint, about)
}

let cwd: string
let binary: Binary
beforeAll(() => {
  cwd = temporary("usage")
  binary = build()
})
afterAll(() => {
  Fs.rmSync(cwd, { recursive: true, force: true })
})

const file = () => Path.join(cwd, "signalbox.config.json")
const deploying = ["deploy", id, "-e", environment, "--version", "v1"]

describe("run without --", () => {
  const hintOf = async (command: string, ...words: ReadonlyArray<string>) => {
    const ran = await runWith(backend, cwd, [command, "--json", ...words])
    assert.strictEqual(ran.code, 64, ran.stderr)
    return JSON.parse(ran.stderr).error.hint as string
  }

  it.each([
    ["run make deploy --all", "signalbox run --json -- make deploy --all"],
    ["run -e production make deploy -k", "signalbox run --json -e production -- make deploy -k"],
    ["run --degraded make --all=yes", "signalbox run --json --degraded -- make --all=yes"]
  ])("%s: says where the command's own flags go", async (line, meant) => {
    assert.strictEqual(
      await hintOf("run", ...line.split(" ").slice(1)),
      `What follows the command goes after --: ${meant}`
    )
  })

  it("suggests the intended flag if it is the command's own", async () => {
    assert.include(await hintOf("run", "--verison", "v2", "make"), "--version")
    assert.notInclude(await hintOf("deploy", "--all"), " -- ")
  })
})

describe("a flag without its value", () => {
  const leaves = (level: Completions.CommandDescriptor, path: ReadonlyArray<string>): ReadonlyArray<Leaf> =>
    level.subcommands.length === 0
      ? [{ path, flags: level.flags }]
      : level.subcommands.flatMap((next) => leaves(next, [...path, next.name]))
  interface Leaf {
    readonly path: ReadonlyArray<string>
    readonly flags: Completions.CommandDescriptor["flags"]
  }
  const lines = leaves(Completions.fromCommand(commands), [])
    .flatMap(({ flags, path }) =>
      flags
        .filter(({ type }) => type._tag !== "Boolean")
        .flatMap(({ aliases, name }) => [`--${name}`, ...aliases.map((alias) => `-${alias}`)])
        .map((flag) => [...path, flag])
    )
    // Each flag before one of these: all of them in turn.
    .map((line, index) => [...line, ["-v", "-h", "--help", "--version", "--json", "-hv"][index % 6]!])

  it(`is refused before any other flag: ${lines.length} command lines`, async () => {
    for (const line of lines) {
      const ran = await runWith(backend, cwd, line)
      assert.deepEqual([line.join(" "), ran.code, ran.stdout], [line.join(" "), 64, ""])
      assert.match(ran.stderr, /Missing value for flag|missing_option|invalid_value|Missing required/, line.join(" "))
    }
  })

  it.each([
    [["-e", "-v"]],
    [["-e", "-h", "status"]],
    [["-hev"]],
    [["deploy", "--version", "--", "-v"]],
    [["rollback", "--version", "v1"]],
    [["rollback", "--version=v1"]],
    [["status", "-v"]],
    [["deploy", "--reason", "-v", "--version", "v1"]]
  ])("%j is refused too", async (line) => {
    const ran = await runWith(backend, cwd, line)
    assert.deepEqual([ran.code, ran.stdout], [64, ""])
  })

  it("suggests what may be meant", async () => {
    assert.include(
      (await runWith(backend, cwd, ["deploy", "--version", "-v"])).stderr,
      "Is a variable empty there? A value that begins with - is written --version=<value>."
    )
  })

  it.each([[["deploy", "--help"]], [["deploy", "--version", "v1", "-h"]], [["--json", "-v"]], [["-e", "a", "-v"]]])(
    "%j still prints the requested output",
    async (line) => {
      const ran = await runWith(backend, cwd, line)
      assert.strictEqual(ran.code, 0)
      assert.isNotEmpty(ran.stdout)
    }
  )
})

describe("a text that does not fit into a line", () => {
  const texts = ["a\nb", "a\u001b[2Jb", "a\u202eb", "a\u2028b"]
  const lines = texts.flatMap((text) => [
    ["deploy", id, "--version", text],
    ["deploy", id, "--version", "v1", "--reason", text],
    ["deploy", id, "--version", "v1", "--by", text],
    ["deploy", id, "--version", "v1", "--override", text],
    ["deploy", id, "--version", "v1", "--artifact", text],
    ["deploy", id, "--version", "v1", "--commit", text],
    ["deploy", id, "--version", "v1", "--workflow-run", text],
    ["deploy", id, "--version", "v1", "--correlation-id", text],
    ["can-deploy", "--version", text],
    ["register", "--version", text],
    ["run", "--version", text, "--", "true"],
    ["lock", "hold", "--reason", text],
    ["veto", text, "--reason", "bad"],
    ["veto", "v1", "--reason", text],
    ["abort", "run-1", "--reason", text],
    ["deploy", text],
    ["status", "-e", text]
  ])

  it(`is refused, and shown without harm: ${lines.length} command lines`, async () => {
    for (const line of lines) {
      for (const json of [[], ["--json"]]) {
        const ran = await runWith(backend, cwd, [...json, ...line])
        assertRefused(ran, JSON.stringify(line), json.length > 0)
        assert.notMatch(ran.stderr, /[\u0000-\u0009\u000b-\u001f\u202e\u2028]/)
        if (json.length > 0) continue
        assert.strictEqual(ran.stderr.split("\n").length, 3, ran.stderr)
        assert.match(ran.stderr, /a(\\n|\\x1b\[2J|\\u202e|\\u2028)b/)
      }
    }
  })
})

describe("broken configurations", () => {
  it("a good one passes the check", async () => {
    Fs.writeFileSync(file(), JSON.stringify(goodConfig()))
    const ran = await runWith(backend, cwd, [...deploying, "--json"], { env: { SIGNALBOX_DATABASE_URL: "" } })
    assert.strictEqual(JSON.parse(ran.stderr).error.code, "no_state")
  })

  const texts = [...new Set(FastCheck.sample(brokenConfig, { seed, numRuns: 2 * count }))].slice(0, count)

  it(`${texts.length} of them exit 64 with a path and a hint, and nothing is written`, async () => {
    assert.strictEqual(texts.length, count)
    for (const [index, text] of texts.entries()) {
      Fs.writeFileSync(file(), text)
      const before = listing(cwd)
      const json = index % 2 === 0
      const ran = await runWith(backend, cwd, json ? [...deploying, "--json"] : deploying)
      assertRefused(ran, text, json)
      if (json) {
        const { error } = JSON.parse(ran.stderr)
        assert.include(["configuration_invalid", "config_syntax", "config_empty"], error.code, text)
        assert.isDefined(error.path, text)
        // Only a configuration that is no object at all has nothing to point at within it.
        if (error.code === "configuration_invalid" && text.startsWith("{")) assert.isNotEmpty(error.path, text)
      }
      assert.deepEqual(listing(cwd), before, text)
    }
  })

  it(`${sample} of them through the real binary`, async () => {
    for (const text of texts.filter((_, index) => index % everyNth === 0)) {
      Fs.writeFileSync(file(), text)
      const before = listing(cwd)
      assertRefused(await binary.run(cwd, [...deploying, "--json"]), text, true)
      assert.deepEqual(listing(cwd), before, text)
    }
  })
})

describe("broken command lines", () => {
  const lines = [
    ...new Set(FastCheck.sample(brokenLine, { seed, numRuns: 6 * count }).map((line) => JSON.stringify(line)))
  ]
    .slice(0, count)
    .map((line) => JSON.parse(line) as ReadonlyArray<string>)

  it(`${lines.length} of them exit 64 with a hint, and nothing is written`, async () => {
    assert.strictEqual(lines.length, count)
    Fs.writeFileSync(file(), JSON.stringify(goodConfig()))
    const before = listing(cwd)
    for (const [index, line] of lines.entries()) {
      const json = index % 2 === 0
      // First, so that it is not taken for the value of a flag that lacks one.
      assertRefused(await runWith(backend, cwd, json ? ["--json", ...line] : line), line.join(" "), json)
    }
    assert.deepEqual(listing(cwd), before)
  })

  it(`${sample} of them through the real binary`, async () => {
    const before = listing(cwd)
    for (const line of lines.filter((_, index) => index % everyNth === 0)) {
      assertRefused(await binary.run(cwd, line), line.join(" "), false)
    }
    assert.deepEqual(listing(cwd), before)
  })

  it.each([
    [["deplyo"], "Did you mean deploy?"],
    [["status", "--enviroment", "x"], "Did you mean --environment?"],
    [["deploy", "--strategy", "canry"], "See: signalbox deploy --help"]
  ])("%j says %s", async (line, hint) => {
    assert.include((await runWith(backend, cwd, line)).stderr, hint)
  })
})
