/**
 * `npm run chaos -- alb [--kills 300] [--seed 1]`: kills the command while it deploys a service behind a load balancer; see
 * docs/chaos.md.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { bundle } from "../../../../cli/test/bundle.ts"
import { killed } from "./kills.ts"

const fail = (message: string): never => {
  process.stderr.write(`${message}\nnpm run chaos -- alb [--kills 300] [--seed 1]\n`)
  process.exit(64)
}

const options = () => {
  try {
    return parseArgs({
      options: { kills: { type: "string", default: "300" }, seed: { type: "string", default: "1" } }
    }).values
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

const values = options()
const number = (name: keyof typeof values): number => {
  const value = Number(values[name])
  return Number.isSafeInteger(value) && value > 0 ? value : fail(`--${name} takes a whole number, not ${values[name]}`)
}

const began = performance.now()
const folder = mkdtempSync(join(tmpdir(), "signalbox-chaos-program-"))
try {
  const { capacity, deployments, kills } = await killed(bundle(folder), number("kills"), number("seed"))
  process.stdout.write(
    `${kills} SIGKILLs in ${deployments} deployments: no second version of a release, no foreign change, never under ${capacity} healthy instances\n`
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.stdout.write(`${((performance.now() - began) / 1000).toFixed(0)} s\n`)
