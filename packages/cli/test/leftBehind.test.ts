/**
 * Commands whose `signalbox run` and guard were killed at the same moment: the next lease holder ends them first, and
 * leaves other projects' commands alone.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Binary, build } from "./binary.ts"
import { naming, signal } from "./chaos/processes.ts"
import { type Running, start } from "./running.ts"
import { temporary } from "./support.ts"

let binary: Binary
const folders: Array<string> = []
beforeAll(() => {
  binary = build()
}, 120_000)
afterAll(() => {
  for (const folder of folders) {
    for (const { pid } of naming(folder)) signal(pid, "SIGKILL")
    Fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
})

const folder = (): string => {
  const made = temporary("left-behind")
  folders.push(made)
  return made
}

const run = (cwd: string, id: string, script: string, env: Record<string, string> = {}): Running =>
  start(binary, cwd, ["run", "--correlation-id", id, "--", "sh", "-c", script], env)

/** The shells that run in the folder because of that execution. A fork looks like its parent until it executes `sleep`. */
const commandsOf = (cwd: string, id: string) => {
  const shells = naming(cwd).filter(
    ({ command, variables }) => command.startsWith("sh -c") && variables.get("SIGNALBOX_CORRELATION_ID") === id
  )
  return shells.filter(({ parent }) => shells.every(({ pid }) => pid !== parent))
}

const works = "echo at work; trap '' TERM INT HUP; while :; do sleep 0.05; done"

/** A running command without a runner or a guard. */
const orphan = async (cwd: string, id: string): Promise<void> => {
  const { child, says } = run(cwd, id, works)
  await says(/at work/)
  const guard = naming(cwd).find(({ command, parent }) => parent === child.pid && command.includes("__guard"))
  const both = [guard!.pid, child.pid!]
  // Neither sees the other die.
  for (const pid of both) signal(pid, "SIGSTOP")
  for (const pid of both) signal(pid, "SIGKILL")
  assert.strictEqual(commandsOf(cwd, id).length, 1)
}

// Most of each is the time after which a dead holder's lease runs out.
const waiting = { timeout: 120_000, concurrent: true }

describe.skipIf(process.platform !== "linux")("a command that was left behind", waiting, () => {
  it("is ended before the next one begins, even if its execution was closed first", async () => {
    const cwd = folder()
    await orphan(cwd, "one")
    const cleaned = await binary.run(cwd, ["cleanup", "one"])
    assert.strictEqual(cleaned.code, 0, cleaned.stderr)
    const next = run(cwd, "two", works)
    await next.says(/at work/)
    assert.deepEqual([commandsOf(cwd, "one").length, commandsOf(cwd, "two").length], [0, 1])
    next.child.kill("SIGKILL")
  })

  it("is ended before its lease is returned, if the same execution is carried on", async () => {
    const cwd = folder()
    await orphan(cwd, "one")
    const { code, stderr } = await run(cwd, "one", works).ended
    assert.strictEqual(code, 1, stderr)
    assert.strictEqual(commandsOf(cwd, "one").length, 0, stderr)
  })

  it("is ended before a turn is handed to a command that runs elsewhere", async () => {
    const cwd = folder()
    await orphan(cwd, "one")
    assert.strictEqual((await binary.run(cwd, ["cleanup", "one"])).code, 0)
    assert.strictEqual((await binary.run(cwd, ["register", "--correlation-id", "two"])).code, 0)
    const turn = await binary.run(cwd, ["wait", "two"])
    assert.strictEqual(turn.code, 0, turn.stderr)
    assert.strictEqual(commandsOf(cwd, "one").length, 0)
  })

  it("is left alone if it ended and only a process that it started survives", async () => {
    const cwd = folder()
    const pid = Path.join(cwd, "pid")
    const daemon = `setsid sh -c 'echo $$ > ${pid}; while :; do sleep 0.05; done' > /dev/null 2>&1 & until test -s ${pid}; do :; done`
    assert.strictEqual((await run(cwd, "one", daemon).ended).code, 0)
    assert.strictEqual((await run(cwd, "two", "true").ended).code, 0)
    assert.deepEqual(
      commandsOf(cwd, "one").map(({ pid }) => pid),
      [Number(Fs.readFileSync(pid, "utf8"))]
    )
  })
})

describe.skipIf(process.platform !== "linux")("two projects on one machine", waiting, () => {
  it("may have executions with the same correlation id: each has its own end", async () => {
    const [here, there] = [folder(), folder()]
    // Checkouts of one repository have one deployment id.
    const env = { GITHUB_REPOSITORY: "acme/shop" }
    const [one, other] = [run(here, "build-1", works, env), run(there, "build-1", works, env)]
    await Promise.all([one.says(/at work/), other.says(/at work/)])
    const revoked = await binary.run(here, ["lock", "release", "--force", "--reason", "it hangs"], { env })
    assert.strictEqual(revoked.code, 0, revoked.stderr)
    await one.ended
    assert.deepEqual([commandsOf(here, "build-1").length, commandsOf(there, "build-1").length], [0, 1])
    other.child.kill("SIGKILL")
  })
})
