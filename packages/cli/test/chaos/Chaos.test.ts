/**
 * A small number of runs of `npm run chaos`: one of each fault. And the judge itself: it has to see bugs that are planted.
 */
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { sharedProgram } from "../sharedProgram.ts"
import { Chaos, type Report } from "./Chaos.ts"
import { faultKinds, order, unmountable } from "./faults.ts"
import { round } from "./scenario.ts"
import type { World } from "./World.ts"

const linux = process.platform === "linux"
const missing = unmountable()
if (linux && missing.length > 0) console.warn(`Not root: the faults ${missing.join(", ")} are left out.`)
const kinds = faultKinds.filter((kind) => !missing.includes(kind))
const chaos = new Chaos({ program: sharedProgram(), seed: 3, scenarios: round, without: missing })

afterAll(async () => {
  await chaos.abandon()
})

const told = ({ fault, history, problems, scenario }: Report): string =>
  [JSON.stringify({ scenario, fault, problems }, null, 2), ...history].join("\n")

/** The first run with a fault of that kind. */
const first = (kind: string): number =>
  order.filter(([one]) => !missing.includes(one)).findIndex(([one]) => one === kind)

describe.skipIf(!linux)("a deployment to which something happens", { timeout: 1_200_000 }, () => {
  const reports = new Map<string, Promise<Report>>()
  beforeAll(() => {
    const two = [Promise.resolve(), Promise.resolve()]
    // Two at a time.
    kinds.forEach((kind, at) => {
      const report = two[at % 2]!.then(() => chaos.run(first(kind)))
      reports.set(kind, report)
      two[at % 2] = report.then(() => undefined)
    })
  })

  it.each(kinds)("ends as without faults: %s", async (kind) => {
    const report = await reports.get(kind)!
    assert.deepEqual(report.problems, [], told(report))
  })
})

const lose = (world: World): void => {
  const database = new DatabaseSync(join(world.folder, ".signalbox", "signalbox.db"))
  database.exec("DELETE FROM signalbox_events WHERE stream = 'op' AND seq = 5")
  database.close()
}

/** The first run in which the command is killed between an effect and its receipt. */
const killed = order
  .filter(([kind]) => !missing.includes(kind))
  .findIndex(([, place]) => place === "between effect and receipt")

describe.skipIf(!linux)("the judge sees", () => {
  it.each([
    ["a step that runs again after its receipt", ["duplicate"], { inside: () => "forget" }],
    ["a mutation under a fence that was never held", ["mutator"], { inside: () => "fence" }],
    [
      "a lost event, and an orphaned process",
      ["lost", "orphan"],
      { inside: (world: World) => `orphan:${world.owner}`, afterwards: lose }
    ]
  ] as const)("%s", async (_, rules, plant) => {
    let report = await chaos.run(killed, plant)
    // On a machine that is busy a command may lose its lease of 2 seconds; the fault then comes too late.
    for (let again = 4; again > 0 && report.history.some((line) => line.includes("lease_lost")); again--) {
      report = await chaos.run(killed, plant)
    }
    const seen = report.problems.map((one) => one.rule)
    for (const rule of rules) assert.include(seen, rule, told(report))
  })
})
