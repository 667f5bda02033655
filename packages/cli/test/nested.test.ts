/**
 * Commands of this program inside of `signalbox run`: what would wait for the very command that it is part of is refused.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Binary, build } from "./binary.ts"
import { start } from "./running.ts"
import { temporary } from "./support.ts"

let binary: Binary
let cwd: string
beforeAll(async () => {
  binary = build()
  cwd = temporary("nested")
  Fs.mkdirSync(Path.join(cwd, "app"))
  Fs.writeFileSync(
    Path.join(cwd, "signalbox.config.json"),
    JSON.stringify({
      organization: "acme",
      project: "shop",
      environments: { production: {}, staging: {} },
      stacks: [{ name: "web", provider: "local", properties: { artifact: "app", command: ["node", "server.mjs"] } }]
    })
  )
  await binary.run(cwd, ["init", "--id", "DX6604E"])
  await binary.run(cwd, ["register", "--correlation-id", "waiting", "-e", "production"])
}, 120_000)
afterAll(() => {
  Fs.rmSync(cwd, { recursive: true, force: true, maxRetries: 5 })
  binary.remove()
})

const program = () => `"${process.execPath}" "${binary.path}"`
/** Runs a line of a shell under the lock of production; `%` is this program. */
const inside = (line: string) =>
  start(binary, cwd, [
    "run",
    "-e",
    "production",
    "--correlation-id",
    crypto.randomUUID(),
    "--",
    "sh",
    "-c",
    line.replaceAll("%", program())
  ]).ended

describe("inside of signalbox run", { timeout: 120_000 }, () => {
  it.each([
    ["deploy", "% deploy -e production --version v1 --queue fifo"],
    ["deploy in the background", "% deploy -e production --version v1 --queue fifo --detach"],
    ["rollback", "% rollback -e production --queue fifo"],
    ["destroy", "% destroy -e production --yes --queue fifo"],
    ["register", "% register -e production"],
    ["wait for a turn", "% wait waiting"],
    ["wait for a free time", "% wait -e production"],
    ["attach to the command itself", '% attach "$SIGNALBOX_CORRELATION_ID"'],
    ["run", "% run -e production -- true"],
    ["take the lock by force", "% lock release -e production --force --reason x"],
    ["deploy, with another environment between", "% run -e staging -- sh -c '% deploy -e production --queue fifo'"]
  ])("%s is refused at once, with the reason", async (_, line) => {
    const ended = await inside(`${line}; echo "inner $?" >&2`)
    assert.match(
      ended.stderr,
      /error: this runs inside of [\w-]+, which holds the lock of DX6604E in production already/
    )
    assert.match(ended.stderr, /^inner 2$/m)
    assert.strictEqual(ended.code, 0)
    const { stdout } = await binary.run(cwd, ["lock", "show", "-e", "production", "--json"])
    assert.deepEqual(
      JSON.parse(stdout).queue.map(({ correlationId }: any) => correlationId),
      ["waiting"]
    )
  })

  it.each([
    ["looks", "% status && % can-deploy -e production; test $? = 2 && % history"],
    ["plans", "% rollback -e production --dry-run"],
    ["holds the lock by hand", "% lock hold -e production --reason x && % lock release -e production --reason x"],
    ["works in another environment", "% run -e staging -- true"]
  ])("%s, which waits for nobody", async (_, line) => {
    const ended = await inside(line)
    assert.strictEqual(ended.code, 0, ended.stderr)
  })
})
