/**
 * `npm run simulate -- [--schedules 2000] [--seed N]`: simulates schedules that no test has seen, one in four of them
 * with doubled faults.
 *
 * Tests use seeds below `fresh`; the ones drawn here begin there, and differ each time.
 */
import { randomInt } from "node:crypto"
import { parseArgs } from "node:util"
import { Simulation } from "@signalbox/core/testing"
import { doubledFaults, fresh } from "./seeds.ts"

const usage = "npm run simulate -- [--schedules 2000] [--seed N]"
const mostFailures = 20

const fail = (message: string): never => {
  process.stderr.write(`${message}\n${usage}\n`)
  process.exit(64)
}

const whole = (name: string, text: string): number => {
  const value = Number(text)
  return Number.isSafeInteger(value) && value > 0 ? value : fail(`--${name} takes a whole number above 0, not ${text}`)
}

const options = () => {
  try {
    const { values } = parseArgs({
      options: { schedules: { type: "string", default: "2000" }, seed: { type: "string" } }
    })
    return values
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

const given = options()
const count = whole("schedules", given.schedules)
const first = given.seed === undefined ? randomInt(fresh, 1_000_000_000) : whole("seed", given.seed)
const say = (line: string): void => void process.stdout.write(`${line}\n`)

say(`${count} seeds from ${first} on; again: npm run simulate -- --schedules ${count} --seed ${first}`)
const started = performance.now()
const seconds = () => ((performance.now() - started) / 1_000).toFixed(0)
let schedules = 0
let steps = 0
let doubled = 0
let failed = 0
let tried = 0
const ends: Record<string, number> = {}
for (let seed = first; seed < first + count && failed < mostFailures; seed++) {
  // By the seed alone, so that a single one can be repeated.
  const hard = seed % 4 === 0
  const report = await Simulation.runPromise({ seed, seeds: 1, ...(hard ? { faults: doubledFaults } : {}) })
  tried++
  doubled += hard ? 1 : 0
  schedules += report.schedules
  steps += report.steps
  for (const [end, times] of Object.entries(report.ends)) ends[end] = (ends[end] ?? 0) + times
  for (const failure of report.failures) {
    failed++
    say(`\n${Simulation.render(failure)}\nagain: npm run simulate -- --schedules 1 --seed ${seed}\n`)
  }
  if (tried % 1_000 === 0) say(`${tried} seeds in ${seconds()} s, ${failed} failed`)
}
const ended = Object.entries(ends).map(([end, times]) => `${times} ${end}`)
say(
  `${tried} seeds from ${first} on, ${doubled} with doubled faults: ${schedules} schedules, ${steps} steps, requests ended as ${ended.join(", ")}`
)
say(`${failed} failed, in ${seconds()} s`)
process.exitCode = failed === 0 ? 0 : 1
