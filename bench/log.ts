import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Clock, Duration, Effect } from "effect"
import {
  type CorrelationId,
  type DeploymentId,
  DeploymentStore,
  type EnvironmentName,
  type NewEvent
} from "@signalbox/core/spi"
import { embeddedStore } from "@signalbox/node"
import { quantile, type Row, stream } from "./measure.ts"
import { here, node } from "./paths.ts"

const deploymentId = "DBENCH0" as DeploymentId
const environment = (n: number) => `env-${n % 10}` as EnvironmentName

export const requested = (n: number, at: number): NewEvent => ({
  id: "requested",
  at,
  event: {
    _tag: "ExecutionRequested",
    correlationId: `x${n}` as CorrelationId,
    kind: "deploy",
    deploymentId,
    environment: environment(n),
    version: `1.0.${n}`,
    by: "bench",
    deploymentBefore: "initialized",
    stacksBefore: [],
    spec: { stacks: [], parallelism: 1, rollback: true, leaseTtl: Duration.seconds(10) }
  }
})

const step = (n: number, at: number): NewEvent => ({
  id: `intent/${n}`,
  at,
  event: { _tag: "StepStarted", step: `step-${n}`, attempt: 1, operation: "bench" }
})

/** Executions of 100 events each, until the store holds so many. */
export const fill = Effect.fnUntraced(function* (from: number, to: number) {
  const store = yield* DeploymentStore
  const at = yield* Clock.currentTimeMillis
  yield* Effect.forEach(
    Array.from({ length: (to - from) / 100 }, (_, n) => from / 100 + n),
    (n) =>
      store.append({
        stream: `x${n}`,
        events: [
          requested(n, at + n),
          ...Array.from({ length: 97 }, (_, index) => step(index, at + n)),
          { id: "started", at: at + n, event: { _tag: "ExecutionTransitioned", on: "started" } },
          { id: "completed", at: at + n, event: { _tag: "ExecutionTransitioned", on: "completed" } }
        ]
      }),
    { concurrency: 50, discard: true }
  )
})

const times = Effect.fnUntraced(function* <E, R>(count: number, work: (n: number) => Effect.Effect<unknown, E, R>) {
  const measured: Array<number> = []
  for (let n = 0; n < count; n++) {
    const started = performance.now()
    yield* work(n)
    measured.push(performance.now() - started)
  }
  return measured
})

interface Reads {
  readonly status: ReadonlyArray<number>
  readonly page: ReadonlyArray<number>
}

/** Reads one execution and a full page of history, from a newly opened store without caches. */
const reads = (directory: string, events: number): Promise<Reads> =>
  Effect.gen(function* () {
    const store = yield* DeploymentStore
    const executions = events / 100
    const some = (n: number) => (n * 7_919) % executions
    yield* times(50, (n) => store.execution(`x${some(n)}` as CorrelationId))
    yield* times(20, () => store.executions({ deploymentId, limit: 10 }))
    return {
      status: yield* times(1_000, (n) => store.execution(`x${some(n)}` as CorrelationId)),
      page: yield* times(1_000, () => store.executions({ deploymentId, limit: 10 }))
    }
  }).pipe(Effect.provide(embeddedStore({ directory })), Effect.runPromise)

/** One event a transaction: this store's append against a bare INSERT of the same content, in turns. */
const appends = async (directory: string): Promise<{ readonly own: number; readonly raw: number }> => {
  const database = new DatabaseSync(join(directory, "raw.db"))
  database.exec(
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE e (env TEXT, seq INTEGER, body TEXT, PRIMARY KEY (env, seq)) WITHOUT ROWID"
  )
  const insert = database.prepare("INSERT INTO e VALUES (?, ?, ?)")
  const body = JSON.stringify(step(1, 1))
  const own: Array<number> = []
  const raw: Array<number> = []
  await Effect.gen(function* () {
    const store = yield* DeploymentStore
    const at = yield* Clock.currentTimeMillis
    yield* store.append({
      stream: "append",
      events: [
        { ...requested(0, at), event: { ...requested(0, at).event, correlationId: "append" } as NewEvent["event"] }
      ]
    })
    for (let round = 0; round < 40; round++) {
      own.push(...(yield* times(50, (n) => store.append({ stream: "append", events: [step(round * 50 + n, at)] }))))
      raw.push(...(yield* times(50, (n) => Effect.sync(() => insert.run("append", round * 50 + n, body)))))
    }
  }).pipe(Effect.provide(embeddedStore({ directory })), Effect.runPromise)
  database.close()
  return { own: quantile(own, 0.5), raw: quantile(raw, 0.5) }
}

/** How long after its commit another process sees an event. */
const seen = async (directory: string): Promise<ReadonlyArray<number>> => {
  const other = stream([node, "--conditions=@signalbox/source", join(here, "children", "follower.ts"), directory])
  await other.waitFor("ready")
  const delays: Array<number> = []
  let arrived: (at: number) => void = () => undefined
  other.process.stdout!.on("data", () => arrived(performance.now()))
  await Effect.gen(function* () {
    const store = yield* DeploymentStore
    for (let n = 0; n < 100; n++) {
      const at = yield* Clock.currentTimeMillis
      const news = new Promise<number>((resolve) => (arrived = resolve))
      yield* store.append({ stream: "append", events: [{ ...step(n, at), id: `seen/${n}` }] })
      const written = performance.now()
      delays.push((yield* Effect.promise(() => news)) - written)
    }
  }).pipe(Effect.provide(embeddedStore({ directory })), Effect.runPromise)
  other.process.kill()
  await other.ended
  return delays
}

/** Appends and reads of the embedded store as it grows from 10³ to 10⁶ events. */
export const log = async (): Promise<ReadonlyArray<Row>> => {
  const directory = mkdtempSync(join(tmpdir(), "signalbox-bench-"))
  try {
    const sizes = [1_000, 10_000, 100_000, 1_000_000]
    const measured = new Map<number, Reads>()
    let from = 0
    for (const size of sizes) {
      await Effect.runPromise(Effect.provide(fill(from, size), embeddedStore({ directory })))
      measured.set(size, await reads(directory, size))
      from = size
    }
    const { own, raw } = await appends(directory)
    const delays = await seen(directory)
    const of = (what: keyof Reads, title: string): ReadonlyArray<Row> =>
      sizes.map((size) => {
        const values = measured.get(size)![what]
        const base = quantile(measured.get(1_000)![what], 0.5)
        return {
          group: "log",
          what: `${title} at ${size.toExponential(0)} events`,
          value: quantile(values, 0.5),
          unit: "ms",
          against: "at 1e+3",
          ratio: quantile(values, 0.5) / base,
          note: `p99 ${quantile(values, 0.99).toFixed(3)}`,
          ...(size === 1_000_000 ? { goal: 1.5 } : {})
        }
      })
    return [
      {
        group: "log",
        what: "append, FULL, at 1e+6 events",
        value: own,
        unit: "ms",
        against: "raw INSERT",
        ratio: own / raw,
        goal: 1 / 0.7
      },
      ...of("status", "status of one execution"),
      ...of("page", "a page of history"),
      {
        group: "log",
        what: "another process sees an event",
        value: quantile(delays, 0.5),
        unit: "ms",
        note: `p99 ${quantile(delays, 0.99).toFixed(1)}, goal 100`
      }
    ]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
