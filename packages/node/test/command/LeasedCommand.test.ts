import { describe as describeError } from "@signalbox/core/text"
import { assert, describe, it } from "@effect/vitest"
import { Redaction } from "@signalbox/core/spi"
import { LeasedCommand } from "@signalbox/node"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll } from "vitest"
import { temporaryDirectory } from "../support/directory.ts"
import { until } from "../support/until.ts"

const directory = temporaryDirectory(afterAll)
const linux = process.platform === "linux"

let count = 0
const file = (name: string) => join(directory, `${++count}-${name}`)

interface Printed {
  readonly stdout: string
  readonly stderr: string
}

/** A shell command, under a lease of a minute unless told otherwise. `onText` gets all output so far. */
const shell = (
  script: string,
  options: Partial<LeasedCommand.LeasedCommandOptions> & { readonly onText?: (printed: Printed) => void } = {}
) => {
  const printed = { stdout: "", stderr: "" }
  const { onText, ...rest } = options
  const ended = LeasedCommand.run({
    id: file("run"),
    command: "sh",
    args: ["-c", script],
    cwd: directory,
    env: process.env,
    stdin: "ignore",
    ttl: Duration.minutes(1),
    deadlines: Stream.sync(() => Date.now() + 60_000),
    redactor: Redaction.make({}),
    onOutput: (stream, bytes) => {
      printed[stream] += Buffer.from(bytes).toString("utf8")
      onText?.(printed)
    },
    ...rest
  })
  return Effect.map(ended, (exit) => ({ ...printed, exit, exitCode: LeasedCommand.exitCode(exit) }))
}

const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return linux && /\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return true
  }
}

const gone = (pid: number) => Effect.promise(() => until(`${pid} is gone`, () => isGone(pid)))

describe("the end of a command", () => {
  it.live.each([0, 3, 126, 127, 255])("with %i is passed on", (code) =>
    Effect.map(shell(`exit ${code}`), ({ exit, exitCode }) => {
      assert.deepStrictEqual(exit, { code, signal: null })
      assert.strictEqual(exitCode, code)
    })
  )

  it.live.each([
    ["KILL", 137],
    ["TERM", 143],
    ["INT", 130]
  ] as const)("by SIG%s is passed on as a shell does", ([name, code]) =>
    Effect.map(shell(`kill -${name} $$`), ({ exit, exitCode }) => {
      assert.deepStrictEqual(exit, { code: null, signal: `SIG${name}` })
      assert.strictEqual(exitCode, code)
    })
  )

  it.live("comes after all that it printed, to both streams", () =>
    Effect.map(shell("echo out; echo err >&2; printf end"), ({ stderr, stdout }) => {
      assert.strictEqual(stdout, "out\nend")
      assert.strictEqual(stderr, "err\n")
    })
  )

  it.live("stops what it left running in its group", () =>
    Effect.gen(function* () {
      const { exit, stdout } = yield* shell("sleep 1000 & echo $!")
      assert.strictEqual(exit.code, 0)
      yield* gone(Number(stdout))
    })
  )

  it.live.skipIf(!linux)("is not held up by a daemon that keeps its output, which can be found and killed", () =>
    Effect.gen(function* () {
      const id = file("daemon")
      const { exit, stdout } = yield* shell("setsid sleep 1000 & sleep 0.2; echo $!", { id: `${id}/1` })
      assert.strictEqual(exit.code, 0)
      assert.isFalse(isGone(Number(stdout)))
      assert.strictEqual(yield* LeasedCommand.killLeftBehind(`${id}x`), 0)
      assert.strictEqual(yield* LeasedCommand.killLeftBehind(id), 1)
      yield* gone(Number(stdout))
    })
  )
})

describe("a command that cannot be started", () => {
  const refused = (options: Partial<LeasedCommand.LeasedCommandOptions>) => Effect.flip(shell("exit 0", options))

  it.live("is reported distinctly: missing, not executable, without a folder, without a lease, without a guard", () =>
    Effect.gen(function* () {
      const script = file("script")
      writeFileSync(script, "#!/bin/sh\n")
      chmodSync(script, 0o600)
      const missing = yield* refused({ command: "no-such-command" })
      assert.deepStrictEqual([missing.info.code, missing.exitCode], ["command_missing", 127])
      assert.include(describeError(missing.info).hint, "npx no-such-command")
      const closed = yield* refused({ command: script })
      assert.deepStrictEqual([closed.info.code, closed.exitCode], ["command_not_executable", 126])
      assert.strictEqual((yield* refused({ cwd: join(directory, "nowhere") })).info.code, "directory_missing")
      assert.strictEqual((yield* refused({ deadlines: Stream.make(0) })).info.code, "lease_ended")
      assert.strictEqual(
        (yield* refused({ guard: { command: [join(directory, "no-guard")] } })).info.code,
        "guard_failed"
      )
      assert.strictEqual(
        (yield* refused({ guard: { command: [process.execPath, "-e", "process.exit(9)"] } })).info.code,
        "guard_failed"
      )
    })
  )

  it.live("is looked for on the PATH that it was given", () =>
    Effect.map(refused({ env: { PATH: directory } }), ({ info }) => assert.strictEqual(info.code, "command_missing"))
  )
})

describe("a command that is asked to end", () => {
  const cleans = (path: string) => `trap 'echo done > ${path}; exit 7' INT; echo ready; while :; do sleep 0.02; done`

  it.live("handles the signal in its own way", () =>
    Effect.gen(function* () {
      const signals = yield* Queue.unbounded<NodeJS.Signals>()
      const { exit } = yield* shell(cleans(file("cleaned")), {
        signals: Stream.fromQueue(signals),
        onText: () => void Queue.offerUnsafe(signals, "SIGINT")
      })
      assert.deepStrictEqual(exit, { code: 7, signal: null, killedBecause: "asked" })
    })
  )

  it.live("is given stronger signals as they come", () =>
    Effect.gen(function* () {
      const signals = yield* Queue.unbounded<NodeJS.Signals>()
      const next: Array<NodeJS.Signals> = ["SIGINT", "SIGTERM", "SIGKILL"]
      const heard: Array<string> = []
      const { exit, stdout } = yield* shell(
        "trap 'echo int' INT; trap 'echo term' TERM; echo ready; while :; do sleep 0.02; done",
        {
          signals: Stream.fromQueue(signals),
          onText: ({ stdout }) => {
            const lines = stdout.trim().split("\n")
            if (lines.length === heard.length) return
            heard.splice(0, heard.length, ...lines)
            const signal = next.shift()
            if (signal !== undefined) Queue.offerUnsafe(signals, signal)
          }
        }
      )
      assert.strictEqual(stdout, "ready\nint\nterm\n")
      assert.deepStrictEqual(exit, { code: null, signal: "SIGKILL", killedBecause: "asked" })
    })
  )

  it.live("by an interruption has ended when that is over", () =>
    Effect.gen(function* () {
      const path = file("cleaned")
      const ready = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(
        shell(cleans(path), { onText: () => Deferred.doneUnsafe(ready, Effect.void) })
      )
      yield* Deferred.await(ready)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(existsSync(path))
    })
  )

  it.live("before it began never begins", () =>
    Effect.gen(function* () {
      const path = file("begun")
      const lease = yield* Queue.unbounded<number>()
      const options = { deadlines: Stream.fromQueue(lease), signals: Stream.make("SIGTERM" as const) }
      const { exit } = yield* shell(`echo > ${path}`, options)
      assert.deepStrictEqual(exit, { code: null, signal: "SIGTERM", killedBecause: "asked" })
      const fiber = yield* Effect.forkChild(shell(`echo > ${path}`, { deadlines: Stream.never }), {
        startImmediately: true
      })
      yield* Fiber.interrupt(fiber)
      assert.isFalse(existsSync(path))
    })
  )

  it.live("by an interruption, and does not, is killed before the lease ends", () =>
    Effect.gen(function* () {
      const ready = yield* Deferred.make<void>()
      const end = Date.now() + 30_000
      const fiber = yield* Effect.forkChild(
        shell("trap '' INT TERM; echo ready; while :; do sleep 0.02; done", {
          ttl: Duration.seconds(30),
          deadlines: Stream.concat(Stream.make(end), Stream.never),
          onText: () => Deferred.doneUnsafe(ready, Effect.void)
        })
      )
      yield* Deferred.await(ready)
      yield* Fiber.interrupt(fiber)
      assert.isBelow(Date.now(), end)
    })
  )
})

// Leases are long, for a busy machine.
describe("a lease that is not renewed", { concurrent: true }, () => {
  const held = (ttl: number) => {
    const end = Date.now() + ttl
    return { end, ttl: Duration.millis(ttl), deadlines: Stream.concat(Stream.make(end), Stream.never) }
  }

  it.live("lets the command clean up before it ends", () =>
    Effect.gen(function* () {
      const { end, ...options } = held(30_000)
      const { exit } = yield* shell("trap 'exit 9' TERM; while :; do sleep 0.02; done", options)
      assert.deepStrictEqual(exit, { code: 9, signal: null, killedBecause: "lease_lost" })
      assert.isBelow(Date.now(), end)
    })
  )

  it.live("and is reported as lost ends the command at once, though it would not", () =>
    Effect.gen(function* () {
      const deadline = yield* SubscriptionRef.make(Date.now() + 3_600_000)
      const { exit } = yield* shell("trap '' TERM; echo ready; while :; do sleep 0.02; done", {
        deadlines: SubscriptionRef.changes(deadline),
        onText: () => Effect.runFork(SubscriptionRef.set(deadline, 0))
      })
      assert.deepStrictEqual(exit, { code: null, signal: "SIGKILL", killedBecause: "lease_lost" })
    })
  )

  it.live("and a guard that is frozen end with the command's death all the same", () =>
    Effect.gen(function* () {
      const { end, ...options } = held(30_000)
      let frozen = false
      let last = 0
      const { exit, stdout } = yield* shell("trap '' TERM; echo $PPID $$; while :; do sleep 0.02; echo; done", {
        ...options,
        onText: ({ stdout }) => {
          last = Date.now()
          if (!frozen) process.kill(Number(stdout.split(" ")[0]), "SIGSTOP")
          frozen = true
        }
      })
      assert.isBelow(last, end)
      assert.deepStrictEqual(exit, { code: null, signal: "SIGKILL", killedBecause: "lease_lost" })
      yield* gone(Number.parseInt(stdout.split(" ")[1]!))
    })
  )

  it.live("and a guard that reports nothing may have run the command, which is never denied", () =>
    Effect.gen(function* () {
      const { end: _, ...options } = held(1_000)
      const silent = { command: [process.execPath, "-e", "setInterval(() => undefined, 1000)"] }
      const { exit } = yield* shell("exit 0", { ...options, guard: silent })
      assert.deepStrictEqual(exit, { code: null, signal: "SIGKILL", killedBecause: "lease_lost" })
    })
  )

  it.live("but is in time, keeps the command alive", () =>
    Effect.gen(function* () {
      const ttl = 10_000
      const { exit } = yield* shell("sleep 12", {
        ttl: Duration.millis(ttl),
        deadlines: Stream.fromEffectSchedule(
          Effect.sync(() => Date.now() + ttl),
          Schedule.spaced(Duration.millis(ttl / 10))
        )
      })
      assert.deepStrictEqual(exit, { code: 0, signal: null })
    })
  )
})

it.live("kills the command, and says so, if its guard was killed", () =>
  Effect.gen(function* () {
    let killed = false
    const { exit, stdout } = yield* shell("sleep 1000 & echo $PPID $$ $!; wait", {
      onText: ({ stdout }) => {
        if (!killed) process.kill(Number(stdout.split(" ")[0]), "SIGKILL")
        killed = true
      }
    })
    assert.deepStrictEqual(exit, { code: null, signal: "SIGKILL", killedBecause: "guard_gone" })
    const [, command, child] = stdout.trim().split(" ").map(Number)
    yield* gone(command!)
    yield* gone(child!)
  })
)

describe("what a command sees", () => {
  it.live("is its environment, its mark and nothing else", () =>
    Effect.gen(function* () {
      const id = file("env")
      const { stdout } = yield* shell("env", { id, env: { PATH: process.env["PATH"], NODE_OPTIONS: "--no-such" } })
      const variables = stdout
        .trim()
        .split("\n")
        .filter((line) => !/^(PWD|SHLVL|_|OLDPWD)=/.test(line))
      assert.sameMembers(variables, [`PATH=${process.env["PATH"]}`, "NODE_OPTIONS=--no-such", `SIGNALBOX_RUN=${id}`])
    })
  )

  it.live("is output that scripts can open by name, and no way to its guard", () =>
    Effect.gen(function* () {
      const { exit, stderr, stdout } = yield* shell(
        "echo a > /dev/stdout; echo b > /dev/stderr; (true >&3) 2> /dev/null"
      )
      assert.deepStrictEqual([stdout, stderr], ["a\n", "b\n"])
      assert.notStrictEqual(exit.code, 0)
    })
  )

  it("gets colour if it ends up on a terminal, and its trace", () => {
    const make = (env: Record<string, string>, color: boolean) =>
      LeasedCommand.environment({ env, id: "x", color, traceparent: "00-1-2-01" })
    assert.deepStrictEqual(make({ A: "1" }, true), {
      A: "1",
      FORCE_COLOR: "1",
      TRACEPARENT: "00-1-2-01",
      SIGNALBOX_RUN: "x"
    })
    assert.notProperty(make({}, false), "FORCE_COLOR")
    assert.notProperty(make({ NO_COLOR: "1" }, true), "FORCE_COLOR")
    assert.propertyVal(make({ FORCE_COLOR: "0" }, true), "FORCE_COLOR", "0")
  })
})

describe("what a command prints", () => {
  const secret = "planted-3f9c0a77"
  const redactor = Redaction.make({ values: [secret] })

  it.live("is handed on without its secrets, though they come in two parts", () =>
    Effect.gen(function* () {
      const go = file("go")
      const [first, second] = [secret.slice(0, 7), secret.slice(7)]
      const { stdout } = yield* shell(
        `printf 'a ${first}'; while [ ! -e ${go} ]; do sleep 0.02; done; echo '${second} b'`,
        // While waiting, everything is passed on except what may be the secret.
        { redactor, onText: ({ stdout }) => stdout === "a " && writeFileSync(go, "") }
      )
      assert.strictEqual(stdout, "a *** b\n")
    })
  )

  it.live("is seen though its line does not end", () =>
    Effect.gen(function* () {
      const go = file("go")
      const { stdout } = yield* shell(`printf 'Proceed? '; while [ ! -e ${go} ]; do sleep 0.02; done`, {
        onText: () => writeFileSync(go, "")
      })
      assert.strictEqual(stdout, "Proceed? ")
    })
  )

  it.live("keeps its bytes, text or not", () =>
    Effect.gen(function* () {
      const bytes: Array<Uint8Array> = []
      yield* shell(`printf 'gr\\303\\274n \\377\\376\\000 ${secret}'`, {
        redactor,
        onOutput: (_, chunk) => void bytes.push(chunk)
      })
      assert.deepStrictEqual(
        Buffer.concat(bytes),
        Buffer.concat([Buffer.from("grün "), Buffer.from([0xff, 0xfe, 0]), Buffer.from(" ***")])
      )
    })
  )

  it.live("is kept in a file of its own, a line of JSON for each", () =>
    Effect.gen(function* () {
      const path = file("log")
      const onBroken = () => assert.fail("nothing is wrong with it")
      yield* shell(`printf 'grün ${secret}\\r\\n\\nend'; printf oops >&2`, {
        redactor,
        log: { path, correlationId: "c1", onBroken }
      })
      const lines = readFileSync(path, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
      const on = (stream: string) => lines.filter((entry) => entry.stream === stream).map(({ line }) => line)
      assert.deepStrictEqual(on("stdout"), ["grün ***", "", "end"])
      assert.deepStrictEqual(on("stderr"), ["oops"])
      assert.isTrue(lines.every(({ at, correlationId }) => correlationId === "c1" && !Number.isNaN(Date.parse(at))))
      assert.strictEqual(statSync(path).mode & 0o777, 0o600)
    })
  )

  it.live.each([
    ["a folder", () => directory],
    ...(linux ? [["a full disk", () => "/dev/full"] as const] : [])
  ] as const)("continues if its file is %s, which is reported once", ([, path]) =>
    Effect.gen(function* () {
      const said: Array<string> = []
      const { exit, stdout } = yield* shell("echo a; sleep 0.1; echo b; exit 3", {
        log: { path: path(), correlationId: "c1", onBroken: (reason) => said.push(reason) }
      })
      assert.strictEqual(stdout, "a\nb\n")
      assert.strictEqual(exit.code, 3)
      assert.lengthOf(said, 1)
    })
  )

  it.live(
    "waits for its consumer: 200 MB need no memory",
    () =>
      Effect.gen(function* () {
        const total = 200_000_000
        const written = file("written")
        let taken = 0
        let most = 0
        const before = process.memoryUsage.rss()
        const line = "step 1234 of a deployment: still waiting for the stack"
        const { exit } = yield* shell(`yes '${line}' | head -c ${total}; echo > ${written}`, {
          redactor,
          onOutput: async (_, bytes) => {
            // The first output is not consumed for a while: the command cannot have ended then.
            for (let looks = 0; taken === 0 && looks < 150; looks++) {
              assert.isFalse(existsSync(written))
              await new Promise((resolve) => setTimeout(resolve, 10))
            }
            taken += bytes.length
            most = Math.max(most, process.memoryUsage.rss() - before)
          }
        })
        assert.strictEqual(exit.code, 0)
        assert.strictEqual(taken, total)
        assert.isBelow(most, 150_000_000)
      }),
    120_000
  )

  it.live("is read on if it is not consumed any more", () =>
    Effect.gen(function* () {
      const { exit } = yield* shell("yes | head -c 1000000; exit 4", {
        onOutput: () => Promise.reject(new Error("its reader went away"))
      })
      assert.strictEqual(exit.code, 4)
    })
  )
})
