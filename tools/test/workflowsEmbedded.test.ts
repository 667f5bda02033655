/**
 * The workflows through the real program, with real processes, with the state in the working directory.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { sharedProgram } from "../../packages/cli/test/sharedProgram.ts"
import { type Call, runWorkflow } from "../workflows/localRunner.ts"
import { bench } from "../workflows/step.ts"
import { bin } from "./repository.ts"

const replaced = ["actions/checkout", "actions/setup-node"]
const deployment = ".github/workflows/coordinated-deployment.yml"
const monitoring = ".github/workflows/deployment-monitoring.yml"

const folder = mkdtempSync(join(tmpdir(), "embedded-"))
const workspace = join(folder, "shop")
let program = ""
const env = { PATH: `${bin}:${process.env["PATH"]}`, HOME: folder }

const signalbox = (...args: ReadonlyArray<string>) => {
  const ran = spawnSync(join(bin, "node"), [program, ...args], { cwd: workspace, env, encoding: "utf8" })
  return { code: ran.status, stdout: ran.stdout, stderr: ran.stderr }
}
const status = () => JSON.parse(signalbox("status", "--json").stdout)
const served = async () => {
  const [stack] = status().stacks
  return (await fetch(stack.outputs.url)).text()
}

const deploy = (inputs: NonNullable<Call["inputs"]> = {}, more: Partial<Call> = {}) =>
  runWorkflow({
    workflow: deployment,
    workspace,
    replaced,
    inputs: { environment: "production", signalbox: program, ...inputs },
    ...more
  })
const monitor = (correlationId: string) =>
  runWorkflow({
    workflow: monitoring,
    workspace,
    replaced,
    inputs: { "correlation-id": correlationId, environment: "production", signalbox: program }
  })

beforeAll(() => {
  program = sharedProgram()
  mkdirSync(workspace)
  expect(signalbox("init", "--example")).toMatchObject({ code: 0, stderr: "" })
})
afterAll(() => {
  signalbox("destroy", "--yes")
  rmSync(folder, { recursive: true, force: true })
})

/** Another lease holder, until it is told to stop. */
const holding = async (who: string, body: () => Promise<void>) => {
  const args = [program, "run", "--environment", "production", "--correlation-id", who, "--"]
  const other: ChildProcess = spawn(join(bin, "node"), [...args, "sh", "-c", "echo holding; exec tail -f /dev/null"], {
    cwd: workspace,
    env,
    stdio: ["ignore", "pipe", "pipe"]
  })
  const ended = new Promise((resolve) => other.on("close", resolve))
  try {
    await new Promise<void>((resolve, reject) => {
      const look = (chunk: Buffer) => String(chunk).includes("holding") && resolve()
      other.stdout!.on("data", look)
      other.stderr!.on("data", look)
      other.on("close", (code) => reject(new Error(`ended with ${code} before it held anything`)))
    })
    await body()
  } finally {
    other.kill("SIGINT")
    await ended
  }
}

describe("the workflows on the embedded default", () => {
  it("deploy: an application that answers, with its trace, and nothing held afterwards", async () => {
    const ran = await deploy({ version: "v1" })
    expect(ran.log).not.toContain("::error")
    expect(ran.outputs).toMatchObject({ outcome: "success", status: "completed", verification: "success" })
    expect(ran.outputs["trace-id"]).toMatch(/^[0-9a-f]{32}$/)
    expect(await (await fetch(ran.outputs["url"]!)).text()).toBe("hello from v1\n")
    expect(ran.summary).toContain("| web | deployed | v1 |")
    expect(ran.steps.filter(({ outcome }) => outcome !== "success")).toEqual([])
  })

  it("monitor: what there was", async () => {
    const [last] = JSON.parse(signalbox("history", "--json").stdout).executions
    const ran = await monitor(last.correlationId)
    expect(ran.outputs).toMatchObject({ outcome: "success", status: "completed", verification: "success" })
    expect(await monitor("unknown-1")).toMatchObject({ result: "failure", outputs: { outcome: "failed" } })
  })

  it("run a command under the lease, which knows its trace", async () => {
    const ran = await deploy({ run: 'echo "$SIGNALBOX_CORRELATION_ID $TRACEPARENT"', version: "v1" })
    expect(ran.outputs["outcome"]).toBe("success")
    expect(ran.log).toContain(`${ran.outputs["correlation-id"]} 00-${ran.outputs["trace-id"]}-`)
  })

  it("fail with the command, and let the next one in", async () => {
    const ran = await deploy({ run: "exit 2", version: "v1" })
    expect([ran.result, ran.outputs["outcome"]]).toEqual(["failure", "failed"])
    expect(signalbox("can-deploy", "--json").code).toBe(0)
  })

  it("run a command without a configuration too, and report no health", async () => {
    const bare = join(folder, "bare")
    mkdirSync(bare)
    const ran = await deploy({ run: "echo deployed", version: "v1" }, { workspace: bare })
    expect(ran.log).not.toContain("::error")
    expect([ran.result, ran.outputs["outcome"]]).toEqual(["success", "success"])
    expect([ran.outputs["verification"], ran.outputs["rollback"]]).toEqual(["skipped", ""])
    expect(ran.annotations.map(({ level, message }) => [level, message])).toEqual([
      ["notice", "no provider can be asked: there is no configuration here"]
    ])
  })

  it("name the blockers, and do not fail for them", () =>
    holding("first-job", async () => {
      const ran = await deploy({ version: "v2", queue: "reject" })
      expect([ran.result, ran.outputs["outcome"]]).toEqual(["success", "waiting"])
      expect(ran.annotations.map(({ level }) => level)).toEqual(["notice"])
      expect(ran.annotations[0]!.message).toContain("first-job")
      expect(ran.summary).toContain("| lease |")
      expect(await served()).toBe("hello from v1\n")
    }))

  it("a step that runs a command says what it waits for, and gives up", () =>
    holding("slow-job", async () => {
      const inputs = { command: "run", environment: "production", signalbox: program, "working-directory": workspace }
      const queueing = { "wait-for-turn": "true", timeout: "3 seconds" }
      const { main, remove } = bench()
      const ran = await main({ ...inputs, ...queueing, run: "echo never" }, {}, { env })
      remove()
      expect([ran.code, ran.outputs["outcome"]]).toEqual([124, "timeout"])
      expect(ran.log).toMatch(/^waiting for .*slow-job/m)
      expect(ran.messages.annotations[0]!.message).toContain("still queued after 3s")
    }))

  it("return a queue position if it is not admitted in time", () =>
    holding("third-job", async () => {
      const ran = await deploy({ version: "v2", timeout: "2 seconds" })
      expect([ran.result, ran.outputs["outcome"]]).toEqual(["failure", "timeout"])
      expect(JSON.parse(signalbox("can-deploy", "--json").stdout).queue.length).toBe(0)
    }))

  it.each([
    ["a deployment", "deploy", {}, /web: pass, blue_green/],
    ["a command", "run", { run: "echo begun; exec tail -f /dev/null" }, /^begun$/m]
  ] as const)("let %s that is cancelled go in time, and the next one in", async (_, step, inputs, when) => {
    const ran = await deploy({ version: "v2", ...inputs }, { cancel: { step, when } })
    expect([ran.result, ran.outputs["outcome"]]).toEqual(["cancelled", "cancelled"])
    expect(ran.steps.find(({ id, stage }) => id === step && stage === "main")!.stoppedAfter).toBeLessThan(7500)
    expect(ran.steps.filter(({ stage }) => stage === "post").map(({ outcome }) => outcome)).not.toContain("failure")
    expect(JSON.parse(signalbox("can-deploy", "--json").stdout)).toMatchObject({ canDeploy: true, blockers: [] })
  })

  it("deploy the next version, and roll back on request", async () => {
    expect((await deploy({ version: "v3" })).outputs["outcome"]).toBe("success")
    expect(await served()).toBe("hello from v3\n")
    const ran = await deploy({ rollback: true, reason: "wrong prices" })
    expect(ran.outputs).toMatchObject({ outcome: "success", rollback: "success" })
    expect(await served()).toBe("hello from v1\n")
  })
})
