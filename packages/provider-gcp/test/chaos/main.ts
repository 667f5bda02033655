/**
 * `npm run chaos -- gcp <what>`: disturbs deployments to Google Cloud at full size; see docs/chaos.md.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { bundle } from "../../../cli/test/bundle.ts"
import { underFaults } from "./faults/faults.ts"
import { job } from "./faults/job.ts"
import { service } from "./faults/service.ts"
import { firebaseSite as siteLife } from "./faults/site.ts"
import { interrupted } from "./interruptions.ts"
import { backend } from "./kills/backend.ts"
import { killed } from "./kills/kills.ts"
import { firebaseSite } from "./kills/site.ts"
import { uploaded } from "./uploads.ts"

const usage = `npm run chaos -- gcp faults [--seeds 20] [--of service|job|hosting]
npm run chaos -- gcp interruptions [--kills 300] [--seed 1]
npm run chaos -- gcp kills [--kills 300] [--seed 1] [--of run|hosting]
npm run chaos -- gcp uploads [--files 5000] [--semi-space 1]`

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
        seed: { type: "string", default: "1" },
        files: { type: "string", default: "5000" },
        "semi-space": { type: "string" },
        of: { type: "string" }
      }
    })
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

const { positionals, values } = options()

const number = (name: "files" | "kills" | "seed" | "seeds"): number => {
  const value = Number(values[name])
  return Number.isSafeInteger(value) && value > 0 ? value : fail(`--${name} takes a whole number, not ${values[name]}`)
}

/** The ones that --of names; all by default. */
const chosen = <A>(all: Readonly<Record<string, A>>): ReadonlyArray<[string, A]> => {
  const named = Object.entries(all).filter(([name]) => values.of === undefined || values.of === name)
  return named.length > 0 ? named : fail(`--of ${values.of} is none of ${Object.keys(all).join(", ")}`)
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const what = positionals.length === 1 ? positionals[0]! : fail("say what to do")
const began = performance.now()

const withProgram = async (use: (program: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-chaos-program-"))
  try {
    await use(bundle(folder))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

switch (what) {
  case "faults": {
    const seeds = number("seeds")
    for (const [name, life] of chosen({ service, job, hosting: siteLife })) {
      const ratio = await underFaults(life, seeds)
      say(`${name}: ${seeds} seeds came to the right end, with no change twice, in ${ratio.toFixed(2)} times the calls`)
      if (ratio > 2) process.exitCode = 1
    }
    break
  }
  case "interruptions": {
    const kills = number("kills")
    await interrupted(kills, number("seed"))
    say(`${kills} steps interrupted: no second revision, no change twice, no foreign change`)
    break
  }
  case "kills": {
    await withProgram(async (program) => {
      for (const [name, [subject, what]] of chosen({
        run: [backend, "no second revision of a template, no second execution of a job"] as const,
        hosting: [firebaseSite, "no second release of a version, none unfinished"] as const
      })) {
        const done = await killed(subject, { program, kills: number("kills"), seed: number("seed") })
        say(`${name}: ${done.kills} SIGKILLs in ${done.deployments} deployments: ${what}, no foreign change`)
      }
    })
    break
  }
  case "uploads": {
    await withProgram(async (program) => {
      const space = values["semi-space"]
      const flags = space === undefined ? [] : [`--max-semi-space-size=${space}`]
      const { after, before, peak } = await uploaded(program, number("files"), flags)
      say(`${before} files before the kill and ${after} after it, none twice; the command had ${peak} MB at most`)
    })
    break
  }
  default:
    fail(`there is no ${what}`)
}
say(`${((performance.now() - began) / 1000).toFixed(0)} s`)
