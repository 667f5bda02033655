/**
 * What only the real program shows: its streams, signals and exit codes.
 */
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Binary, build } from "./binary.ts"
import { listing, temporary } from "./support.ts"

let binary: Binary
let cwd: string
beforeAll(() => {
  binary = build()
  cwd = temporary("program")
})
afterAll(() => {
  Fs.rmSync(cwd, { recursive: true, force: true })
})

describe("signalbox", () => {
  it.each([["--version"], ["-v"]])("%s prints the version alone", async (flag) => {
    const { version } = JSON.parse(Fs.readFileSync(new URL("../package.json", import.meta.url), "utf8"))
    assert.deepEqual(await binary.run(cwd, [flag]), { code: 0, stdout: `${version}\n`, stderr: "" })
  })

  it("bare and with --help it helps on stdout and exits 0", async () => {
    for (const args of [[], ["--help"], ["deploy", "--help"], ["deploy", "DX6604E", "--version", "1", "-h"]]) {
      const ran = await binary.run(cwd, args)
      assert.deepEqual([ran.code, ran.stderr], [0, ""], args.join(" "))
      assert.isNotEmpty(ran.stdout)
      assert.notInclude(ran.stdout, "\u001b")
      assert.notInclude(ran.stdout, "__")
    }
    assert.include((await binary.run(cwd, ["deploy", "--help"])).stdout, "--dry-run")
  })

  it("colours help only on request", async () => {
    assert.include((await binary.run(cwd, ["--help"], { env: { FORCE_COLOR: "1" } })).stdout, "\u001b[")
    assert.notInclude(
      (await binary.run(cwd, ["--help"], { env: { FORCE_COLOR: "1", NO_COLOR: "1" } })).stdout,
      "\u001b["
    )
    assert.notInclude(
      (await binary.run(cwd, ["--help", "--no-color"], { env: { FORCE_COLOR: "1" } })).stdout,
      "\u001b["
    )
  })

  it("comes with the licences of all that is bundled into it, prebundled dependencies too", () => {
    const name = "THIRD-PARTY-LICENSES.txt"
    const text = Fs.readFileSync(Path.join(Path.dirname(binary.path), name), "utf8")
    const named = [...text.matchAll(/^-{80}\n\n(\S+) \S+ \((\S+)\)\n\n(.{3,})$/gm)].map(([, one]) => one)
    assert.includeMembers(named, ["effect", "@effect/sql-pg", "minipass", "tar", "yaml"])
    assert.notInclude(text, "@signalbox/")
    assert.include(text, "Permission is hereby granted, free of charge")
    const { files } = JSON.parse(Fs.readFileSync(new URL("../package.json", import.meta.url), "utf8"))
    assert.include(files, `dist/${name}`)
  })

  it("reading makes nothing", async () => {
    const before = listing(cwd)
    for (const args of [
      ["list"],
      ["active"],
      ["status", "DX6604E"],
      ["history"],
      ["metrics"],
      ["events", "x"],
      ["abort", "x"]
    ]) {
      const ran = await binary.run(cwd, [...args, "--json"])
      assert.include([0, 4], ran.code, args.join(" "))
    }
    assert.deepEqual(listing(cwd), before)
  })

  it("a reader that goes away is no error", async () => {
    const output = execFileSync("/bin/sh", ["-c", `"$0" "$1" --help | head -n 1`, process.execPath, binary.path], {
      cwd,
      encoding: "utf8"
    })
    assert.isNotEmpty(output)
  })

  it("reports mistakes of a configuration with file, line and column, without a stack trace", async () => {
    const folder = temporary("syntax")
    Fs.writeFileSync(Path.join(folder, "signalbox.config.ts"), "const a: number = 1\n\nthrow new Error('hunter2')\n")
    const thrown = await binary.run(folder, ["init"])
    assert.strictEqual(thrown.code, 64)
    assert.match(
      thrown.stderr,
      /^error: .*signalbox\.config\.ts:3:7: threw a\w* Error while it was loaded\nhint: {2}.*\n$/
    )
    Fs.rmSync(Path.join(folder, "signalbox.config.ts"))
    Fs.writeFileSync(Path.join(folder, "signalbox.config.yaml"), "organization: [a\nproject: b")
    const syntax = await binary.run(folder, ["init", "--json"])
    assert.deepEqual([syntax.code, syntax.stdout], [64, ""])
    assert.strictEqual(JSON.parse(syntax.stderr).error.code, "config_syntax")
    assert.match(JSON.parse(syntax.stderr).error.path, /signalbox\.config\.yaml:\d+:\d+$/)
    assert.deepEqual(Fs.readdirSync(folder), ["signalbox.config.yaml"])
    Fs.rmSync(folder, { recursive: true })
  })

  it("exits with 6 if the store cannot be used", async () => {
    const folder = temporary("store")
    Fs.mkdirSync(Path.join(folder, ".signalbox"))
    Fs.writeFileSync(
      Path.join(folder, ".signalbox", "signalbox.db"),
      "this is no database, but long enough to be taken for one ".repeat(40)
    )
    const ran = await binary.run(folder, ["list", "--json"])
    assert.deepEqual([ran.code, ran.stdout], [6, ""], ran.stderr)
    assert.match(JSON.parse(ran.stderr).error.code, /^store_/)
    Fs.rmSync(folder, { recursive: true })
  })

  it("Ctrl-C with nothing to save says what it does and exits with 130", async () => {
    const folder = temporary("stopped")
    Fs.writeFileSync(
      Path.join(folder, "signalbox.config.mjs"),
      "setInterval(() => undefined, 1000); process.stderr.write('waiting'); await new Promise(() => undefined); export default {}"
    )
    const ran = await binary.run(folder, ["init"], { signals: [[/waiting/, "SIGINT"]] })
    assert.deepEqual([ran.code, ran.stdout], [130, ""])
    assert.include(ran.stderr, "stopping; the state is being saved (at most 7 s), Ctrl-C again forces")
    assert.deepEqual(Fs.readdirSync(folder), ["signalbox.config.mjs"])
    Fs.rmSync(folder, { recursive: true })
  })
})
