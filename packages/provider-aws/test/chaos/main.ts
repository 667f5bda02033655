/**
 * `npm run chaos -- aws`: kills commands that change stacks of CloudFormation, at random moments. CloudFormation's own events tell
 * whether anything was begun twice, or something of others was changed.
 */
import { parseArgs } from "node:util"
import { start } from "../../../../scripts/aws-emulators.mjs"
import { freshSeed } from "../../../cli/test/chaos/freshSeed.ts"
import { setup, sharedProgram } from "../../../cli/test/sharedProgram.ts"

const usage = "npm run chaos -- aws [--kills 300] [--seed S] [--worlds 3]"
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const whole = (text: string): number | undefined => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined)

export const main = async (args: ReadonlyArray<string>): Promise<number> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kills: { type: "string", default: "300" },
      seed: { type: "string", default: String(freshSeed()) },
      worlds: { type: "string", default: "3" }
    }
  })
  const [kills, seed, worlds] = [whole(values.kills), whole(values.seed), whole(values.worlds)]
  if (kills === undefined || seed === undefined || worlds === undefined) {
    process.stderr.write(`every option takes a whole number above 0\n${usage}\n`)
    return 64
  }
  const remove = setup()
  const emulator = await start()
  try {
    process.env["SIGNALBOX_TEST_AWS"] = emulator.url
    // It reads where the emulator listens when it is loaded.
    const { newRun, world } = await import("./Kills.ts")
    const run = newRun(sharedProgram(), seed, kills)
    say(`seed ${seed}`)
    const started = performance.now()
    const tokens = (await Promise.all(Array.from({ length: worlds }, (_, number) => world(run, number)))).flat()
    for (const [kind, operations] of run.operations) {
      say(`${kind.padEnd(9)} ${operations} operations, ${run.kills.get(kind) ?? 0} kills`)
    }
    for (const problem of run.problems) say(`✗ ${problem}`)
    const killed = [...run.kills.values()].reduce((sum, one) => sum + one, 0)
    const seconds = ((performance.now() - started) / 1000).toFixed(0)
    say(
      `${killed} kills with seed ${seed} in ${seconds} s: ${tokens.length} operations, ` +
        `${tokens.length - new Set(tokens).size} of them begun twice; ${run.problems.length} problems`
    )
    return run.problems.length === 0 ? 0 : 1
  } finally {
    await emulator.stop()
    remove()
  }
}
