/**
 * The fate of a command whose holder is killed, frozen or slow. The command reports every 10 ms that it lives, ignores
 * every signal that can be ignored, and has a child that does the same; on Linux one more that left the process group.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, describe, expect, it } from "vitest"
import { type Child, startChild } from "../support/child.ts"
import { temporaryDirectory } from "../support/directory.ts"
import { isAlive } from "../support/isAlive.ts"
import { until } from "../support/until.ts"

const beatsPath = fileURLToPath(new URL("../fixtures/beats.mjs", import.meta.url))
const kin = process.platform === "linux" ? "group,detached" : "group"
const processes = 1 + kin.split(",").length

const cleanups: Array<() => void> = []
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean()
})

interface Held {
  readonly holder: Child
  /** When each process of the command was last alive. */
  readonly beats: () => ReadonlyMap<number, number>
  readonly lastBeat: () => number
  readonly isGone: () => boolean
  readonly deadline: () => number
  readonly stop: () => void
}

const hold = async (ttl: number): Promise<Held> => {
  const directory = temporaryDirectory((remove) => cleanups.push(remove))
  const file = join(directory, "beats")
  const deadlineFile = join(directory, "deadline")
  const holder = startChild("holder.ts", [deadlineFile, `${ttl}`, process.execPath, beatsPath, file, kin])
  const beats = () =>
    new Map(
      (existsSync(file) ? readFileSync(file, "utf8") : "")
        .split("\n")
        .slice(0, -1)
        .map((line) => line.split(" ").map(Number) as [number, number])
    )
  const stop = () => writeFileSync(`${file}.stop`, "")
  cleanups.unshift(() => {
    stop()
    holder.process.kill("SIGKILL")
    for (const pid of beats().keys()) if (isAlive(pid)) process.kill(pid, "SIGKILL")
  })
  await until("all of the command runs", () => beats().size === processes)
  return {
    holder,
    beats,
    lastBeat: () => Math.max(...beats().values()),
    isGone: () => ![...beats().keys()].some(isAlive),
    deadline: () => Number(readFileSync(deadlineFile, "utf8")),
    stop
  }
}

describe("a command whose holder", () => {
  it("is killed dies soon, with all its kin, long before the lease ends", async () => {
    const held = await hold(600_000)
    held.holder.process.kill("SIGKILL")
    await until("it is dead", held.isGone)
    expect(held.beats().size).toBe(processes)
    expect(held.lastBeat()).toBeLessThan(held.deadline() - 300_000)
  })

  it("is killed just before the lease ends dies before that too", async () => {
    const held = await hold(12_000)
    held.holder.process.kill("SIGSTOP")
    await until("the lease is about to end", () => Date.now() > held.deadline() - 2_200)
    held.holder.process.kill("SIGKILL")
    await until("it is dead", held.isGone)
    expect(held.lastBeat()).toBeLessThan(held.deadline())
  })

  it("is frozen is dead before the lease ends, and the holder learns so when it goes on", async () => {
    const held = await hold(12_000)
    held.holder.process.kill("SIGSTOP")
    await until("it is dead", held.isGone)
    expect(held.lastBeat()).toBeLessThan(held.deadline())
    held.holder.process.kill("SIGCONT")
    expect(JSON.parse(await held.holder.output)).toEqual({
      code: null,
      signal: "SIGKILL",
      killedBecause: "lease_lost"
    })
  })

  it("is frozen, but renews the lease in time, goes on", async () => {
    const held = await hold(4_000)
    held.holder.process.kill("SIGSTOP")
    const frozen = Date.now()
    const first = held.deadline()
    await until("time passes", () => Date.now() > frozen + 1_000)
    held.holder.process.kill("SIGCONT")
    await until("it lives on after the lease that it began with", () => held.lastBeat() > first + 200)
    held.stop()
    expect(JSON.parse(await held.holder.output)).toEqual({ code: 0, signal: null })
    expect(held.isGone()).toBe(true)
  })

  it("renews lives on for several times the lease", async () => {
    const held = await hold(3_000)
    const first = held.deadline()
    await until("it lives on", () => held.lastBeat() > first + 4_000)
    held.stop()
    expect(JSON.parse(await held.holder.output)).toEqual({ code: 0, signal: null })
  })
})
