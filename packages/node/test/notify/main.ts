/**
 * `npm run chaos -- notify`: a storm of notifications at full size; see docs/chaos.md.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { startPostgres } from "../support/postgres.ts"
import { latency, storm } from "./storm.ts"

const usage = `npm run chaos -- notify [--store sqlite|postgres] [--executions 500] [--kills 50] [--away 60]
npm run chaos -- notify latency [--store sqlite|postgres] [--executions 100]`

const fail = (message: string): never => {
  process.stderr.write(`${message}\n${usage}\n`)
  process.exit(64)
}

const options = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        store: { type: "string", default: "sqlite" },
        executions: { type: "string" },
        kills: { type: "string", default: "50" },
        away: { type: "string", default: "60" }
      }
    })
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

const { positionals, values } = options()
const [what = "storm"] = positionals
if (positionals.length > 1 || (what !== "storm" && what !== "latency")) fail(`there is no ${positionals.join(" ")}`)
if (values.store !== "sqlite" && values.store !== "postgres") fail(`there is no store ${values.store}`)

const whole = (name: "executions" | "kills" | "away", standard: string): number => {
  const value = Number(values[name] ?? standard)
  return Number.isSafeInteger(value) && value >= 0 ? value : fail(`--${name} takes a whole number, not ${values[name]}`)
}

const executions = whole("executions", what === "latency" ? "100" : "500")
const [kills, awaySeconds] = [whole("kills", "50"), whole("away", "60")]
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const folder = mkdtempSync(join(tmpdir(), "signalbox-storm-"))
const postgres = values.store === "postgres" ? await startPostgres() : undefined
if (values.store === "postgres" && postgres === undefined) process.exit(1)
const where = postgres?.database() ?? folder

try {
  if (what === "latency") {
    const { n, p50, p99 } = await latency(where, executions)
    say(`${n} arrivals after an event: p50 ${p50} ms, p99 ${p99} ms`)
    if (p99 > 1_000) process.exitCode = 1
  } else {
    const report = await storm({ where, executions, kills, awaySeconds, hangs: true })
    const { duplicates, expected, lost, memory, unordered } = report
    const share = (count: number): string => `${((100 * count) / expected).toFixed(2)} %`
    const repeated = duplicates.afterKill + duplicates.afterNoAnswer
    say(`${report.events} events, ${expected} deliveries, ${kills} kills, ${report.seconds} s on ${values.store}`)
    say(`${lost} lost, ${report.folded} told by a summary, ${unordered} out of order`)
    say(
      `${repeated} arrived twice with the same key (${share(repeated)}): ${duplicates.afterKill} after a kill ` +
        `(${share(duplicates.afterKill)}), ${duplicates.afterNoAnswer} after a connection that the receiver closed without an answer`
    )
    say(
      `memory of the last worker: alive ${memory.alive.join(" … ")} MiB, as a process ${memory.whole.join(" … ")} MiB`
    )
    if (lost > 0 || unordered > 0 || repeated > expected / 100) process.exitCode = 1
  }
} finally {
  await postgres?.stop()
  rmSync(folder, { recursive: true, force: true })
}
