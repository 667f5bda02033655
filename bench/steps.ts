import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Postgres } from "../packages/node/test/support/postgres.ts"
import { child, type Row, spread } from "./measure.ts"
import { bundled, here, node } from "./paths.ts"

interface Times {
  readonly times: ReadonlyArray<number>
  readonly sinceStart: number
}

const shapes = ["1x10", "1x100", "50x10", "50x100"] as const
const goals: Readonly<Record<string, number>> = { "1x100": 0.6, "50x100": 1 }

/** A journaled step, and the whole life of a short process, against DBOS on the same disk. */
export const steps = (postgres: Postgres | undefined, rounds = 3): ReadonlyArray<Row> => {
  const own: Array<Times> = []
  const theirs: Array<Times> = []
  const short: { own: Array<number>; theirs: Array<number> } = { own: [], theirs: [] }
  const dbos = join(here, "children", "steps-dbos.mjs")
  for (let round = 0; round < rounds; round++) {
    const folder = mkdtempSync(join(tmpdir(), "signalbox-bench-"))
    try {
      own.push(child<Times>([node, bundled("steps"), join(folder, "a"), "1x20", ...shapes]))
      if (postgres !== undefined) theirs.push(child<Times>([node, dbos, postgres.database(), "1x20", ...shapes]))
      for (let start = 0; start < 3; start++) {
        short.own.push(child<Times>([node, bundled("steps"), join(folder, `b${start}`), "1x10"]).sinceStart)
        if (postgres !== undefined)
          short.theirs.push(child<Times>([node, dbos, postgres.database(), "1x10"]).sinceStart)
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  const perStep = (runs: ReadonlyArray<Times>, index: number, shape: string) => {
    const [executions = 1, count = 1] = shape.split("x").map(Number)
    return spread(runs.map(({ times }) => times[index + 1]! / executions / count)).median
  }
  const compared = (value: number, peer: number, goal: number | undefined) =>
    Number.isNaN(peer) ? {} : { against: "DBOS", ratio: value / peer, ...(goal === undefined ? {} : { goal }) }
  return [
    ...shapes.flatMap((shape, index): ReadonlyArray<Row> => {
      const value = perStep(own, index, shape)
      const peer = perStep(theirs, index, shape)
      return [
        {
          group: "steps",
          what: `a journaled step, ${shape}`,
          value,
          unit: "ms",
          note: `DBOS ${peer.toFixed(2)}`,
          ...compared(value, peer, goals[shape])
        }
      ]
    }),
    {
      group: "steps",
      what: "process start → finished 10-step execution",
      value: spread(short.own).median,
      unit: "ms",
      note: `goal 200 ms; DBOS ${spread(short.theirs).median.toFixed(0)}`,
      ...compared(spread(short.own).median, spread(short.theirs).median, 0.8)
    }
  ]
}
