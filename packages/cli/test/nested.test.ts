/**
 * Commands of this program inside of `signalbox run`: what would wait for the very command that it is part of is refused.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Binary, build } from "./binary.ts"
import { type Running, start } from "./running.ts"
import { temporary } from "./support.ts"

let binary: Binary
let cwd: string
const running: Array<Running> = []
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
})
afterAll(() => {
  for (const { child } of running) child.kill("SIGKILL")
  Fs.rmSync(cwd, { recursive: true, force: true, maxRetries: 5 })
})

const program = () => `"${process.execPath}" "${binary.path}"`
/** Runs a script of a shell under the lease on production; `%` is this program. */
const inside = (script: string) => {
  const line = ["run", "-e", "production", "--", "sh", "-c", script.replaceAll("%", program())]
  const started = start(binary, cwd, line)
  running.push(started)
  return started.ended
}

describe("inside of signalbox run", () => {
  it("what would wait for that very command is refused at once, with the reason", async () => {
    const refused = {
      deploy: "% deploy -e production --version v1 --queue-timeout 5s",
      "deploy in the background": "% deploy -e production --version v1 --queue-timeout 5s --detach",
      rollback: "% rollback -e production --queue-timeout 5s",
      destroy: "% destroy -e production --yes --queue-timeout 5s",
      register: "% register -e production",
      "wait for a turn": "% wait waiting --timeout 5s",
      "wait for a free time": "% wait -e production --timeout 5s",
      "attach to the command itself": '% attach "$SIGNALBOX_CORRELATION_ID"',
      run: "% run -e production --queue-timeout 5s -- true",
      "revoke the lease": "% lock release -e production --force --reason x",
      "deploy, with another environment between":
        "% run -e staging -- sh -c '% deploy -e production --queue-timeout 5s'"
    }
    const lines = Object.entries(refused).map(
      ([name, line]) => `${line} 2>"${cwd}/out"; echo "${name}: $?"; cat "${cwd}/out"`
    )
    const { code, stdout } = await inside(lines.join("\n"))
    assert.strictEqual(code, 0)
    const said = stdout.split("\n")
    const reason = /error: this runs inside [\w-]+, which already holds the lease on DX6604E production/
    for (const name of Object.keys(refused)) {
      assert.include(said, `${name}: 2`, stdout)
      const after = said.slice(said.indexOf(`${name}: 2`) + 1).find((line) => line.includes("error:"))
      assert.match(after ?? "", reason, name)
    }
    const { stdout: shown } = await binary.run(cwd, ["lock", "show", "-e", "production", "--json"])
    assert.deepEqual(
      JSON.parse(shown).queue.map(({ correlationId }: any) => correlationId),
      ["waiting"]
    )
  })

  it("read-only commands, planning, locking and other environments are allowed: they do not wait", async () => {
    const lines = [
      "% status && % history",
      "% can-deploy -e production || test $? = 2",
      "% rollback -e production --dry-run || test $? = 1",
      "% lock hold -e production --reason x && % lock release -e production --reason x",
      "% run -e staging -- true"
    ]
    const ended = await inside(`set -e\n${lines.join("\n")}`)
    assert.strictEqual(ended.code, 0, ended.stderr)
  })
})
