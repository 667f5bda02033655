/**
 * The workflows, run step by step with a stand-in for signalbox: which steps run, and what is returned.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeEach, describe, expect, it } from "vitest"
import { type Call, runWorkflow, type WorkflowRun } from "../workflows/localRunner.ts"
import type { Answers } from "../workflows/step.ts"
import { root } from "./repository.ts"

/** Parts that cannot run on this machine, and are left out. */
const replaced = ["actions/checkout", "actions/setup-node"]
const deployment = ".github/workflows/coordinated-deployment.yml"
const monitoring = ".github/workflows/deployment-monitoring.yml"

const folder = mkdtempSync(join(tmpdir(), "workflows-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let log = ""
beforeEach(() => {
  log = join(mkdtempSync(join(folder, "run-")), "calls")
})

const json = (value: unknown) => `${JSON.stringify(value)}\n`
const completed = json({
  traceId: "0af7651916cd43dd8448eb211c80319c",
  status: "completed",
  stacks: []
})
const blocked = {
  code: 2,
  stdout: json({ canDeploy: false, blockers: [{ kind: "lease", message: "release-41 deploys" }] })
}
const freed = { stdout: json({ released: ["production"], was: "in_progress", now: "completed" }) }
const fine: Answers = {
  register: { stdout: json({ status: "queued", position: 0, deploymentId: "DX6604E" }) },
  "can-deploy": { stdout: json({ canDeploy: true, blockers: [] }) },
  wait: { stdout: json({ turn: true }) },
  status: { stdout: completed },
  monitor: { stdout: completed },
  health: { stdout: json({ healthy: true, stacks: [] }) },
  cleanup: freed
}

const run = (answers: Answers, inputs: NonNullable<Call["inputs"]> = {}, more: Partial<Call> = {}) =>
  runWorkflow({
    workflow: deployment,
    workspace: join(log, "..", "workspace"),
    replaced,
    inputs: { environment: "production", signalbox: join(root, "tools/workflows/fake.mjs"), ...inputs },
    ...more,
    env: { FAKE_LOG: log, FAKE_ANSWERS: JSON.stringify({ ...fine, ...answers }), ...more.env }
  })

interface Entry {
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
}
const calls = (): ReadonlyArray<Entry> =>
  readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => line.startsWith('{"args"'))
    .map((line) => JSON.parse(line) as Entry)
const typed = () => calls().map(({ args }) => args[0])
const endings = () =>
  calls()
    .filter(({ args }) => args[0] === "cleanup")
    .map(({ args }) => args[args.indexOf("--status") + 1])
const lasting = ({ steps }: WorkflowRun) => steps.filter(({ stage }) => stage === "main").map(({ name }) => name)

describe("coordinated-deployment", () => {
  it("checks, registers, waits for admission, deploys, follows, verifies and cleans up", async () => {
    const ran = await run({})
    expect(ran.result).toBe("success")
    // After the workflow's own clean-up come its steps' clean-ups, last first; the registering step leaves it to them.
    expect(typed()).toEqual([
      "can-deploy",
      "register",
      "wait",
      "deploy",
      "status",
      "monitor",
      "status",
      "health",
      "cleanup",
      "cleanup"
    ])
    expect(new Set(endings())).toEqual(new Set(["succeeded"]))
    expect(ran.outputs).toMatchObject({
      outcome: "success",
      status: "completed",
      verification: "success",
      rollback: ""
    })
    expect(ran.outputs["trace-id"]).toMatch(/^[0-9a-f]{32}$/)
    expect(ran.jobs["rollback"]!.result).toBe("skipped")
  })

  it("stays with one correlation id from the first step to the last", async () => {
    const ran = await run({})
    const id = ran.outputs["correlation-id"]!
    expect(id).toMatch(/^gha-4711-1-/)
    const about = calls().filter(({ args }) => !["can-deploy", "health"].includes(args[0]!))
    expect(about.every(({ args }) => args.includes(id))).toBe(true)
  })

  it("names the blockers, waits, and deploys once admitted", async () => {
    const ran = await run({ "can-deploy": blocked }, { timeout: "5 minutes" })
    expect(typed().slice(0, 4)).toEqual(["can-deploy", "register", "wait", "deploy"])
    expect(calls()[2]!.args).toContain("5 minutes")
    expect(ran.annotations.map(({ level, message }) => [level, message.split("\n")[0]])).toEqual([
      ["notice", "release-41 deploys"]
    ])
    expect(ran.outputs["outcome"]).toBe("success")
  })

  it("ends as waiting if it is not admitted, and returns its position", async () => {
    const stderr = json({ error: { message: "a freeze until Monday" } })
    const ran = await run({ "can-deploy": blocked, wait: { code: 2, stderr } })
    expect([ran.result, ran.outputs["outcome"]]).toEqual(["success", "waiting"])
    expect(typed()).not.toContain("deploy")
    expect(endings()).toContain("cancelled")
    expect(ran.annotations.map(({ level }) => level)).toEqual(["notice", "notice"])
  })

  it("takes no position with `reject`", async () => {
    const ran = await run({ "can-deploy": blocked }, { queue: "reject" })
    expect([ran.result, ran.outputs["outcome"]]).toEqual(["success", "waiting"])
    expect(typed()).toEqual(["can-deploy"])
  })

  it("fails after waiting too long", async () => {
    const ran = await run({ "can-deploy": blocked, wait: { code: 124 } })
    expect([ran.result, ran.outputs["outcome"]]).toEqual(["failure", "timeout"])
    expect(endings()).toContain("cancelled")
  })

  it("gives the reason of an override from the first step on", async () => {
    await run({}, { override: "incident 7", artifact: "dist" })
    for (const name of ["can-deploy", "register", "deploy"]) {
      expect(calls().find(({ args }) => args[0] === name)!.args).toContain("incident 7")
    }
    const { args } = calls().find(({ args }) => args[0] === "register")!
    expect(args).toEqual(expect.arrayContaining(["--kind", "deploy", "--artifact", "dist"]))
  })

  it("runs a command instead, with what the caller gave in its environment alone", async () => {
    const command =
      'test "$TOKEN" = "a=b c" && test -z "$VARIABLES$ACTIONS_RUNTIME_TOKEN" && echo "\'quoted\' $((6 * 7))"'
    const ran = await run(
      {},
      { run: command, stacks: "web" },
      { secrets: { variables: "# for the provider\nTOKEN=a=b c\n", "database-url": "postgres://u:p4ss@db/s" } }
    )
    expect(ran.log).toContain("'quoted' 42")
    expect(ran.masks).toEqual(expect.arrayContaining(["a=b c", "p4ss"]))
    expect(ran.outputs["outcome"]).toBe("success")
    expect(typed()).not.toContain("deploy")
  })

  it("runs its setup first, and nothing else where that fails", async () => {
    const ran = await run({}, { setup: "echo prepared > ready; false" })
    expect(ran.result).toBe("failure")
    expect(lasting(ran)).toEqual(["Variables", "Setup"])
    expect(readFileSync(join(log, "../workspace/ready"), "utf8")).toBe("prepared\n")
  })

  it("fails with the deployment, and cleans up as failed", async () => {
    const ran = await run({ deploy: { code: 3, stderr: "error: web: bake: 12 errors\nhint:  signalbox events x\n" } })
    expect([ran.result, ran.outputs["outcome"]]).toEqual(["failure", "rolled-back"])
    expect(typed()).not.toContain("monitor")
    expect(new Set(endings())).toEqual(new Set(["failed"]))
    expect(ran.annotations).toContainEqual({
      level: "error",
      title: "signalbox deploy production: rolled back",
      message: "web: bake: 12 errors\nsignalbox events x"
    })
  })

  it("rolls back an unhealthy deployment", async () => {
    const unwell = { code: 5, stdout: json({ stacks: [{ name: "web", verdict: "fail", reason: "0 of 2 healthy" }] }) }
    const ran = await run({ health: unwell })
    expect(ran.outputs).toMatchObject({ outcome: "success", verification: "unhealthy", rollback: "success" })
    const back = calls().find(({ args }) => args[0] === "rollback")!
    expect(back.args).toContain("not healthy after it was deployed")
    expect(back.args).not.toContain(ran.outputs["correlation-id"])
    expect(ran.jobs["deploy"]!.result).toBe("failure")
  })

  it("does not roll back if told not to", async () => {
    await run({ health: { code: 5 } }, { "rollback-on-unhealthy": false })
    expect(typed()).not.toContain("rollback")
  })

  it("only rolls back if requested", async () => {
    const ran = await run({}, { rollback: true, reason: "wrong prices", "correlation-id": "back-1" })
    expect(typed()).toEqual(["rollback", "status", "health", "cleanup", "cleanup"])
    expect(calls()[0]!.args).toEqual(expect.arrayContaining(["back-1", "wrong prices"]))
    expect(ran.outputs).toMatchObject({ outcome: "success", rollback: "success", "correlation-id": "back-1" })
    expect(ran.jobs["deploy"]!.result).toBe("skipped")
  })

  it("leaves to a person what a person has to decide", async () => {
    const ran = await run({ deploy: { code: 7 } })
    expect([ran.result, ran.outputs["outcome"]]).toEqual(["success", "undecided"])
    expect(endings()).toEqual([])
  })

  it("returns everything if it is cancelled in the middle", async () => {
    const ran = await run({ deploy: { hang: true } }, {}, { cancel: { step: "deploy", when: /hanging/ } })
    expect([ran.result, ran.outputs["outcome"]]).toEqual(["cancelled", "cancelled"])
    expect(typed()).toEqual(["can-deploy", "register", "wait", "deploy", "cleanup", "cleanup", "cleanup", "cleanup"])
    expect(new Set(endings())).toEqual(new Set(["cancelled"]))
    expect(ran.jobs["rollback"]!.result).toBe("skipped")
  })

  it("rejects an invalid variable, without showing it", async () => {
    const ran = await run({}, {}, { secrets: { variables: "top secret" } })
    expect(ran.result).toBe("failure")
    expect(ran.log).not.toContain("top secret")
    expect(ran.annotations[0]!.title).toBe("secret variables")
  })
})

describe("deployment-monitoring", () => {
  const watch = (answers: Answers, more: Partial<Call> = {}) =>
    run(answers, { "correlation-id": "release-42" }, { workflow: monitoring, ...more })

  it("looks, follows and verifies, and takes nothing from anyone", async () => {
    const ran = await watch({})
    expect(typed()).toEqual(["status", "monitor", "status", "health"])
    expect(calls()[1]!.args).toEqual(expect.arrayContaining(["--stall-after", "10 minutes"]))
    expect(ran.outputs).toMatchObject({ outcome: "success", status: "completed", verification: "success" })
  })

  it("fails if the followed execution fails", async () => {
    const stdout = json({ status: "rolled_back", error: { message: "12 errors" } })
    const ran = await watch({ monitor: { code: 3, stdout } })
    expect([ran.result, ran.outputs["outcome"]]).toEqual(["failure", "rolled-back"])
    expect(typed()).not.toContain("health")
  })

  it("reports that there is nothing to follow", async () => {
    const stderr = json({ error: { message: "there is no execution release-42", hint: "See: signalbox history" } })
    const ran = await watch({ status: { code: 4, stderr } })
    expect([ran.result, ran.outputs["outcome"]]).toEqual(["failure", "failed"])
    expect(ran.annotations[0]!.message).toBe("there is no execution release-42\nSee: signalbox history")
  })

  it("takes nothing away if it is cancelled", async () => {
    const ran = await watch(
      { monitor: { stdout: "in progress\n", hang: true } },
      { cancel: { step: "monitor", when: /in progress/ } }
    )
    expect(ran.result).toBe("cancelled")
    expect(typed()).toEqual(["status", "monitor"])
  })
})

describe("the local runner", () => {
  it("refuses what the runner would refuse", async () => {
    const call = { workflow: deployment, workspace: join(folder, "other"), replaced }
    await expect(runWorkflow(call)).rejects.toThrow("Input environment is required")
    await expect(runWorkflow({ ...call, inputs: { environment: "production", vresion: "v1" } })).rejects.toThrow(
      "vresion"
    )
    await expect(runWorkflow({ ...call, inputs: { environment: "production", verify: "true" } })).rejects.toThrow(
      "boolean"
    )
    await expect(runWorkflow({ ...call, replaced: [], inputs: { environment: "production" } })).rejects.toThrow(
      "is not replaced"
    )
  })
})
