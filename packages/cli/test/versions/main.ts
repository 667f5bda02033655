/** `npm run chaos -- versions --minutes 5`: packed commands of two generations on one Postgres. */
import { parseArgs } from "node:util"
import { packedVersions } from "./Versions.ts"

const usage = "npm run chaos -- versions [--minutes 5]"

export const main = async (args: ReadonlyArray<string>): Promise<number> => {
  const { values } = parseArgs({ args: [...args], options: { minutes: { type: "string", default: "5" } } })
  const minutes = Number(values.minutes)
  if (!(minutes > 0)) {
    process.stderr.write(`--minutes takes a number above 0, not ${values.minutes}\n${usage}\n`)
    return 64
  }
  const report = await packedVersions(minutes * 60)
  if (report === undefined) return 1
  for (const [name, { completed, ...figures }] of Object.entries(report.workers)) {
    process.stdout.write(`${name}: ${JSON.stringify({ completed: completed.length, ...figures })}\n`)
  }
  process.stdout.write(`${report.executions} executions, ${report.events} events\n`)
  for (const problem of report.problems) process.stdout.write(`problem: ${problem}\n`)
  process.stdout.write(`${report.problems.length} problems\n`)
  return report.problems.length === 0 ? 0 : 1
}
