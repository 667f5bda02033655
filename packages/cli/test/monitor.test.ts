/**
 * Watching with the real program: an execution that a script writes into the log, and a monitor that is killed all the while.
 */
import { causeInfo, errorInfo } from "@signalbox/core/spi"
import { type ChildProcess, spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { embeddedStore } from "@signalbox/node"
import {
  CorrelationId,
  DeploymentId,
  DeploymentStore,
  EnvironmentName,
  type Event,
  StackName,
  type StoredEvent
} from "@signalbox/core/spi"
import { Duration, Effect, ManagedRuntime } from "effect"
import { assert, beforeAll, describe, it } from "vitest"
import { type Binary, build } from "./binary.ts"
import { cleanEnvironment } from "./bundle.ts"
import { until } from "./chaos/processes.ts"
import { memoryBackend, runWith, temporary } from "./support.ts"

const deploymentId = DeploymentId.make("DX6604E")
const environment = EnvironmentName.make("production")
const api = StackName.make("api")

let binary: Binary
beforeAll(() => {
  binary = build()
})

const requested = (correlationId: CorrelationId): Event => ({
  _tag: "ExecutionRequested",
  correlationId,
  kind: "deploy",
  deploymentId,
  environment,
  version: "v2",
  by: "ada",
  deploymentBefore: "deployed",
  stacksBefore: [{ name: api, status: "deployed", release: null, checkpoint: null, outputs: {} }],
  spec: {
    stacks: [
      {
        name: api,
        provider: "elsewhere",
        enabled: true,
        dependsOn: [],
        strategy: { type: "all_at_once" },
        gate: {
          minHealthyPercentage: 80,
          maxErrorCount: 10,
          errorWindow: Duration.minutes(5),
          maxResponseTime: Duration.seconds(2),
          responseTime: "p95",
          gracePeriod: Duration.zero,
          interval: Duration.seconds(10),
          consecutivePasses: 3,
          minSamples: 20
        },
        timeout: Duration.minutes(30),
        properties: {}
      }
    ],
    parallelism: 4,
    rollback: true,
    leaseTtl: Duration.seconds(15)
  }
})

/** A folder whose log this test writes. */
const world = (name: string) => {
  const cwd = temporary(`monitor-${name}`)
  const store = ManagedRuntime.make(embeddedStore({ directory: Path.join(cwd, ".signalbox") }))
  const id = CorrelationId.make(name)
  let written = 0
  const write = (...events: ReadonlyArray<Event>) =>
    store.runPromise(
      Effect.flatMap(DeploymentStore, (log) =>
        log.append({
          stream: id,
          events: events.map((event) => ({ id: `script/${++written}`, at: Date.now(), event }))
        })
      )
    )
  const read = (): Promise<ReadonlyArray<StoredEvent>> =>
    store.runPromise(Effect.flatMap(DeploymentStore, (log) => log.events({ stream: id, limit: 10_000 })))
  const told = async () =>
    (await read()).flatMap(({ event }) => (event._tag === "AlertRaised" ? [event.kind as string] : []))
  return {
    cwd,
    id,
    write,
    read,
    told,
    /** Another execution of the same deployment. */
    other: (name: string) => {
      const stream = CorrelationId.make(name)
      const log = <A>(use: (log: DeploymentStore["Service"]) => Effect.Effect<A, unknown>) =>
        store.runPromise(Effect.flatMap(DeploymentStore, use))
      return {
        request: (...events: ReadonlyArray<Event>) =>
          log(({ append }) =>
            append({
              stream,
              events: [requested(stream), ...events].map((event, n) => ({ id: `script/${n}`, at: Date.now(), event }))
            })
          ),
        told: async () =>
          (await log(({ events }) => events({ stream }))).flatMap(({ event }) =>
            event._tag === "AlertRaised" ? [event.kind as string] : []
          )
      }
    },
    begun: async () => (await read()).filter(({ event }) => event._tag === "MonitorClaimed").length,
    begin: async () => {
      await store.runPromise(
        Effect.flatMap(DeploymentStore, (log) =>
          log.append({
            stream: deploymentId,
            events: [
              {
                id: "init",
                at: Date.now(),
                event: {
                  _tag: "DeploymentInitialized",
                  deploymentId,
                  organization: "acme",
                  project: "shop",
                  template: "default",
                  environments: [environment],
                  stacks: [api],
                  by: "ada"
                }
              }
            ]
          })
        )
      )
      await write(requested(id), { _tag: "ExecutionTransitioned", on: "started" })
    },
    progress: (message: string) => write({ _tag: "ProgressReported", stack: api, message }),
    close: async () => {
      await store.dispose()
      Fs.rmSync(cwd, { recursive: true, force: true })
    }
  }
}

interface Started {
  readonly child: ChildProcess
  readonly output: () => string
  readonly errors: () => string
  readonly ended: Promise<number | null>
}

const start = (cwd: string, args: ReadonlyArray<string>): Started => {
  const child = spawn(process.execPath, [binary.path, "monitor", ...args], {
    cwd,
    env: { ...cleanEnvironment(), HOME: cwd, XDG_CONFIG_HOME: Path.join(cwd, "no-such-folder") },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let stdout = ""
  let stderr = ""
  child.stdout.on("data", (data) => (stdout += data))
  child.stderr.on("data", (data) => (stderr += data))
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve))
  return { child, output: () => stdout, errors: () => stderr, ended }
}

const childrenOf = (pid: number): ReadonlyArray<number> => {
  try {
    return Fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number)
  } catch {
    return []
  }
}

const isThere = (pid: number): boolean => {
  try {
    return !/\) [ZX] /.test(Fs.readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return false
  }
}

/**
 * Kills the process that watches `times` times: every other one a while after it was started, at work or not, the others a
 * while after they have begun to watch.
 */
const killing = async (
  supervisor: number,
  times: number,
  after: (n: number) => number,
  begun: () => Promise<number>
): Promise<number> => {
  let killed = 0
  let before: number | undefined
  while (killed < times) {
    const took = await begun()
    if (!(await until(() => childrenOf(supervisor).some((pid) => pid !== before), 3_000, 10))) return killed
    const pid = childrenOf(supervisor).find((one) => one !== before)!
    if (killed % 2 === 1) await until(async () => !isThere(pid) || (await begun()) > took)
    await until(() => false, after(killed))
    try {
      process.kill(pid, "SIGKILL")
      killed += 1
    } catch {
      // It has ended on its own.
    }
    before = pid
  }
  return killed
}

const json = (text: string): ReadonlyArray<any> =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))

const counted = (all: ReadonlyArray<string>): Readonly<Record<string, number>> =>
  all.reduce<Record<string, number>>((sum, one) => ({ ...sum, [one]: (sum[one] ?? 0) + 1 }), {})

describe("monitor", () => {
  it("reports a stall, its recovery, overdue work and a failure once each through 20 kills", async () => {
    const { begin, begun, close, cwd, id, progress, read, told, write } = world("failing")
    await begin()
    const log = Path.join(cwd, "monitor.log")
    const monitor = start(cwd, [
      id,
      "--stall-after",
      "1500ms",
      "--overdue-after",
      "4s",
      "--interval",
      "1s",
      "--max-restarts",
      "30",
      "--log-file",
      log,
      "--json"
    ])
    const kills = killing(monitor.child.pid!, 20, (n) => (n * 173) % 700, begun)
    const has = (what: string) => async () => (await told()).includes(what)
    let n = 0
    const goOnUntil = (holds: () => boolean | Promise<boolean>) =>
      until(async () => (await holds()) || (await progress(`part ${++n}`), false), 300_000, 150)
    await goOnUntil(() => n > 5)
    assert.isTrue(await until(has("stalled")), `no stall: ${monitor.errors()}`)
    assert.deepEqual([await goOnUntil(has("recovered")), await goOnUntil(has("overdue"))], [true, true])
    let done = false
    void kills.then(() => (done = true))
    await goOnUntil(() => done)
    assert.strictEqual(await kills, 20)
    await write({
      _tag: "ExecutionTransitioned",
      on: "failed",
      error: errorInfo("foreign_failed", {})
    })
    assert.strictEqual(await monitor.ended, 1, monitor.errors())

    const events = await read()
    const announced = counted(await told())
    for (const what of ["stalled", "recovered", "overdue", "failed"]) assert.strictEqual(announced[what], 1, what)
    assert.isUndefined(announced.succeeded)
    const took = events.flatMap(({ event }) => (event._tag === "MonitorClaimed" ? [event] : []))
    assert.strictEqual(took.at(-1)!.restarts, 20)
    assert.isAbove(took.at(-1)!.gapMs!, 0)
    assert.isAtLeast(announced.monitoring_gap ?? 0, 1)
    const gaps = events.flatMap(({ event, id }) =>
      event._tag === "AlertRaised" && event.kind === "monitoring_gap" ? [id] : []
    )
    assert.strictEqual(new Set(gaps).size, gaps.length)

    // The file and the output have each event once, in order, without gaps.
    const wanted = events.map(({ position }) => position)
    const lines = json(Fs.readFileSync(log, "utf8"))
    assert.deepEqual(
      lines.map(({ position }) => position),
      wanted
    )
    assert.isTrue(lines.every(({ correlationId, traceId }) => correlationId === id && traceId.length === 32))
    const shown = json(monitor.output())
    assert.deepEqual(
      shown.slice(0, -1).map(({ position }) => position),
      wanted
    )
    assert.deepInclude(shown.at(-1), { correlationId: id, status: "failed" })
    await close()
  })

  it("reports a success once, though it dies between the end and its report", async () => {
    const { begin, begun, close, cwd, id, progress, read, told, write } = world("succeeding")
    await begin()
    const log = Path.join(cwd, "monitor.log")
    const monitor = start(cwd, [id, "--max-restarts", "30", "--log-file", log])
    const kills = killing(monitor.child.pid!, 6, (n) => 100 + n * 60, begun)
    await progress("half of it")
    await write({ _tag: "ExecutionTransitioned", on: "completed" })
    const code = await monitor.ended
    assert.strictEqual(code, 0, monitor.errors())
    await kills
    assert.deepEqual(
      (await told()).filter((what) => what !== "monitoring_gap"),
      ["succeeded"]
    )
    const lines = json(Fs.readFileSync(log, "utf8"))
    assert.deepEqual(
      lines.map(({ position }) => position),
      (await read()).map(({ position }) => position)
    )
    assert.strictEqual(monitor.output().split("half of it").length, 2)
    assert.include(monitor.output(), "succeeded: deploy completed")
    await close()
  })

  it("reports starts and ends that were not watched, and no gap in later ones", async () => {
    const { begin, begun, close, cwd, id, other, told, write } = world("following")
    await begin()
    const log = Path.join(cwd, "monitor.log")
    const args = [deploymentId, "--environment", environment, "--follow", "--log-file", log, "--interval", "100ms"]
    const monitor = start(cwd, args)
    assert.isTrue(await until(async () => (await begun()) === 1), monitor.errors())
    // It is over before the watched one.
    await other("aside").request({
      _tag: "ExecutionTransitioned",
      on: "cancelled",
      cause: causeInfo("reported", { by: "ada" }, "not wanted")
    })
    await write({ _tag: "ExecutionTransitioned", on: "completed" })
    const has = (stream: string, what: string) => async () => (await other(stream).told()).includes(what)
    assert.isTrue(await until(has("aside", "failed")), monitor.errors())
    assert.isTrue(await until(() => monitor.errors().split("waits for what comes next").length > 2))
    process.kill(childrenOf(monitor.child.pid!)[0]!, "SIGKILL")
    const failed: Event = {
      _tag: "ExecutionTransitioned",
      on: "failed",
      cause: causeInfo("reported", { by: "ada" }, "broken")
    }
    await other("meanwhile").request({ _tag: "ExecutionTransitioned", on: "started" }, failed)
    assert.isTrue(await until(has("meanwhile", "failed")), monitor.errors())
    await other("later").request({ _tag: "ExecutionTransitioned", on: "started" }, failed)
    assert.isTrue(await until(has("later", "failed")), monitor.errors())
    assert.isTrue(await until(() => monitor.output().split("failed: deploy failed").length > 2))
    monitor.child.kill("SIGTERM")
    await monitor.ended
    assert.deepEqual(
      [await told(), await other("meanwhile").told(), await other("later").told()],
      [["succeeded"], ["failed"], ["failed"]]
    )
    const lines = json(Fs.readFileSync(log, "utf8"))
    assert.deepEqual(
      [...new Set(lines.map(({ correlationId }) => correlationId))],
      [id, "aside", "meanwhile", "later"],
      monitor.output()
    )
    assert.strictEqual(new Set(lines.map(({ position }) => position)).size, lines.length)
    await close()
  })

  it("goes on in the same log file after a line that was cut off", async () => {
    const { begin, close, cwd, id, progress, read } = world("torn")
    await begin()
    const log = Path.join(cwd, "monitor.log")
    assert.strictEqual((await binary.run(cwd, ["monitor", id, "--once", "--log-file", log])).code, 0)
    const before = Fs.readFileSync(log, "utf8")
    Fs.writeFileSync(log, before.slice(0, -20))
    await progress("more")
    assert.strictEqual((await binary.run(cwd, ["monitor", id, "--once", "--log-file", log])).code, 0)
    assert.deepEqual(
      json(Fs.readFileSync(log, "utf8")).map(({ position }) => position),
      (await read()).map(({ position }) => position)
    )
    await close()
  })

  it("ends soon on Ctrl-C, with the watching process, and says where to continue", async () => {
    const { begin, close, cwd, id } = world("stopped")
    await begin()
    const monitor = start(cwd, [id])
    assert.isTrue(await until(() => monitor.output().includes("execution started")))
    const [worker] = childrenOf(monitor.child.pid!)
    monitor.child.kill("SIGINT")
    assert.strictEqual(await monitor.ended, 130)
    assert.notInclude(monitor.errors(), "forced")
    assert.isFalse(isThere(worker!))
    assert.match(
      monitor.errors().trimEnd().split("\n").at(-1)!,
      new RegExp(`go on watching with: signalbox monitor ${id} --after [23]$`)
    )
    await close()
  })

  it("ends the watching process when its supervisor is killed", async () => {
    const { begin, close, cwd, id } = world("orphaned")
    await begin()
    const monitor = start(cwd, [id])
    assert.isTrue(await until(() => monitor.output().includes("execution started")))
    const [worker] = childrenOf(monitor.child.pid!)
    monitor.child.kill("SIGKILL")
    await monitor.ended
    assert.isTrue(await until(() => !isThere(worker!)))
    await close()
  })

  it("gives up if it dies too often, and names the last reason", async () => {
    const { begin, close, cwd, id } = world("dying")
    await begin()
    Fs.mkdirSync(Path.join(cwd, "folder.log"))
    const ran = await binary.run(cwd, ["monitor", id, "--max-restarts", "1", "--log-file", "folder.log", "--json"])
    assert.strictEqual(ran.code, 1)
    const { error } = JSON.parse(ran.stderr)
    assert.strictEqual(error.code, "monitor_died")
    assert.match(error.message, /it died 2 times within 10m, the last time with code 1: .*EISDIR/)
    await close()
  })

  it("gives up with 6 if the store stays unavailable, in words", async () => {
    const cwd = temporary("monitor-away")
    const env = { SIGNALBOX_DATABASE_URL: "postgres://nobody:none@127.0.0.1:1/nothing" }
    const ran = await binary.run(cwd, ["monitor", "one", "--max-restarts", "1"], { env })
    assert.strictEqual(ran.code, 6, ran.stderr)
    assert.match(ran.stderr, /the monitor died with code 6: [^{]*ECONNREFUSED/)
    assert.match(ran.stderr, /error: the monitor could not be kept alive: it died 2 times within 10m/)
    assert.notInclude(ran.stderr, "{")
    Fs.rmSync(cwd, { recursive: true })
  })

  it("restarts nothing if the command line is wrong", async () => {
    const { begin, close, cwd } = world("wrong")
    await begin()
    const unknown = await binary.run(cwd, ["monitor", "unknown-id", "--json"])
    assert.deepEqual([unknown.code, JSON.parse(unknown.stderr).error.code], [4, "unknown_execution"])
    const said = await binary.run(cwd, ["monitor", "unknown-id"])
    assert.strictEqual(said.code, 4)
    assert.match(said.stderr, /^error: there is no execution unknown-id\nhint: {2}See: signalbox history/)
    const span = await binary.run(cwd, ["monitor", "--interval", "often"])
    assert.strictEqual(span.code, 64)
    assert.include(span.stderr, "such as 30s, 10m or 2h")
    await close()
  })

  it("looks once: says so if nothing is in progress, and records foreign operations", async () => {
    const { backend, close, cloud } = await memoryBackend()
    const cwd = temporary("monitor-foreign")
    Fs.mkdirSync(Path.join(cwd, ".signalbox"))
    const config = { organization: "acme", project: "shop", environments: { production: {} } }
    const stacks = [{ name: "api", provider: "simulated" }]
    Fs.writeFileSync(Path.join(cwd, "signalbox.config.json"), JSON.stringify({ ...config, stacks }))
    const run = (...args: ReadonlyArray<string>) => runWith(backend, cwd, args)
    const made = JSON.parse((await run("init", "--json")).stdout)
    const once = () => run("monitor", made.deploymentId, "--once")
    assert.deepEqual(await once(), { code: 0, stdout: "Nothing is in progress.\n", stderr: "" })
    const ref = { deploymentId: made.deploymentId, environment, stack: api, properties: {} }
    await Effect.runPromise(cloud.foreign(ref, { description: "an update from the console", millis: 3_600_000 }))
    const seen = await once()
    assert.strictEqual(seen.code, 0)
    assert.include(seen.stdout, "api: an update from the console is in progress")
    await once()
    const { executions } = JSON.parse((await run("active", "--json")).stdout)
    assert.deepEqual(
      executions.map(({ kind, status }: any) => [kind, status]),
      [["observe", "in_progress"]]
    )
    await Effect.runPromise(cloud.foreign(ref, null))
    assert.include((await once()).stdout, "succeeded: observe completed")
    await close()
    Fs.rmSync(cwd, { recursive: true })
  })
})
