/**
 * A small number of runs of `npm run chaos`: one of each fault. And the judge itself: it has to see bugs that are planted.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { bundle } from "../bundle.ts"
import { Chaos, type ChaosOptions, type Report } from "./Chaos.ts"
import { faultKinds, unmountable } from "./faults.ts"
import { round } from "./scenario.ts"
import type { World } from "./World.ts"

const folder = mkdtempSync(join(tmpdir(), "signalbox-chaos-program-"))
const seed = 3
const linux = process.platform === "linux"
const missing = unmountable()
if (linux && missing.length > 0) console.warn(`Not root: the faults ${missing.join(", ")} are left out.`)

let program: string
beforeAll(() => {
  program = bundle(folder)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const make = (options: Partial<ChaosOptions>): Chaos => new Chaos({ program, seed, scenarios: round, ...options })

const told = ({ fault, history, problems, scenario }: Report): string =>
  [JSON.stringify({ scenario, fault, problems }, null, 2), ...history].join("\n")

describe.skipIf(!linux).concurrent("a deployment to which something happens", { timeout: 120_000 }, () => {
  const kinds = faultKinds.filter((kind) => !missing.includes(kind))
  it.each(kinds)("ends as where nothing happens: %s", async (kind) => {
    const report = await make({ only: kind }).run(0)
    assert.deepEqual(report.problems, [], told(report))
  })
})

const forget = (world: World): void => {
  const database = new DatabaseSync(join(world.folder, ".signalbox", "signalbox.db"))
  database.exec("DELETE FROM signalbox_events WHERE stream = 'op' AND seq = 5")
  database.close()
}

describe.skipIf(!linux)("the judge sees", { timeout: 120_000 }, () => {
  it.each([
    ["a step that runs again after its receipt", "duplicate", 9, { inside: () => "forget" }],
    ["a mutation under a fence that was never held", "mutator", 2, { inside: () => "fence" }],
    ["a lost event", "lost", 9, { afterwards: forget }],
    ["a process that nobody looks after", "orphan", 9, { inside: (world: World) => `orphan:${world.owner}` }]
  ] as const)("%s", async (_, rule, number, plant) => {
    const report = await make({ plant }).run(number)
    assert.include(
      report.problems.map((one) => one.rule),
      rule,
      told(report)
    )
  })
})
