/**
 * `signalbox run` in several shells at once, killed and stopped: strictly one at a time, and no shell waits for a dead
 * one for longer than its lease.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Binary, build } from "../binary.ts"
import { until } from "../chaos/processes.ts"
import { executionState, lockOf, type Running, start } from "../running.ts"
import { temporary } from "../support.ts"

let binary: Binary
const folders: Array<string> = []
const running: Array<Running> = []
beforeAll(() => {
  binary = build()
})
afterAll(() => {
  for (const { child } of running) {
    child.kill("SIGCONT")
    child.kill("SIGKILL")
  }
  for (const folder of folders) Fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

/** A folder; with a configuration for a different lease time. */
const folder = async (leaseTtl?: string): Promise<string> => {
  const cwd = temporary("shells")
  folders.push(cwd)
  if (leaseTtl === undefined) return cwd
  const config = {
    organization: "acme",
    project: "shop",
    leaseTtl,
    environments: { production: {} },
    stacks: [{ name: "web", provider: "local", properties: { command: ["node", "web.js"] } }]
  }
  Fs.writeFileSync(Path.join(cwd, "signalbox.config.json"), JSON.stringify(config))
  assert.strictEqual((await binary.run(cwd, ["init"])).code, 0)
  return cwd
}

const run = (cwd: string, script: string, flags: ReadonlyArray<string> = []): Running => {
  const started = start(binary, cwd, ["run", ...flags, "--", "sh", "-c", script])
  running.push(started)
  return started
}

const file = (cwd: string) => Path.join(cwd, "lines")

interface Line {
  readonly word: string
  readonly name: string
  readonly at: number
}

/** What the commands wrote, in order: each line with its time in ms. */
const lines = (cwd: string): ReadonlyArray<Line> =>
  Fs.existsSync(file(cwd))
    ? Fs.readFileSync(file(cwd), "utf8")
        .split("\n")
        .slice(0, -1)
        .map((line) => {
          const [word = "", name = "", at = ""] = line.split(" ")
          return { word, name, at: Number(at) }
        })
    : []

const write = (word: string, name: string) => `echo ${word} ${name} $(date +%s%3N) >> lines`
/** Writes a beat each 50 ms until it is ended. */
const beating = (name: string) => `${write("begin", name)}; while :; do ${write("beat", name)}; sleep 0.05; done`
/** The same for about half a second. */
const short = (name: string) =>
  `${write("begin", name)}; for n in 1 2 3 4 5 6 7 8; do ${write("beat", name)}; sleep 0.05; done; ${write("end", name)}`

/** No command writes once another has begun. */
const assertAlone = (cwd: string): void => {
  let inside = ""
  const over = new Set<string>()
  for (const { name, word } of lines(cwd)) {
    if (word === "begin") {
      if (inside !== "") over.add(inside)
      inside = name
    }
    assert.isFalse(over.has(name), `${name} still wrote after ${inside} had begun`)
  }
}

const begins = (cwd: string, name: string) => lines(cwd).find((line) => line.word === "begin" && line.name === name)
const lastOf = (cwd: string, name: string) => lines(cwd).findLast((line) => line.name === name)!
const begun = async (cwd: string, name: string) =>
  assert.isTrue(await until(() => begins(cwd, name) !== undefined), `${name} never began`)

/** Runs it until it keeps its lease: 2 seconds are short on a machine that is busy. */
const sittingOut = async (cwd: string, name: string) => {
  for (let attempt = 1; ; attempt++) {
    const ended = await run(cwd, short(`${name}-${attempt}`), ["--json"]).ended
    // Lost, over before the command began, or not renewed in time: exit codes 1 and 6.
    const said = `${ended.stdout}${ended.stderr}`
    const lost = ended.code === 6 || (ended.code === 1 && /lease_(lost|ended)/.test(said))
    if (!lost || attempt === 10) return ended
  }
}

/** Runs it until it begins: its lease may be lost before. */
const beginning = async (cwd: string, name: string): Promise<Running> => {
  for (let attempt = 1; ; attempt++) {
    const called = `${name}-${attempt}`
    const started = run(cwd, short(called))
    let isOver = false
    void started.ended.then(() => (isOver = true))
    assert.isTrue(await until(() => isOver || begins(cwd, called) !== undefined), `${called} hangs`)
    if (begins(cwd, called) !== undefined) return started
    const { code, stderr } = await started.ended
    assert.isBelow(attempt, 10, `${called} ended with ${code}: ${stderr}`)
  }
}

/** How much later than at best something may happen on a machine that is busy, in ms. */
const slack = 120_000

describe.skipIf(process.platform !== "linux")("signalbox run in several shells", () => {
  it("runs the commands of two shells strictly one at a time", async () => {
    const cwd = await folder()
    const shell = async (name: string) => {
      for (let round = 0; round < 4; round++) {
        assert.strictEqual((await run(cwd, short(`${name}${round}`)).ended).code, 0)
      }
    }
    await Promise.all([shell("a"), shell("b")])
    assertAlone(cwd)
    assert.strictEqual(lines(cwd).filter(({ word }) => word === "end").length, 8)
  })

  it("frees the lease of a holder that was killed when its lease ends, and never before", async () => {
    const cwd = await folder()
    const first = run(cwd, beating("first"))
    await begun(cwd, "first")
    const second = run(cwd, short("second"))
    await second.says(/waiting/)
    first.child.kill("SIGKILL")
    await first.ended
    const { expires_at: ends } = lockOf(cwd)!
    assert.strictEqual((await second.ended).code, 0)
    assertAlone(cwd)
    // Its command was dead long before.
    assert.isBelow(lastOf(cwd, "first").at, ends - 3_000)
    assert.isAtLeast(begins(cwd, "second")!.at, ends)
    assert.isBelow(begins(cwd, "second")!.at - ends, slack)
  })

  it("kills the command of a stopped holder before its lease ends, and tells the holder when it wakes up", async () => {
    const cwd = await folder("12 seconds")
    const first = run(cwd, beating("first"), ["--json"])
    await begun(cwd, "first")
    const second = run(cwd, beating("second"))
    await second.says(/waiting/)
    first.child.kill("SIGSTOP")
    const { expires_at: ends } = lockOf(cwd)!
    await begun(cwd, "second")
    assert.isBelow(lastOf(cwd, "first").at, ends)
    assert.isAtLeast(begins(cwd, "second")!.at, ends)
    first.child.kill("SIGCONT")
    const { code, stderr, stdout } = await first.ended
    assert.strictEqual(code, 1, stderr)
    assert.match(`${stdout}${stderr}`, /lease_lost|lease was lost/)
    second.child.kill("SIGTERM")
    await second.ended
    assertAlone(cwd)
  })

  it("neither hangs nor overlaps, at whatever time the one before was killed", async () => {
    const ttl = 2_000
    const free = await folder("2 seconds")
    const started = performance.now()
    assert.strictEqual((await sittingOut(free, "undisturbed")).code, 0)
    const life = (performance.now() - started) * 1.3
    const points = 20
    const chain = async (number: number, cwd: string) => {
      for (let point = number; point < points; point += 4) {
        // Every other one is waiting when it is killed.
        const ahead = point % 2 === 1 ? await beginning(cwd, `ahead${point}`) : undefined
        const victim = run(cwd, short(`victim${point}`))
        await new Promise((resolve) => setTimeout(resolve, (life * point) / points))
        victim.child.kill("SIGKILL")
        const killed = performance.now()
        const { code, stderr, stdout } = await sittingOut(cwd, `next${point}`)
        assert.strictEqual(code, 0, `after ${point}: ${stdout}${stderr}`)
        assert.isBelow(performance.now() - killed, ttl + life + slack, `after ${point}`)
        await Promise.all([ahead?.ended, victim.ended])
      }
      assertAlone(cwd)
    }
    await Promise.all([0, 1, 2, 3].map(async (number) => chain(number, await folder("2 seconds"))))
  })

  it("leaves nothing behind, at whatever time Ctrl-C comes", async () => {
    const cwd = await folder()
    const started = performance.now()
    assert.strictEqual((await run(cwd, short("undisturbed")).ended).code, 0)
    const life = (performance.now() - started) * 1.1
    for (let point = 0; point < 16; point++) {
      const name = `victim${point}`
      const victim = run(cwd, short(name), ["--correlation-id", name, "--queue", point % 2 === 0 ? "fifo" : "reject"])
      await new Promise((resolve) => setTimeout(resolve, (life * point) / 16))
      victim.child.kill("SIGINT")
      const { code, signal, stderr } = await victim.ended
      // By the signal itself if it had hardly started, as every program.
      assert.isTrue(code === 130 || code === 0 || signal === "SIGINT", `${code} at ${point}: ${stderr}`)
      assert.strictEqual(lockOf(cwd)?.expires_at, 0, `at ${point}: ${stderr}`)
      const status = executionState(cwd, name)?.status
      assert.include([undefined, "completed", "cancelled"], status, `at ${point}: ${stderr}`)
    }
    assertAlone(cwd)
  })
})
