/**
 * Many executions, channels that fail, and workers that are killed: nothing may be lost, and order has to be kept.
 * `main.ts` runs it at full size.
 */
import {
  CorrelationId,
  DeploymentId,
  DeploymentStore,
  EnvironmentName,
  type EventOf,
  type NewEvent
} from "@signalbox/core/spi"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { type Answer, type Arrival, startReceiver } from "./Receiver.ts"
import { storeAt } from "./worker.ts"

export interface StormOptions {
  readonly where: string
  readonly executions: number
  readonly kills: number
  readonly awaySeconds: number
  /** Whether some requests get no answer at all: each costs half a minute. */
  readonly hangs: boolean
}

const deploymentId = DeploymentId.make("DX6604E")

export const requested = (stream: string): NewEvent => ({
  id: "requested",
  at: Date.now(),
  event: {
    _tag: "ExecutionRequested",
    correlationId: CorrelationId.make(stream),
    kind: "deploy",
    deploymentId,
    environment: EnvironmentName.make("production"),
    by: "storm",
    deploymentBefore: "initialized",
    stacksBefore: [],
    spec: { stacks: [], parallelism: 1, rollback: true, leaseTtl: Duration.seconds(15) }
  }
})

/** Twenty notable events: it starts, is paused and resumed nine times, and completes. */
const transitions: ReadonlyArray<EventOf<"ExecutionTransitioned">["on"]> = [
  "started",
  ...Array.from({ length: 9 }, () => ["paused", "resumed"] as const).flat(),
  "completed"
]

export const transition = (on: EventOf<"ExecutionTransitioned">["on"], n: number): NewEvent => ({
  id: `transition/${n}`,
  at: Date.now(),
  event: { _tag: "ExecutionTransitioned", on }
})

/** Every delivery that has to arrive, by its channel, stream and seq. */
const judge = (arrivals: ReadonlyArray<Arrival>, streams: ReadonlyArray<string>) => {
  const first = new Map<string, Arrival>()
  const duplicates = { afterNoAnswer: 0, afterKill: 0 }
  let unordered = 0
  const newest = new Map<string, number>()
  const keys = new Map<string, string>()
  const unanswered = new Set<string>()
  for (const arrival of arrivals) {
    const key = `${arrival.channel} ${arrival.stream} ${arrival.folded === undefined ? arrival.seq : arrival.id}`
    if (first.has(key)) {
      duplicates[unanswered.has(key) ? "afterNoAnswer" : "afterKill"]++
      if (keys.get(key) !== arrival.id) throw new Error(`${key} came with two keys`)
      continue
    }
    first.set(key, arrival)
    if (arrival.isUnanswered) unanswered.add(key)
    keys.set(key, arrival.id)
    if (arrival.folded !== undefined) continue
    const chain = `${arrival.channel} ${arrival.stream}`
    if ((newest.get(chain) ?? 0) > arrival.seq) unordered++
    newest.set(chain, arrival.seq)
  }
  const expected = streams.flatMap((stream) =>
    ["steady", "flaky"].flatMap((channel) => transitions.map((_, n) => `${channel} ${stream} ${n + 2}`))
  )
  const missing = expected.filter((key) => !first.has(key)).length
  // A channel that was away for long gets one summary of what held no more; it is told of each of them, too.
  const summaries = [...first.values()].filter(({ folded }) => folded !== undefined)
  const folded = summaries.reduce((sum, one) => sum + (one.folded ?? 0), 0)
  // What arrived without an answer may have been folded later.
  return { expected: expected.length, folded, lost: Math.max(0, missing - folded), duplicates, unordered }
}

/** From the end of a failed execution until the receiver has it, with a worker in another process; in ms. */
export const latency = async (where: string, executions: number) => {
  const receiver = await startReceiver(() => "take")
  const path = fileURLToPath(new URL("worker.ts", import.meta.url))
  const args = ["--conditions=@signalbox/source", "--disable-warning=ExperimentalWarning", path, where, receiver.url]
  const worker = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] })
  const streams = Array.from({ length: executions }, (_, n) => `latency-${Date.now()}-${n}`)
  // An earlier worker that was killed may have left some to be repeated.
  const own = () => receiver.arrivals.filter(({ stream }) => streams.includes(stream))
  const arrived = async (count: number) => {
    for (let tries = 0; own().length < count && tries < 6_000; tries++) await sleep(10)
  }
  const write = Effect.gen(function* () {
    const store = yield* DeploymentStore
    // The first one waits for the start of the worker.
    for (const [n, stream] of streams.entries()) {
      yield* store.append({ stream, events: [requested(stream)], owes: true })
      yield* store.append({ stream, events: [transition("failed", 0)], owes: true })
      yield* n === 0 ? Effect.promise(() => arrived(2)) : Effect.sleep("100 millis")
    }
    yield* Effect.promise(() => arrived(2 * executions))
  })
  try {
    await Effect.runPromise(Effect.provide(write, storeAt(where)))
  } finally {
    worker.kill("SIGKILL")
    await receiver.stop()
  }
  const took = own()
    .slice(2)
    .map(({ arrivedAt, at }) => arrivedAt - at)
    .sort((left, right) => left - right)
  const quantile = (share: number) => took[Math.min(took.length - 1, Math.floor(took.length * share))]!
  return { n: took.length, p50: quantile(0.5), p99: quantile(0.99) }
}

/** It ends by then even if something was lost, in ms. */
const longest = 45 * 60_000
/** So many of its first reports of memory are left out: a worker loads its modules, and its first streams. */
const warmUp = 10

interface Memory {
  readonly whole: number
  readonly alive: number
}

const memoryIn = (text: string): ReadonlyArray<Memory> =>
  text
    .trim()
    .split("\n")
    .map((line) => line.split(" ").map(Number))
    .map(([whole = 0, alive = 0]) => ({ whole, alive }))

const spanOf = (values: ReadonlyArray<number>) => [Math.min(...values), Math.max(...values)] as const

/** Runs it, and returns the figures. `memory` is in MiB: of the worker that lived longest. */
export const storm = async ({ awaySeconds, executions, hangs, kills, where }: StormOptions) => {
  const start = Date.now()
  const awayFrom = start + 2_000
  const answer = (channel: string): Answer => {
    if (channel === "steady") return "take"
    const now = Date.now()
    if (now > awayFrom && now < awayFrom + awaySeconds * 1_000) return "refuse"
    const chance = Math.random()
    return chance < 0.3 ? "refuse" : hangs && chance < 0.302 ? "hang" : chance < 0.304 ? "drop" : "take"
  }
  const receiver = await startReceiver(answer)
  const memory: Array<Array<Memory>> = []
  let worker: ChildProcess | undefined
  let isOver = false

  const startWorker = () => {
    const path = fileURLToPath(new URL("worker.ts", import.meta.url))
    const flags = ["--conditions=@signalbox/source", "--disable-warning=ExperimentalWarning", "--expose-gc"]
    worker = spawn(process.execPath, [...flags, path, where, receiver.url], { stdio: ["ignore", "pipe", "inherit"] })
    const own: Array<Memory> = []
    memory.push(own)
    worker.stdout?.on("data", (text: Buffer) => own.push(...memoryIn(text.toString())))
    return worker
  }

  const killing = async () => {
    for (let n = 0; n < kills && !isOver; n++) {
      const child = startWorker()
      // Only a worker that has sent something is worth killing.
      const before = receiver.arrivals.length
      const patience = Date.now() + 15_000
      while (!isOver && receiver.arrivals.length < before + 5 && Date.now() < patience) await sleep(20)
      await sleep(Math.random() * 400)
      child.kill("SIGKILL")
      await once(child, "close")
    }
    if (!isOver) startWorker()
  }

  const streams = Array.from({ length: executions }, (_, n) => `storm-${start}-${n}`)
  const write = Effect.gen(function* () {
    const store = yield* DeploymentStore
    yield* Effect.forEach(
      streams,
      (stream) =>
        Effect.gen(function* () {
          yield* store.append({ stream, events: [requested(stream)], owes: true })
          for (const [n, on] of transitions.entries()) {
            yield* store.append({ stream, events: [transition(on, n)], owes: true })
          }
        }),
      { concurrency: 16, discard: true }
    )
    const killer = killing()
    for (;;) {
      const { lost } = judge(receiver.arrivals, streams)
      const owed = yield* store.outbox.owed({ limit: 1 })
      const queued = yield* store.outbox.deliveries({ statuses: ["queued"], limit: 1 })
      if (lost === 0 && owed.length === 0 && queued.length === 0) break
      if (Date.now() - start > longest) break
      yield* Effect.sleep("250 millis")
    }
    isOver = true
    yield* Effect.promise(() => killer)
  })
  try {
    await Effect.runPromise(Effect.provide(write, storeAt(where)))
  } finally {
    isOver = true
    worker?.kill("SIGKILL")
    await receiver.stop()
  }
  const [lasting = []] = memory.toSorted((left, right) => right.length - left.length)
  const settled = lasting.length > warmUp ? lasting.slice(warmUp) : lasting
  return {
    events: streams.length * transitions.length,
    ...judge(receiver.arrivals, streams),
    kills,
    seconds: Math.round((Date.now() - start) / 1_000),
    memory: { whole: spanOf(settled.map(({ whole }) => whole)), alive: spanOf(settled.map(({ alive }) => alive)) }
  }
}
