/**
 * `npm run chaos -- race --processes 50 --rounds 200 --seed 1`: many processes race for one lock.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { freshSeed } from "../chaos/freshSeed.ts"
import { bundleWorker, Race, type RaceOptions, type Report } from "./Race.ts"

const usage = "npm run chaos -- race [--processes 50] [--rounds 200] [--seed S] [--ttl 2000] [--every 1500] [--work 3]"

const fail = (message: string): never => {
  process.stderr.write(`${message}\n${usage}\n`)
  process.exit(64)
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)

const options = (args: ReadonlyArray<string>): RaceOptions => {
  const read = () => {
    try {
      return parseArgs({
        args: [...args],
        options: {
          processes: { type: "string", default: "50" },
          rounds: { type: "string", default: "200" },
          // A different one each time, and printed.
          seed: { type: "string", default: String(freshSeed()) },
          ttl: { type: "string", default: "2000" },
          every: { type: "string", default: "1500" },
          work: { type: "string", default: "3" }
        }
      }).values
    } catch (error) {
      return fail(error instanceof Error ? error.message : String(error))
    }
  }
  const whole = ([name, text]: readonly [string, string]): readonly [string, number] =>
    /^\d+$/.test(text) ? [name, Number(text)] : fail(`--${name} takes a whole number, not ${text}`)
  const numbers = Object.fromEntries(Object.entries(read()).map(whole)) as Record<string, number>
  const { every, processes, rounds, seed, ttl, work } = numbers as { readonly [key: string]: number }
  return {
    processes: processes!,
    rounds: rounds!,
    seed: seed!,
    ttl: ttl!,
    every: every!,
    work: work!,
    limit: 3 * 3_600_000,
    onProgress: say
  }
}

const at = (sorted: ReadonlyArray<number>, part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0

/** The figures of a race. */
export const figures = (report: Report): ReadonlyArray<string> => {
  const { acquisitions, cut, evidence, handovers, mostPassed, passed, refused, took } = report
  const { faults } = evidence
  const count = (kind: string, held: boolean) => faults.filter((one) => one.kind === kind && one.held === held).length
  const seconds = took / 1000
  const failures = evidence.notes.flat().flatMap((one) => (one._tag === "Failed" ? [one.error] : []))
  const said = (tag: string) => evidence.notes.flat().filter(({ _tag }) => _tag === tag).length
  return [
    `${acquisitions} acquisitions in ${seconds.toFixed(0)} s: ${(acquisitions / seconds).toFixed(1)} a second`,
    `handover p50 ${at(handovers, 0.5)} ms, p90 ${at(handovers, 0.9)} ms, p99 ${at(handovers, 0.99)} ms, longest ${at(handovers, 1)} ms`,
    `${faults.length} faults: ${count("kill", true)} holders and ${count("kill", false)} others killed, ${count("stop", true)} and ${count("stop", false)} stopped`,
    `${cut} cut off, ${refused} changes of sleepers refused, ${said("Stalled")} stalls, ${said("Lapsed")} claims seen to be over`,
    `absent workers were overtaken ${passed} times, one of them ${mostPassed} times`,
    ...[...new Set(failures)].map(
      (error) => `${failures.filter((one) => one === error).length} times tried again: ${error}`
    )
  ]
}

export const main = async (args: ReadonlyArray<string>): Promise<number> => {
  if (process.platform !== "linux") fail("the race stops and kills processes as Linux does, and runs there only")
  const given = options(args)
  say(`seed ${given.seed}`)
  const folder = mkdtempSync(join(tmpdir(), "signalbox-race-program-"))
  const race = new Race(await bundleWorker(folder), given)
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => {
      race.abandon()
      process.exit(130)
    })
  }
  process.on("exit", () => {
    race.abandon()
    rmSync(folder, { recursive: true, force: true })
  })
  const report = await race.run()
  for (const line of figures(report)) say(line)
  for (const error of report.errors) say(`error: ${error}`)
  for (const { message, rule } of report.problems.slice(0, 50)) say(`✗ ${rule}: ${message}`)
  const good = report.problems.length === 0 && report.errors.length === 0
  say(good ? "✓ never two, in order, and all finished" : `✗ ${report.problems.length} problems; kept: ${report.folder}`)
  if (good) race.remove()
  return good ? 0 : 1
}
