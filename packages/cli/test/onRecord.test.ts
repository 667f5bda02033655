/**
 * Commands that work on the record, while a commit has broken, moved or removed the configuration.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, beforeEach, describe, it } from "vitest"
import { config, coordinated, errorOf, expectExit, here, json, run } from "./coordinating.ts"

coordinated()

const file = () => Path.join(here.cwd, "signalbox.config.json")
const write = (value: unknown) => Fs.writeFileSync(file(), typeof value === "string" ? value : JSON.stringify(value))
const other = (name: string) => ({ ...config, stacks: [{ ...config.stacks[0], name }] })
const stacks = async () =>
  (await json("status")).value.stacks.map(
    ({ name, release, status }: any) => `${name} ${status}${release === null ? "" : ` ${release.version}`}`
  )

beforeEach(async () => {
  for (const version of ["v1", "v2"]) expectExit(await run("deploy", "--version", version), 0)
})

const broken = [
  ["with a comma too many", () => write('{ ,"organization": "acme" }'), true],
  ["with a wrong type in it", () => write({ ...config, parallelism: "two" }), true],
  ["that is gone", () => Fs.rmSync(file()), false]
] as const

describe.each(broken)("a configuration %s", (_, breakIt, warns) => {
  it("does not stop read-only commands, locking, rolling back or destroying", async () => {
    breakIt()
    const said = /^warning: .*signalbox\.config\.json.*\nhint: {4}What was recorded is used instead/m
    const reads = [
      ["health"],
      ["lock", "hold", "--reason", "x"],
      ["lock", "show"],
      ["lock", "release", "--reason", "x"],
      ["can-deploy", "--kind", "rollback"],
      ["can-deploy", "--kind", "destroy"],
      ["rollback", "--dry-run"],
      ["rollback"]
    ]
    for (const args of [["status"], ["history"], ["veto", "v9", "--reason", "x"], ...reads]) {
      const ran = expectExit(await run(...args), 0)
      assert.strictEqual(said.test(ran.stderr), warns && reads.includes(args), `${args.join(" ")}: ${ran.stderr}`)
    }
    assert.deepEqual(await stacks(), ["web deployed v1"])
    const away = await json("destroy", "--yes")
    expectExit(away, 0)
    // With --json every line on stderr is an object.
    const told = away.stderr.split("\n").filter((line) => line !== "")
    assert.strictEqual(told.length > 0, warns)
    for (const line of told) assert.deepEqual(Object.keys(JSON.parse(line)), ["warning"])
    assert.deepEqual(await stacks(), ["web destroyed"])
  })

  it("stops what brings something in", async () => {
    breakIt()
    expectExit(await run("deploy", "--version", "v3"), 64)
    if (warns) expectExit(await run("can-deploy"), 64)
  })
})

describe("a configuration that names other stacks", () => {
  it("does not keep the old stacks from rolling back, or from being destroyed", async () => {
    write(other("site"))
    const { value } = await json("rollback", "--dry-run")
    assert.deepEqual(
      value.stacks.map(({ action, name }: any) => [name, action]),
      [["web", "rollback"]]
    )
    expectExit(await run("rollback"), 0)
    assert.deepEqual(await stacks(), ["web deployed v1"])
    expectExit(await run("destroy", "--yes"), 0)
    assert.deepEqual(await stacks(), ["web destroyed"])
  })

  it("is deployed with a note about stacks that keep running", async () => {
    write(other("site"))
    const dropped = [{ name: "web", version: "v2" }]
    for (const args of [["--dry-run"], []]) {
      const { stderr, value } = await json("deploy", "--version", "v3", ...args)
      assert.deepEqual([value.droppedStacks, stderr], [dropped, ""])
    }
    const health = await json("health")
    assert.deepEqual(
      health.value.stacks.map(({ name, verdict }: any) => `${name} ${verdict}`),
      ["web pass", "site pass"]
    )
    const { stderr } = expectExit(await run("deploy", "--version", "v4"), 0)
    const [, hint = ""] = /^hint: {4}Take it away with: signalbox (.*)$/m.exec(stderr) ?? []
    expectExit(await run(...hint.split(" "), "--yes"), 0)
    assert.deepEqual((await json("deploy", "--version", "v5")).value.droppedStacks, [])
  })

  it("or other environments keeps the recorded ones", async () => {
    write({ ...config, environments: { prod: {} } })
    expectExit(await run("lock", "hold", "--reason", "x"), 0)
    expectExit(await run("lock", "release", "--reason", "x"), 0)
    expectExit(await run("rollback"), 0)
    expectExit(await run("health"), 0)
    expectExit(await run("deploy", "--version", "v3"), 64)
  })
})

describe("a configuration that cannot be read", () => {
  it("is an error if there is no record, which only the file could replace", async () => {
    write("{")
    for (const kind of ["rollback", "destroy"]) {
      const ran = expectExit(await run(kind, "-e", "staging", "--yes", "--json"), 64)
      const [warning, error] = ran.stderr
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
      assert.strictEqual(warning.warning.code, "config_syntax")
      assert.strictEqual(error.error.code, "config_syntax")
    }
    assert.strictEqual(errorOf(expectExit(await run("deploy", "--json"), 64)).code, "config_syntax")
  })
})
