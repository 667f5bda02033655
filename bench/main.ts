/**
 * `npm run bench [-- group …]`: measures, prints ratios, keeps them in `bench/results/`.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { cpus, totalmem } from "node:os"
import { join } from "node:path"
import { startPostgres } from "../packages/node/test/support/postgres.ts"
import { artifact } from "./artifact.ts"
import { calibration } from "./calibration.ts"
import { cli } from "./cli.ts"
import { crash } from "./crash.ts"
import { log } from "./log.ts"
import { makespan } from "./makespan.ts"
import type { Row } from "./measure.ts"
import { memory } from "./memory.ts"
import { notify } from "./notify.ts"
import { here } from "./paths.ts"
import { shared } from "./shared.ts"
import { steps } from "./steps.ts"
import { traffic } from "./traffic.ts"

const wanted = process.argv.slice(2)
const postgres = await startPostgres()
const groups: Readonly<Record<string, () => ReadonlyArray<Row> | Promise<ReadonlyArray<Row>>>> = {
  cli,
  artifact,
  steps: () => steps(postgres),
  crash: () => crash(postgres),
  log,
  notify,
  shared: () => shared(postgres),
  makespan,
  traffic,
  memory,
  calibration
}
const unknown = wanted.find((name) => !(name in groups))
if (unknown !== undefined) {
  console.error(`there is no group "${unknown}"; there are: ${Object.keys(groups).join(", ")}`)
  process.exit(64)
}

const show = ({ against, goal, note, ratio, unit, value, what }: Row): string => {
  const kept = goal === undefined || ratio === undefined ? "" : ratio <= goal ? `  ✔ ≤ ${goal}` : `  ✖ goal ≤ ${goal}`
  const compared = ratio === undefined ? "" : `${ratio.toFixed(2)}× ${against}`
  const amount = value >= 100 ? value.toFixed(0) : value.toFixed(2)
  return `  ${what.padEnd(48)} ${amount.padStart(9)} ${unit.padEnd(5)} ${compared.padEnd(24)}${kept}${note === undefined ? "" : `  (${note})`}`
}

const rows: Array<Row> = []
try {
  for (const [name, measure] of Object.entries(groups)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    console.log(name)
    const measured = await measure()
    rows.push(...measured)
    for (const row of measured) console.log(show(row))
  }
} finally {
  await postgres?.stop()
}

const machine = { node: process.version, cpus: cpus().length, model: cpus()[0]?.model, memory: totalmem() }
const folder = join(here, "results")
mkdirSync(folder, { recursive: true })
const file = join(folder, `${new Date().toISOString().replaceAll(":", "-")}.json`)
writeFileSync(file, `${JSON.stringify({ machine, rows }, undefined, 2)}\n`)
console.log(`kept in ${file}`)
process.exitCode = rows.some(({ goal, ratio }) => goal !== undefined && ratio !== undefined && ratio > goal) ? 1 : 0
