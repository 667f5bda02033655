import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { fresh } from "./seeds.ts"

const file = fileURLToPath(new URL("simulate.ts", import.meta.url))

const simulate = (...args: ReadonlyArray<string>): string =>
  execFileSync(process.execPath, ["--conditions=@signalbox/source", file, "--schedules", "1", ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"]
  })

const seedOf = (output: string): string => /--seed (\d+)/.exec(output)?.[1] ?? ""

/** All but how long it took. */
const told = (output: string): string => output.replace(/in \d+ s/, "")

describe("npm run simulate", () => {
  it("draws new seeds each time, and says how to repeat them", () => {
    const one = simulate()
    assert.isAtLeast(Number(seedOf(one)), fresh)
    assert.notStrictEqual(seedOf(simulate()), seedOf(one))
    assert.strictEqual(told(simulate("--seed", seedOf(one))), told(one))
  })
})
