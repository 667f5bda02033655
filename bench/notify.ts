/** What notifications cost a deployment: an append that owes one, and channels that are away. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Clock, Effect } from "effect"
import { DeploymentStore, type NewEvent } from "@signalbox/core/spi"
import { embeddedStore } from "@signalbox/node"
import { pairs } from "../packages/cli/test/notifyPairs.ts"
import { fill, requested } from "./log.ts"
import { quantile, type Row } from "./measure.ts"

const begin = (stream: string, at: number): ReadonlyArray<NewEvent> => [
  { ...requested(0, at), event: { ...requested(0, at).event, correlationId: stream } as NewEvent["event"] },
  { id: "started", at, event: { _tag: "ExecutionTransitioned", on: "started" } }
]

/** One transition with its state in a transaction that owes a notification, and one in a transaction that does not, in turns. */
const appends = async (count: number) => {
  const directory = mkdtempSync(join(tmpdir(), "signalbox-bench-"))
  const took = { owing: [] as Array<number>, plain: [] as Array<number> }
  await Effect.gen(function* () {
    yield* fill(0, 10_000)
    const store = yield* DeploymentStore
    const at = yield* Clock.currentTimeMillis
    for (const stream of ["owing", "plain"]) yield* store.append({ stream, events: begin(stream, at) })
    for (let n = 0; n < count; n++) {
      // The second of two commits may find the disk warm.
      for (const stream of n % 2 === 0 ? (["owing", "plain"] as const) : (["plain", "owing"] as const)) {
        const on = n % 2 === 0 ? "paused" : "resumed"
        const events: ReadonlyArray<NewEvent> = [{ id: `move/${n}`, at, event: { _tag: "ExecutionTransitioned", on } }]
        const started = performance.now()
        yield* store.append({ stream, events, owes: stream === "owing" })
        took[stream].push(performance.now() - started)
      }
    }
  }).pipe(Effect.provide(embeddedStore({ directory })), Effect.runPromise)
  rmSync(directory, { recursive: true, force: true })
  return { owing: quantile(took.owing, 0.5), plain: quantile(took.plain, 0.5) }
}

/** Both. */
export const notify = async (): Promise<ReadonlyArray<Row>> => {
  const { owing, plain } = await appends(4_000)
  const { codes, medianMs, offMs } = await pairs(50)
  if (codes.some((code) => code !== 0)) throw new Error(`deployments ended with ${codes.join(", ")}`)
  return [
    {
      group: "notify",
      what: "append that owes notifications, FULL",
      value: owing,
      unit: "ms",
      against: "one that owes none",
      ratio: owing / plain,
      goal: 1.25,
      note: "4,000 pairs in turns"
    },
    ...(["refusing", "hanging"] as const).map((how): Row => ({
      group: "notify",
      what: `deployment with a channel that is ${how}`,
      value: medianMs[how],
      unit: "ms",
      against: "notifications off",
      ratio: (offMs + medianMs[how]) / offMs,
      note: "median difference of 50 pairs, goal 10 ms"
    }))
  ]
}
