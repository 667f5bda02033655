/** Applies a fault to a world, and carries on its operation until it ends. */
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Chance } from "./chance.ts"
import { endOf, readLog } from "./evidence.ts"
import type { Fault } from "./faults.ts"
import type { Printed } from "./judge.ts"
import { isStopped, signal, until } from "./processes.ts"
import type { Options, Started } from "./program.ts"
import { now, type World } from "./World.ts"

/** The correlation id of the operation. */
export const operation = "op"

export interface Conducted {
  /** The exit code of the command that saw the end. */
  readonly code: number | undefined
  /** When the supervisor was killed. */
  readonly killedAt: ReadonlyArray<number>
  readonly printed: ReadonlyArray<Printed>
  readonly notes: ReadonlyArray<string>
}

export const argsOf = (world: World, stream = operation): ReadonlyArray<string> => [
  ...world.scenario.operation,
  "--correlation-id",
  stream,
  "--json"
]

/** Answers every question so that the operation reaches the end of its twin. */
export const person = (world: World): { readonly leave: () => Promise<void> } => {
  const answered = new Map<string, number>()
  let here = true
  const working = (async () => {
    while (here) {
      await new Promise((resolve) => setTimeout(resolve, 150))
      const log = readLog(world.folder)
      const questions = log.filter(({ tag }) => tag === "ApprovalRequested")
      for (const { body, id, stream } of questions) {
        const done = log.some((one) => one.stream === stream && one.id === id.replace(/asked$/, "answered"))
        if (done || endOf(log, stream) !== undefined || now() - (answered.get(id) ?? -Infinity) < 4000) continue
        answered.set(id, now())
        const { code } = body.question as { readonly code: string }
        const command = code === "switch_ready" ? "approve" : "retry"
        if (here) await world.run([command, stream, "--json"])
      }
    }
  })()
  return {
    leave: () => {
      here = false
      return working
    }
  }
}

const longest = 300_000

/** Runs an operation until its log shows its end: as often as necessary, in either of the two ways. */
export const carryOn = async (
  world: World,
  chance: Chance,
  stream = operation,
  { again, plant }: { readonly again?: number | undefined; readonly plant?: string | undefined } = {}
): Promise<number | undefined> => {
  const end = performance.now() + longest
  let interrupt = again
  while (performance.now() < end) {
    const log = readLog(world.folder, stream)
    const ended = endOf(log, stream) !== undefined
    const attach = log.length > 0 && (ended || chance.yes(0.5))
    const started = world.start(
      attach ? ["attach", stream, "--json"] : argsOf(world, stream),
      plant === undefined ? {} : { plant }
    )
    const timer = interrupt === undefined ? undefined : setTimeout(() => started.child.kill("SIGKILL"), interrupt)
    interrupt = undefined
    const { code } = await world.end(started, ["carry on", stream])
    clearTimeout(timer)
    if (endOf(readLog(world.folder, stream), stream) !== undefined) {
      // A command that saw the end reports it.
      if (code !== undefined && code !== 6) return code
      continue
    }
    await sleep(100)
  }
  throw new Error(`${stream} was carried on for ${longest / 1000} s and did not end`)
}

const sleep = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

const over = ({ child }: Started): boolean => child.exitCode !== null || child.signalCode !== null

/** Waits until a command stopped itself; false if it ended before. */
const stops = async (started: Started): Promise<boolean> => {
  await until(() => over(started) || isStopped(started.child.pid!), 300_000, 5)
  return !over(started)
}

/** Takes all the room that is left. */
const fill = (world: World): (() => void) => {
  const file = join(world.folder, ".signalbox", "filler")
  for (let size = 1 << 20; size >= 1; size = Math.floor(size / 4)) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size), { flag: "a" })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error
    }
  }
  return () => rmSync(file, { force: true })
}

export const conduct = async (world: World, fault: Fault, chance: Chance, plant?: string): Promise<Conducted> => {
  const killedAt: Array<number> = []
  const notes: Array<string> = []
  const planted: Options = plant === undefined ? {} : { plant }
  const args = argsOf(world)
  const begin = (options: Options = {}) => world.start(args, { ...planted, ...options })
  const killSupervisor = () => {
    const pid = world.supervisor
    if (pid === undefined) return
    killedAt.push(now())
    signal(pid, "SIGKILL")
  }
  const again = chance.yes(0.3) ? chance.int(50, 1500) : undefined
  const helper = person(world)
  let code: number | undefined
  let printed: ReadonlyArray<Printed> = []
  try {
    await world.prepare()
    const follower = follow(world)
    switch (fault.kind) {
      case "boundary": {
        const { signal: by } = await world.end(begin({ disturbance: fault.disturbance }), args)
        if (by !== "SIGKILL") notes.push("the boundary was not reached")
        code = await carryOn(world, chance, operation, { again, plant })
        break
      }
      case "random":
      case "together": {
        const started = begin()
        await Promise.race([sleep(fault.after), started.ended])
        if (fault.kind === "together") killSupervisor()
        started.child.kill("SIGKILL")
        await started.ended
        code = await carryOn(world, chance, operation, { again, plant })
        break
      }
      case "supervisor": {
        const started = begin()
        for (const after of fault.after.toSorted((a, b) => a - b)) {
          await Promise.race([sleep(after), started.ended])
          killSupervisor()
        }
        await world.end(started, args)
        code = await carryOn(world, chance)
        break
      }
      case "sleep": {
        const sleeper = begin({ disturbance: fault.disturbance })
        if (!(await stops(sleeper))) notes.push("the boundary was not reached")
        const other = carryOn(world, chance, "other")
        if (fault.wake === "while") {
          const took = () => readLog(world.folder, "other").some(({ tag }) => tag === "RunnerClaimed")
          await Promise.race([other, until(took, 300_000, 5)])
        } else await other
        sleeper.child.kill("SIGCONT")
        const slept = await world.end(sleeper, args)
        notes.push(`the sleeper ended with ${slept.code}`)
        code = await other
        break
      }
      case "crowd": {
        const streams = Array.from({ length: fault.others + 1 }, (_, at) =>
          at === 0 || fault.same ? operation : `op-${at}`
        )
        const started = streams.map((stream) => world.start(argsOf(world, stream), planted))
        const codes = (await Promise.all(started.map((one) => world.end(one, args)))).map((one) => one.code)
        notes.push(`exit codes ${codes.join(" ")}`)
        if (codes.every((one) => one === 2)) throw new Error("everyone was refused")
        // A rejected command is repeated later.
        code = await carryOn(world, chance)
        break
      }
      case "full": {
        const started = fault.disturbance === null ? undefined : begin({ disturbance: fault.disturbance })
        if (started !== undefined && !(await stops(started))) notes.push("the boundary was not reached")
        const empty = fill(world)
        try {
          const running = started ?? begin()
          running.child.kill("SIGCONT")
          await Promise.race([running.ended, sleep(1500)])
          if (over(running)) notes.push(`without room it ended with ${running.child.exitCode}`)
          else notes.push("it waited for room")
          empty()
          const full = await world.end(running, args)
          // A busy machine may be slower than its lease of 2 seconds.
          const stopped = full.code === 6 || full.stderr.includes("lease_lost")
          if (!stopped && endOf(readLog(world.folder, operation), operation) === undefined) {
            throw new Error(`without room it ended with ${full.code ?? full.signal}, not 6: ${full.stderr}`)
          }
        } finally {
          empty()
        }
        code = await carryOn(world, chance)
        break
      }
      case "read-only": {
        const before = [world.log.length, world.ledger.length]
        const refused = await world.run(args, { ...planted, readOnly: true })
        if (refused.code !== 6)
          throw new Error(`where it may not write it ended with ${refused.code}: ${refused.stderr}`)
        const after = [world.log.length, world.ledger.length]
        if (String(before) !== String(after)) throw new Error(`it wrote where it may not: ${before} → ${after}`)
        code = await carryOn(world, chance)
        break
      }
      case "clock": {
        const started = begin({ disturbance: fault.disturbance })
        await world.end(started, args)
        code = await carryOn(world, chance)
        break
      }
    }
    printed = await follower.stop()
  } finally {
    await helper.leave()
  }
  return { code, killedAt, printed, notes }
}

/** Follows the events of the operation as a person would, and keeps the output. */
const follow = (world: World): { readonly stop: () => Promise<ReadonlyArray<Printed>> } => {
  let text = ""
  let left = false
  const following = (async () => {
    await until(() => left || readLog(world.folder, operation).length > 0, 300_000, 50)
    if (left) return
    const started = world.start(["events", operation, "--follow", "--json"], { onStdout: (data) => (text += data) })
    await until(() => left || over(started), 300_000, 20)
    started.child.kill("SIGTERM")
    await started.ended
  })()
  return {
    stop: async () => {
      left = true
      await following
      return text.split("\n").flatMap((line) => {
        try {
          return [JSON.parse(line) as Printed]
        } catch {
          return []
        }
      })
    }
  }
}
