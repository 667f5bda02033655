/**
 * `npm run chaos -- [--runs N] [--seed S] [--only kind] [--run K]`: breaks real deployments and lets a judge decide.
 * Without a seed it draws a new one. `npm run chaos -- race`: lets many processes compete for one lease; see ../race.
 * `npm run chaos -- versions`: lets two generations share one Postgres; see ../versions.
 * `npm run chaos -- aws`: kills commands that change stacks of CloudFormation; see provider-aws/test/chaos.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { bundle } from "../bundle.ts"
import { freshSeed } from "./freshSeed.ts"
import { main as race } from "../race/main.ts"
import { main as versions } from "../versions/main.ts"
import { Chaos, type Report } from "./Chaos.ts"
import { type FaultKind, faultKinds, unmountable } from "./faults.ts"

if (process.argv[2] === "race") process.exit(await race(process.argv.slice(3)))
if (process.argv[2] === "versions") process.exit(await versions(process.argv.slice(3)))
if (process.argv[2] === "aws") {
  const { main } = await import("../../../provider-aws/test/chaos/main.ts")
  process.exit(await main(process.argv.slice(3)))
}

const usage = `npm run chaos -- [--runs 25] [--seed S] [--only ${faultKinds.join("|")}] [--run K]`

const fail = (message: string): never => {
  process.stderr.write(`${message}\n${usage}\n`)
  process.exit(64)
}

const options = () => {
  try {
    const { values } = parseArgs({
      options: {
        runs: { type: "string", default: "25" },
        seed: { type: "string" },
        only: { type: "string" },
        run: { type: "string" }
      }
    })
    return values
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

const whole = (name: string, text: string): number => {
  const value = Number(text)
  return Number.isSafeInteger(value) && value >= 0 ? value : fail(`--${name} takes a whole number, not ${text}`)
}

const { only, run, runs, seed: seedText } = options()
if (process.platform !== "linux") fail("chaos reads /proc and so runs on Linux only")
if (only !== undefined && !faultKinds.includes(only as FaultKind)) fail(`there is no fault ${only}`)
if (run !== undefined && seedText === undefined) fail("--run takes a run of a --seed")
const seed = seedText === undefined ? freshSeed() : whole("seed", seedText)
const numbers =
  run === undefined ? Array.from({ length: whole("runs", runs) }, (_, number) => number) : [whole("run", run)]

const folder = mkdtempSync(join(tmpdir(), "signalbox-chaos-program-"))
process.on("exit", () => rmSync(folder, { recursive: true, force: true }))

const title = ({ kind, place }: Report): string => (place === undefined ? kind : `${kind}: ${place}`)
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const without = unmountable()
const started = performance.now()
say(`seed ${seed}`)
if (without.length > 0) say(`Left out, because they mount file systems and this is not root: ${without.join(", ")}.`)
if (only !== undefined && without.includes(only as FaultKind)) process.exit(1)
const chaos = new Chaos({
  program: bundle(folder),
  seed,
  without,
  ...(only === undefined ? {} : { only: only as FaultKind })
})
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void chaos.abandon().finally(() => process.exit(130)))
}
const failed: Array<Report> = []
const counts = new Map<string, number>()

const tell = (report: Report): void => {
  const { fault, folder, history, notes, problems, run, scenario, took } = report
  counts.set(title(report), (counts.get(title(report)) ?? 0) + 1)
  const mark = problems.length === 0 ? "✓" : "✗"
  const where = fault !== undefined && "disturbance" in fault ? [`at ${fault.disturbance?.at ?? "the start"}`] : []
  const more = [...where, ...notes].map((note, at) => `${at === 0 ? "  " : "; "}${note}`).join("")
  say(`${mark} ${String(run).padStart(4)}  ${title(report)}  ${scenario}  ${(took / 1000).toFixed(1)} s${more}`)
  if (problems.length === 0) return
  failed.push(report)
  for (const { message, rule } of problems) say(`       ${rule}: ${message}`)
  say(`       fault: ${JSON.stringify(fault)}`)
  for (const line of history) say(`       ${line}`)
  say(`       kept: ${folder}`)
  say(`       again: npm run chaos -- --seed ${seed}${only === undefined ? "" : ` --only ${only}`} --run ${run}`)
}

const queue = [...numbers]
const worker = async (): Promise<void> => {
  for (let number = queue.shift(); number !== undefined; number = queue.shift()) tell(await chaos.run(number))
}
await Promise.all([worker(), worker()])

say("")
for (const [name, count] of [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  say(`${String(count).padStart(5)}  ${name}`)
const seconds = ((performance.now() - started) / 1000).toFixed(0)
const rules = ["duplicate", "journal", "mutator", "lost", "orphan", "final", "answer", "prose"]
const found = rules.map(
  (rule) => `${failed.filter(({ problems }) => problems.some((one) => one.rule === rule)).length} ${rule}`
)
say(`${numbers.length} runs with seed ${seed} in ${seconds} s: ${failed.length} failed (${found.join(", ")})`)
process.exitCode = failed.length === 0 ? 0 : 1
