import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { child, type Row } from "./measure.ts"
import { bundled, node } from "./paths.ts"

const rss = (count: number): number => {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-bench-"))
  try {
    return child<{ readonly rss: number }>([node, "--expose-gc", bundled("memory"), folder, String(count)]).rss
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What 1,000 executions in flight take, in one runner. */
export const memory = (): ReadonlyArray<Row> => {
  const empty = rss(0)
  const full = rss(1_000)
  return [
    { group: "memory", what: "a runner with nothing to do", value: empty / 2 ** 20, unit: "MiB" },
    {
      group: "memory",
      what: "a runner with 1,000 executions in flight",
      value: full / 2 ** 20,
      unit: "MiB",
      against: "an empty one",
      ratio: full / empty,
      note: `${((full - empty) / 1_000 / 1_024).toFixed(1)} KiB an execution`
    }
  ]
}
