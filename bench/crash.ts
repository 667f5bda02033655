import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Postgres } from "../packages/node/test/support/postgres.ts"
import { type Row, spread, stream } from "./measure.ts"
import { bundled, here, node } from "./paths.ts"

/** Kills a process in its fifth step, starts another, and gives the time from that start to the next step. */
const once = async (command: ReadonlyArray<string>): Promise<number> => {
  const first = stream(command)
  await first.waitFor("step 4 runs")
  first.process.kill("SIGKILL")
  await first.ended
  const started = performance.now()
  const second = stream(command)
  const at = await second.waitFor("step 4 runs")
  second.process.kill("SIGKILL")
  await second.ended
  return at - started
}

/** SIGKILL → the next step runs, nothing resubmitted. */
export const crash = async (postgres: Postgres | undefined, rounds = 5): Promise<ReadonlyArray<Row>> => {
  const own: Array<number> = []
  const theirs: Array<number> = []
  for (let round = 0; round < rounds; round++) {
    const folder = mkdtempSync(join(tmpdir(), "signalbox-bench-"))
    own.push(await once([node, bundled("crash"), folder]))
    rmSync(folder, { recursive: true, force: true })
    if (postgres !== undefined)
      theirs.push(await once([node, join(here, "children", "crash-dbos.mjs"), postgres.database()]))
  }
  const value = spread(own).median
  const peer = spread(theirs).median
  return [
    {
      group: "crash",
      what: "SIGKILL → next step",
      value,
      unit: "ms",
      note: `goal 250 ms; DBOS ${peer.toFixed(0)}`,
      ...(Number.isNaN(peer) ? {} : { against: "DBOS", ratio: value / peer, goal: 0.25 })
    }
  ]
}
