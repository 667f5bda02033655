/**
 * `npm run chaos -- gcp <what>`: disturbs deployments to Google Cloud at full size; see docs/chaos.md.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { bundle } from "../../../cli/test/bundle.ts"
import { underFaults } from "./faults.ts"
import { interrupted } from "./interruptions.ts"
import { killed } from "./kills.ts"

const usage = `npm run chaos -- gcp faults [--seeds 20]
npm run chaos -- gcp interruptions [--kills 300] [--seed 1]
npm run chaos -- gcp kills [--kills 300] [--seed 1]`

const fail = (message: string): never => {
  process.stderr.write(`${message}\n${usage}\n`)
  process.exit(64)
}

const options = () => {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        seeds: { type: "string", default: "20" },
        kills: { type: "string", default: "300" },
        seed: { type: "string", default: "1" }
      }
    })
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

const { positionals, values } = options()

const number = (name: keyof typeof values): number => {
  const value = Number(values[name])
  return Number.isSafeInteger(value) && value > 0 ? value : fail(`--${name} takes a whole number, not ${values[name]}`)
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const what = positionals.length === 1 ? positionals[0]! : fail("say what to do")
const began = performance.now()

switch (what) {
  case "faults": {
    const seeds = number("seeds")
    const ratio = await underFaults(seeds)
    say(`${seeds} seeds came to the right end, with no change twice, in ${ratio.toFixed(2)} times the calls`)
    if (ratio > 2) process.exitCode = 1
    break
  }
  case "interruptions": {
    const kills = number("kills")
    await interrupted(kills, number("seed"))
    say(`${kills} steps interrupted: no second revision, no change twice, no foreign change`)
    break
  }
  case "kills": {
    const folder = mkdtempSync(join(tmpdir(), "signalbox-chaos-program-"))
    try {
      const { deployments, kills } = await killed(bundle(folder), number("kills"), number("seed"))
      say(
        `${kills} SIGKILLs in ${deployments} deployments: no second revision of a template, no second execution of a job, no foreign change`
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
    break
  }
  default:
    fail(`there is no ${what}`)
}
say(`${((performance.now() - began) / 1000).toFixed(0)} s`)
