import { traceIdOf } from "@signalbox/core/telemetry"
import { type CommandRunOptions, type Connection, InterruptedError } from "@signalbox/node"
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { isAlive } from "../support/isAlive.ts"
import { until } from "../support/until.ts"
import { collect, configuration, connected, deployed, environment, rejected } from "./support.ts"

const place = { project: "acme/shop", environment } as const
const node = process.execPath

const start = async () => {
  const world = await connected()
  return { ...world, file: (name: string) => join(world.directory, name) }
}

/** Runs a Node script, and keeps its output. */
const script = async (signalbox: Connection, code: string, options: Partial<CommandRunOptions> = {}) => {
  const printed = { stdout: "", stderr: "" }
  const handle = await signalbox.runCommand({
    ...place,
    command: node,
    args: ["-e", code],
    onOutput: (stream, bytes) => {
      printed[stream] += Buffer.from(bytes).toString()
    },
    ...options
  } as CommandRunOptions)
  return { handle, printed }
}

/** Writes to a file that it runs, and ends when the other one exists or a signal comes; the signal is recorded. */
const patient = (running: string, end: string, onSignal = "process.exit(0)"): string => `
  const fs = require("node:fs")
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {
    fs.writeFileSync(${JSON.stringify(running)} + ".signal", signal)
    ${onSignal}
  })
  fs.writeFileSync(${JSON.stringify(running)}, String(process.pid))
  setInterval(() => { if (fs.existsSync(${JSON.stringify(end)})) process.exit(0) }, 5)
`

describe("a command", () => {
  it("runs as a deployment: in the log, with its trace, its output covered", async () => {
    const { file, signalbox } = await start()
    const logFile = file("log/deploy.jsonl")
    const { handle, printed } = await script(
      signalbox,
      `const { SIGNALBOX_CORRELATION_ID, TRACEPARENT, TOKEN, PLAIN, HOME } = process.env
       console.log(SIGNALBOX_CORRELATION_ID, TRACEPARENT, HOME === undefined)
       console.error(TOKEN, PLAIN)`,
      {
        correlationId: "first",
        version: "1.0.0",
        stacks: ["web"],
        env: { TOKEN: "very-secret-1", PLAIN: "very-secret-2", HOME: undefined },
        redact: ["PLAIN"],
        reason: "because",
        logFile
      }
    )
    expect(handle).toMatchObject({ correlationId: "first", joined: false })
    const { exitCode, state } = await handle.done
    expect(exitCode).toBe(0)
    expect(state).toMatchObject({
      kind: "run",
      status: "completed",
      triggeredBy: "ada",
      version: "1.0.0",
      reason: "because"
    })
    expect(printed.stdout).toMatch(new RegExp(`^first 00-${traceIdOf("first")}-[0-9a-f]{16}-01 true\\n$`))
    expect(printed.stderr).toBe("*** ***\n")
    const lines = readFileSync(logFile, "utf8").trim().split("\n")
    expect(lines.map((line) => JSON.parse(line) as object)).toContainEqual(
      expect.objectContaining({ correlationId: "first", stream: "stderr", line: "*** ***" })
    )
    expect(statSync(logFile).mode & 0o777).toBe(0o600)
    const events = await collect(handle.events())
    expect(events.map(({ event }) => event._tag)).toContain("ProcessExited")
    expect(await signalbox.deployments.get(handle.deploymentId)).toMatchObject({
      organization: "acme",
      project: "shop",
      inEnvironments: [{ stacks: [{ name: "web", release: { version: "1.0.0" } }] }]
    })
  })

  it("is never shown with its secrets", async () => {
    const { signalbox } = await start()
    const { handle } = await script(signalbox, "0", {
      args: ["-e", "0", "very-secret"],
      env: { API_KEY: "very-secret" }
    })
    await handle.done
    const events = await collect(handle.events())
    expect(JSON.stringify(events)).toContain("-e 0 ***")
    expect(JSON.stringify(events)).not.toContain("very-secret")
  })

  it("passes its exit code on, however it ended", async () => {
    const { signalbox } = await start()
    const failed = await script(signalbox, "process.exit(3)")
    expect(await failed.handle.done).toMatchObject({ exitCode: 3, state: { status: "failed" } })
    const killed = await script(signalbox, `process.kill(process.pid, "SIGKILL")`)
    expect(await killed.handle.done).toMatchObject({ exitCode: 137, state: { status: "failed" } })
    const missing = await script(signalbox, "", { command: "no-such-command" })
    expect(await missing.handle.done).toMatchObject({
      exitCode: 127,
      state: { status: "failed", error: { code: "command_missing" } }
    })
  })

  it("waits for the one before it, and they never run at the same time", async () => {
    const { file, open, signalbox } = await start()
    const first = await script(signalbox, patient(file("one"), file("one.end")))
    await until("the first runs", () => existsSync(file("one")))
    const second = await script(await open(), `require("node:fs").writeFileSync(${JSON.stringify(file("two"))}, "")`)
    expect((await second.handle.state()).status).toBe("queued")
    expect(existsSync(file("two"))).toBe(false)
    writeFileSync(file("one.end"), "")
    expect((await first.handle.done).exitCode).toBe(0)
    expect((await second.handle.done).exitCode).toBe(0)
    expect(statSync(file("two")).mtimeMs).toBeGreaterThanOrEqual(
      (await first.handle.state()).finishedAt!.getTime() - 10
    )
  })

  it("never begins if it is not admitted in time, or is blocked and does not wait", async () => {
    const { file, signalbox } = await start()
    const first = await script(signalbox, patient(file("one"), file("one.end")))
    await until("the first runs", () => existsSync(file("one")))
    const code = `require("node:fs").writeFileSync(${JSON.stringify(file("two"))}, "")`
    const second = await script(signalbox, code, { queueTimeout: 30 })
    expect(await rejected(second.handle.done)).toMatchObject({ _tag: "QueueTimeoutError", code: "queue_timeout" })
    const third = rejected(script(signalbox, code, { queue: "reject" }))
    expect(await third).toMatchObject({
      _tag: "BlockedError",
      blockers: [{ kind: "lease", who: first.handle.correlationId }]
    })
    writeFileSync(file("one.end"), "")
    await first.handle.done
    expect(existsSync(file("two"))).toBe(false)
  })

  it("runs under the turn that was waited for, and once", async () => {
    const { file, signalbox } = await start()
    const code = `require("node:fs").appendFileSync(${JSON.stringify(file("runs"))}, "x")`
    await signalbox.queue.register({ ...place, correlationId: "first", version: "1.0.0" })
    await signalbox.queue.waitForAdmission("first", { holdMs: 60_000 })
    const once = await script(signalbox, code, { correlationId: "first", version: "1.0.0" })
    expect(once.handle.joined).toBe(true)
    expect((await once.handle.done).exitCode).toBe(0)
    const again = await script(signalbox, code, { correlationId: "first", version: "1.0.0" })
    expect(await again.handle.done).toMatchObject({ exitCode: 0, state: { status: "completed" } })
    expect(readFileSync(file("runs"), "utf8")).toBe("x")
    expect((await signalbox.locks.show(place)).lease).toBeNull()
  })

  it("runs for a deployment that has a configuration too, and shares its lease", async () => {
    const { file, signalbox } = await start()
    const deploymentId = await deployed(signalbox)
    const target = { deploymentId, environment, project: undefined }
    const { handle } = await script(signalbox, patient(file("one"), file("one.end")), target as never)
    await until("it runs", () => existsSync(file("one")))
    const request = { configuration: configuration(), deploymentId, environment, version: "2.0.0" }
    expect(await rejected(signalbox.deploy(request))).toMatchObject({ lease: { holder: handle.correlationId } })
    writeFileSync(file("one.end"), "")
    expect((await handle.done).exitCode).toBe(0)
  })

  it("is refused inside of a command that holds the same lease", async () => {
    const { file, signalbox } = await start()
    const { handle } = await script(signalbox, patient(file("one"), file("one.end")))
    await until("it runs", () => existsSync(file("one")))
    process.env["SIGNALBOX_RUN"] = `store/${handle.deploymentId}/${environment}/${handle.correlationId}/1`
    onTestFinished(() => void delete process.env["SIGNALBOX_RUN"])
    expect(await rejected(script(signalbox, "0"))).toMatchObject({ _tag: "BlockedError", code: "nested_run" })
    expect((await script(signalbox, "0", { environment: "staging" })).handle.joined).toBe(false)
    writeFileSync(file("one.end"), "")
    await handle.done
  })
})

describe("a command that is stopped", () => {
  it("by its signal may clean up first; its lease is free when it has ended", async () => {
    const { file, signalbox } = await start()
    const stop = new AbortController()
    const clean = `setTimeout(() => { fs.writeFileSync(${JSON.stringify(file("clean"))}, ""); process.exit(0) }, 100)`
    const { handle } = await script(signalbox, patient(file("one"), file("end"), clean), { signal: stop.signal })
    await until("it runs", () => existsSync(file("one")))
    stop.abort("enough")
    expect(await rejected(handle.done)).toMatchObject({
      name: "AbortError",
      message: "interrupted: the command was asked to stop, and has ended; its lease is released",
      cause: "enough"
    })
    expect(readFileSync(file("one.signal"), "utf8")).toBe("SIGINT")
    expect(existsSync(file("clean"))).toBe(true)
    expect(await handle.state()).toMatchObject({
      status: "cancelled",
      error: { code: "interrupted" }
    })
    expect((await signalbox.locks.show(place)).lease).toBeNull()
  })

  it("by abort, from any connection, is cancelled", async () => {
    const { file, open, signalbox } = await start()
    const { handle } = await script(signalbox, patient(file("one"), file("end"), "process.exit(7)"))
    await until("it runs", () => existsSync(file("one")))
    await (await open()).executions.command(handle.correlationId, "abort")
    expect(await handle.done).toMatchObject({ exitCode: 7, state: { status: "cancelled" } })
  })

  it("by the end of the connection is dead when that is closed", async () => {
    const { file, open, signalbox } = await start()
    const { handle } = await script(signalbox, patient(file("one"), file("end")))
    await until("it runs", () => existsSync(file("one")) && readFileSync(file("one"), "utf8") !== "")
    await signalbox.close()
    expect(isAlive(Number(readFileSync(file("one"), "utf8")))).toBe(false)
    expect(await rejected(handle.done)).toBeInstanceOf(InterruptedError)
    const other = await open()
    expect((await other.executions.get(handle.correlationId)).status).toBe("cancelled")
    expect((await other.locks.show(place)).lease).toBeNull()
  })

  it("before it began was never started", async () => {
    const { file, signalbox } = await start()
    const code = `require("node:fs").writeFileSync(${JSON.stringify(file("one"))}, "")`
    const stop = new AbortController()
    const first = await script(signalbox, patient(file("zero"), file("zero.end")))
    await until("the first runs", () => existsSync(file("zero")))
    const { handle } = await script(signalbox, code, { signal: stop.signal })
    stop.abort()
    expect(await rejected(handle.done)).toBeInstanceOf(InterruptedError)
    expect(await handle.state()).toMatchObject({ status: "cancelled" })
    writeFileSync(file("zero.end"), "")
    await first.handle.done
    expect(await rejected(script(signalbox, code, { signal: stop.signal }))).toBeInstanceOf(InterruptedError)
    expect(existsSync(file("one"))).toBe(false)
  })

  it("by the loss of its lease is killed, whatever it wants", async () => {
    const { file, signalbox } = await start()
    const config = { ...configuration(), leaseTtl: "12 seconds" } as const
    const { deploymentId } = await signalbox.deployments.init({ configuration: config })
    const target = { configuration: config, deploymentId, environment, project: undefined }
    const { handle } = await script(signalbox, patient(file("one"), file("end"), ""), target as never)
    await until("it runs", () => existsSync(file("one")) && readFileSync(file("one"), "utf8") !== "")
    const revoked = await signalbox.locks.revoke({ deploymentId, environment, reason: "it hangs" })
    expect(revoked?.holder).toBe(handle.correlationId)
    expect((await rejected(handle.done))._tag).toBe("LeaseLostError")
    expect(isAlive(Number(readFileSync(file("one"), "utf8")))).toBe(false)
  })
})

describe("wrong input of a command", () => {
  it("is refused, and nothing is recorded", async () => {
    const { signalbox } = await start()
    const told = async (promise: Promise<unknown>) => {
      const { _tag, path } = await rejected(promise)
      return [_tag, path]
    }
    expect(await told(script(signalbox, "0", { command: "" }))).toEqual(["InvalidInputError", "command"])
    expect(await told(script(signalbox, "0", { queueTimeout: -1 }))).toEqual(["InvalidInputError", "queueTimeout"])
    expect(await told(script(signalbox, "0", { stacks: ["a b"] }))).toEqual(["InvalidInputError", "stacks[0]"])
    const elsewhere = { project: undefined, deploymentId: "DX6604E" } as never
    expect(await told(script(signalbox, "0", elsewhere))).toEqual(["NotFoundError", undefined])
    expect((await signalbox.executions.list()).items).toEqual([])
  })
})
