/**
 * SIGHUP, as a closed terminal or a dropped session sends it, with the real program: a first Ctrl-C.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Binary, build } from "./binary.ts"
import { cleanEnvironment } from "./bundle.ts"
import { until } from "./chaos/processes.ts"
import { expectExit } from "./coordinating.ts"
import { hasPty, type OnTerminal, onTerminal } from "./pty.ts"
import { executionState, lockOf, type Running, start } from "./running.ts"
import { temporary } from "./support.ts"

const app = `require("node:http").createServer((_, response) => response.end("ok")).listen(process.env.PORT)`

let binary: Binary
let cwd: string
const children: Array<Running["child"]> = []
beforeAll(async () => {
  binary = build()
  cwd = temporary("hangup")
  Fs.mkdirSync(Path.join(cwd, "app"))
  Fs.writeFileSync(Path.join(cwd, "app", "server.cjs"), app)
  const config = {
    organization: "acme",
    project: "shop",
    environments: { production: {} },
    stacks: [
      {
        name: "web",
        provider: "local",
        strategy: { type: "blue_green", bake: "10 minutes" },
        gate: { gracePeriod: "0 millis", interval: "100 millis", consecutivePasses: 1, minSamples: 0 },
        properties: { command: ["node", "server.cjs"], artifact: "app", port: 0 }
      }
    ]
  }
  Fs.writeFileSync(Path.join(cwd, "signalbox.config.json"), JSON.stringify(config))
  expectExit(await binary.run(cwd, ["init"]), 0)
  expectExit(await binary.run(cwd, ["deploy", "--version", "v1", "--strategy", "all_at_once"]), 0)
})
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL")
  await binary.run(cwd, ["destroy", "--yes"])
  Fs.rmSync(cwd, { recursive: true, force: true, maxRetries: 5 })
})

const started = (...args: ReadonlyArray<string>): Running => {
  const one = start(binary, cwd, args)
  children.push(one.child)
  return one
}
const terminal = (...args: ReadonlyArray<string>): OnTerminal => {
  const one = onTerminal(cwd, [process.execPath, binary.path, ...args], { ...cleanEnvironment(), HOME: cwd })
  children.push(one.child)
  return one
}
const status = (id: string) => executionState(cwd, id)?.status
const isDeploying = (id: string) => () => JSON.stringify(executionState(cwd, id) ?? {}).includes('"deploying"')
const isFree = () => lockOf(cwd)?.expires_at === 0
const abort = async (id: string) => {
  expectExit(await binary.run(cwd, ["abort", id]), 0)
  expectExit(await binary.run(cwd, ["attach", id]), 3)
}

describe("SIGHUP", () => {
  it("keeps the state of a deployment, returns the lease and exits with 129, even if it comes twice", async () => {
    const one = started("deploy", "--version", "v2", "--correlation-id", "hup")
    assert.isTrue(await until(isDeploying("hup")))
    one.child.kill("SIGHUP")
    await one.says(/stopping; the state is being saved/)
    one.child.kill("SIGHUP")
    const { code, stderr } = await one.ended
    assert.strictEqual(code, 129, stderr)
    assert.notInclude(stderr, "forced")
    assert.include(stderr, "carry on with: signalbox attach hup")
    assert.deepEqual([status("hup"), isFree()], ["paused", true])
    await abort("hup")
  })

  it("is what a deployment gets when its terminal is closed", async () => {
    const one = terminal("deploy", "--version", "v3", "--correlation-id", "closed")
    assert.isTrue(await until(isDeploying("closed")), one.shown())
    if (hasPty) one.hangUp()
    else one.child.kill("SIGHUP")
    assert.strictEqual(await one.ended, 129)
    assert.deepEqual([status("closed"), isFree()], ["paused", true])
    await abort("closed")
  })

  it("does not reach a runner in the background, nor stop it", async () => {
    const flags = ["--version", "v4", "--correlation-id", "behind", "--detach", "--json"]
    const { pid } = JSON.parse(expectExit(await binary.run(cwd, ["deploy", ...flags]), 0).stdout)
    assert.isTrue(await until(isDeploying("behind")))
    process.kill(pid, "SIGHUP")
    for (const [name, args] of [
      ["watch", ["watch", "behind"]],
      ["attach", ["attach", "behind"]],
      ["monitor", ["monitor", "behind"]],
      ["wait", ["wait", "--timeout", "10m"]]
    ] as const) {
      const one = started(...args)
      await one.says(name === "wait" ? /behind/ : /web/)
      one.child.kill("SIGHUP")
      const { code, stderr } = await one.ended
      assert.strictEqual(code, 129, `${name}: ${stderr}`)
    }
    process.kill(pid, 0)
    assert.strictEqual(status("behind"), "in_progress")
    expectExit(await binary.run(cwd, ["abort", "behind"]), 0)
    assert.isTrue(await until(() => status("behind") === "rolled_back"))
  })

  it("goes to a wrapped command, whose end is the program's end", async () => {
    const one = started("run", "--correlation-id", "wrapped", "--", "sh", "-c", "echo ready; sleep 100 & wait")
    await one.says(/ready/)
    one.child.kill("SIGHUP")
    const { code, stderr } = await one.ended
    assert.strictEqual(code, 129, stderr)
    assert.include(stderr, "SIGHUP passed to the command")
    assert.deepEqual([status("wrapped"), isFree()], ["cancelled", true])
  })

  it("does not end a wrapped command that ignores it: the lease is kept until it has ended", async () => {
    const file = Path.join(cwd, "go")
    const script = `trap '' HUP; echo ready; while [ ! -e ${file} ]; do sleep 0.1; done`
    const one = terminal("run", "--correlation-id", "deaf", "--", "sh", "-c", script)
    assert.isTrue(await until(() => one.shown().includes("ready")))
    if (hasPty) one.hangUp()
    else one.child.kill("SIGHUP")
    assert.isTrue(await until(() => !hasPty || one.child.stdin!.writableFinished))
    assert.isFalse(isFree())
    Fs.writeFileSync(file, "")
    assert.strictEqual(await one.ended, 0)
    assert.isTrue(isFree())
  })
})
