/**
 * `signalbox run` with the real program: exit codes, signals, the queue, and what the command and the log get to see.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Binary, build } from "./binary.ts"
import { deploymentStatus, executionState, lockOf, type Running, start } from "./running.ts"
import { temporary } from "./support.ts"

let binary: Binary
const folders: Array<string> = []
const running: Array<Running> = []
beforeAll(() => {
  binary = build()
})
afterAll(() => {
  for (const { child } of running) child.kill("SIGKILL")
  for (const folder of folders) Fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

const folder = (): string => {
  const made = temporary("run")
  folders.push(made)
  return made
}

/** A command line of a shell, under the lock. */
const run = (
  cwd: string,
  script: string,
  { flags = [], env = {} }: { readonly flags?: ReadonlyArray<string>; readonly env?: Record<string, string> } = {}
): Running => {
  const started = start(binary, cwd, ["run", ...flags, "--", "sh", "-c", script], env)
  running.push(started)
  return started
}

/** A command that holds the lease until it is signalled. */
const holder = async (cwd: string): Promise<Running> => {
  const first = run(cwd, "echo holding; sleep 100", { flags: ["--correlation-id", "holder"] })
  await first.says(/holding/)
  return first
}

const last = (stdout: string): Record<string, unknown> => JSON.parse(stdout.trimEnd().split("\n").at(-1)!)

describe("signalbox run", () => {
  it.each([
    ["exit 0", 0, "completed"],
    ["exit 3", 3, "failed"],
    ["kill -INT $$", 130, "failed"],
    ["kill -TERM $$", 143, "failed"]
  ])("ends as its command does: %s", async (script, code, status) => {
    const cwd = folder()
    const ended = await run(cwd, script, { flags: ["--correlation-id", "one"] }).ended
    assert.deepEqual([ended.code, executionState(cwd, "one")?.status], [code, status], ended.stderr)
    assert.strictEqual(lockOf(cwd)?.expires_at, 0)
  })

  it("exits with 127 if the command does not exist, and says so", async () => {
    const cwd = folder()
    const ended = await start(binary, cwd, ["run", "--correlation-id", "one", "--", "no-such-command"]).ended
    assert.strictEqual(ended.code, 127)
    assert.include(ended.stderr, "no-such-command was not found")
    assert.deepEqual(executionState(cwd, "one")?.error?.code, "command_missing")
  })

  it("leaves a place alone on Ctrl-C that another process waits in", async () => {
    const cwd = folder()
    const first = await holder(cwd)
    const flags = ["--correlation-id", "shared"]
    const waiting = run(cwd, "echo mine", { flags })
    await waiting.says(/shared/)
    const joined = run(cwd, "echo mine", { flags })
    await joined.says(/shared/)
    joined.child.kill("SIGINT")
    assert.strictEqual((await joined.ended).code, 130)
    assert.strictEqual(executionState(cwd, "shared")?.status, "queued")
    first.child.kill("SIGTERM")
    const { code, stderr, stdout } = await waiting.ended
    assert.deepEqual([code, stdout], [0, "mine\n"], stderr)
  })

  it("lets the command clean up on Ctrl-C, and leaves the deployment unknown", async () => {
    const cwd = folder()
    const script = `trap 'echo cleaned up; exit 7' INT; echo ready; while :; do sleep 0.1; done`
    const one = run(cwd, script, { flags: ["--correlation-id", "one"] })
    await one.says(/ready/)
    one.child.kill("SIGINT")
    const { code, stderr, stdout } = await one.ended
    assert.strictEqual(code, 7, stderr)
    assert.include(stdout, "cleaned up")
    assert.include(stderr, "SIGINT passed to the command")
    assert.deepEqual([executionState(cwd, "one")?.status, deploymentStatus(cwd)], ["cancelled", "unknown"])
  })

  it.each([
    ["a second time is SIGTERM", "trap '' INT", 2, 143],
    ["a third time is SIGKILL", "trap '' INT TERM", 3, 137]
  ])("is harder on a command that does not heed Ctrl-C: %s", async (_, trap, times, code) => {
    const cwd = folder()
    const one = run(cwd, `${trap}; echo ready; while :; do sleep 0.1; done`)
    await one.says(/ready/)
    for (const name of ["SIGINT", "SIGTERM", "SIGKILL"].slice(0, times)) {
      one.child.kill("SIGINT")
      await one.says(new RegExp(`${name} passed`))
    }
    assert.strictEqual((await one.ended).code, code)
    assert.strictEqual(deploymentStatus(cwd), "unknown")
  })

  it("Ctrl-C withdraws its own queued request, and no other", async () => {
    const cwd = folder()
    const first = await holder(cwd)
    const second = run(cwd, "echo never", { flags: ["--correlation-id", "two"] })
    await second.says(/waiting/)
    second.child.kill("SIGINT")
    const { code, stdout } = await second.ended
    assert.deepEqual([code, stdout], [130, ""])
    assert.deepEqual(
      [executionState(cwd, "two")?.status, executionState(cwd, "holder")?.status],
      ["cancelled", "in_progress"]
    )
    first.child.kill("SIGTERM")
    assert.strictEqual((await first.ended).code, 143)
  })

  it("does not wait with `reject`, nor beyond its timeout", async () => {
    const cwd = folder()
    const first = await holder(cwd)
    const rejected = await run(cwd, "echo never", { flags: ["--queue", "reject"] }).ended
    const late = await run(cwd, "echo never", { flags: ["--queue-timeout", "1s"] }).ended
    assert.deepEqual([rejected.code, rejected.stdout], [2, ""])
    assert.include(rejected.stderr, "holder")
    assert.deepEqual([late.code, late.stdout], [124, ""])
    first.child.kill("SIGTERM")
    await first.ended
  })

  it("yields its position to the latest with `latest_wins`", async () => {
    const cwd = folder()
    const first = await holder(cwd)
    const earlier = run(cwd, "echo never", { flags: ["--correlation-id", "earlier"] })
    await earlier.says(/waiting/)
    const latest = run(cwd, "echo at last", { flags: ["--queue", "latest_wins"] })
    const { code, stdout } = await earlier.ended
    assert.deepEqual([code, stdout, executionState(cwd, "earlier")?.error?.code], [2, "", "overtaken"])
    first.child.kill("SIGTERM")
    await first.ended
    assert.deepInclude(await latest.ended, { code: 0, stdout: "at last\n" })
  })

  it("refuses one inside of another, which would wait for itself", async () => {
    const cwd = folder()
    const ended = await run(cwd, `"${process.execPath}" "${binary.path}" run -- echo never`).ended
    assert.deepEqual([ended.code, ended.stdout], [2, ""])
    assert.include(ended.stderr, "it already has the lease")
  })

  it("with --json prints its result alone on stdout, and the command's output on stderr", async () => {
    const cwd = folder()
    const ended = await run(cwd, "echo out; echo err >&2; exit 5", { flags: ["--json", "--version", "v7"] }).ended
    assert.strictEqual(ended.code, 5)
    assert.match(ended.stderr, /^out$/m)
    assert.match(ended.stderr, /^err$/m)
    assert.strictEqual(ended.stdout.trimEnd().split("\n").length, 1)
    assert.deepInclude(last(ended.stdout), { kind: "run", status: "failed", version: "v7", exitCode: 5 })
  })

  it("passes the result to later steps of a GitHub job", async () => {
    const cwd = folder()
    const output = Path.join(cwd, "output")
    await run(cwd, "exit 3", { flags: ["--correlation-id", "one"], env: { GITHUB_OUTPUT: output } }).ended
    const text = Fs.readFileSync(output, "utf8").replaceAll(/end-[0-9a-f-]+/g, "end")
    for (const [name, value] of [
      ["correlation-id", "one"],
      ["status", "failed"],
      ["exit-code", "3"]
    ]) {
      assert.include(text, `${name}<<end\n${value}\nend\n`)
    }
  })

  it("passes the trace and the execution to the command", async () => {
    const cwd = folder()
    const { stdout } = await run(cwd, "env", { flags: ["--correlation-id", "one"] }).ended
    assert.match(stdout, /^TRACEPARENT=00-[0-9a-f]{32}-[0-9a-f]{16}-01$/m)
    assert.match(stdout, /^SIGNALBOX_CORRELATION_ID=one$/m)
    assert.match(stdout, /^BAGGAGE=signalbox\.correlation_id=one$/m)
  })

  it("keeps secrets out of the terminal, the file and the log", async () => {
    const cwd = folder()
    const secrets = { API_TOKEN: "tok-en-88112233", MY_PIN: "pin-99-4411-77" }
    const flags = ["--correlation-id", "one", "--redact", "MY_PIN"]
    const script = `echo token $API_TOKEN; echo pin $MY_PIN >&2; : ${secrets.API_TOKEN} ${secrets.MY_PIN}`
    const ended = await run(cwd, script, { flags, env: secrets }).ended
    assert.deepInclude(ended, { code: 0, stdout: "token ***\n" })
    assert.match(ended.stderr, /^pin \*\*\*$/m)
    const log = Path.join(cwd, ".signalbox", "log", "one.log")
    assert.strictEqual(Fs.statSync(log).mode & 0o777, 0o600)
    assert.include(Fs.readFileSync(log, "utf8"), "token ***")
    const files = Fs.readdirSync(cwd, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    assert.isAtLeast(files.length, 2)
    for (const { name, parentPath } of files) {
      const bytes = Fs.readFileSync(Path.join(parentPath, name), "latin1")
      for (const secret of Object.values(secrets)) assert.notInclude(bytes, secret, name)
    }
  })

  it("reports no health without a configuration", async () => {
    const cwd = folder()
    assert.strictEqual((await binary.run(cwd, ["health"])).code, 4)
    assert.strictEqual((await run(cwd, "exit 0", { flags: ["--environment", "production"] }).ended).code, 0)
    const asked = await binary.run(cwd, ["health", "--json"])
    assert.strictEqual(asked.code, 7, asked.stderr)
    assert.deepInclude(last(asked.stdout), {
      environment: "production",
      healthy: null,
      verdict: "no_data",
      reason: "no provider can be asked: there is no configuration here",
      stacks: []
    })
    assert.match((await binary.run(cwd, ["health"])).stdout, /^\S+ production: \? no data: no provider can be asked/)
    assert.strictEqual((await binary.run(cwd, ["health", "--environment", "staging"])).code, 64)
  })

  it("changes the given stack, in a project with a configuration", async () => {
    const cwd = folder()
    const config = {
      organization: "acme",
      project: "shop",
      environments: { production: {} },
      stacks: [{ name: "web", provider: "local", properties: { command: ["node", "web.js"] } }]
    }
    Fs.writeFileSync(Path.join(cwd, "signalbox.config.json"), JSON.stringify(config))
    assert.strictEqual((await binary.run(cwd, ["init"])).code, 0)
    const flags = ["--environment", "production", "--stack", "web", "--version", "v2"]
    assert.strictEqual((await run(cwd, "exit 0", { flags }).ended).code, 0)
    const { stacks, status } = last((await binary.run(cwd, ["status", "--json"])).stdout)
    assert.strictEqual(status, "initialized")
    assert.deepInclude((stacks as ReadonlyArray<object>)[0], { name: "web", status: "deployed" })
    const unknown = await run(cwd, "exit 0", { flags: ["--environment", "production", "--stack", "wep"] }).ended
    assert.include([4, 64], unknown.code, unknown.stderr)
  })
})
