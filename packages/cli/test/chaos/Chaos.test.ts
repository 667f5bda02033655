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
import { faultKinds, order, unmountable } from "./faults.ts"
import { round } from "./scenario.ts"
import type { World } from "./World.ts"

const linux = process.platform === "linux"
const missing = unmountable()
if (linux && missing.length > 0) console.warn(`Not root: the faults ${missing.join(", ")} are left out.`)
const kinds = faultKinds.filter((kind) => !missing.includes(kind))
/** As many twins as needed and no more: each is a deployment of its own. */
const options = { seed: 3, scenarios: round, without: missing }

const folder = mkdtempSync(join(tmpdir(), "signalbox-chaos-program-"))
const started: Array<Chaos> = []
const make = (more: Partial<ChaosOptions> = {}): Chaos => {
  const chaos = new Chaos({ program: join(folder, "signalbox.cjs"), ...options, ...more })
  started.push(chaos)
  return chaos
}

beforeAll(() => {
  bundle(folder)
}, 120_000)

afterAll(async () => {
  for (const chaos of started) await chaos.abandon()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

const told = ({ fault, history, problems, scenario }: Report): string =>
  [JSON.stringify({ scenario, fault, problems }, null, 2), ...history].join("\n")

/** The first run with a fault of that kind. */
const first = (kind: string): number =>
  order.filter(([one]) => !missing.includes(one)).findIndex(([one]) => one === kind)

describe.skipIf(!linux)("a deployment to which something happens", { timeout: 240_000 }, () => {
  const reports = new Map<string, Promise<Report>>()
  beforeAll(() => {
    const chaos = make()
    const two = [Promise.resolve(), Promise.resolve()]
    // Two at a time.
    kinds.forEach((kind, at) => {
      const report = two[at % 2]!.then(() => chaos.run(first(kind)))
      reports.set(kind, report)
      two[at % 2] = report.then(() => undefined)
    })
  })

  it.each(kinds)("ends as where nothing happens: %s", async (kind) => {
    const report = await reports.get(kind)!
    assert.deepEqual(report.problems, [], told(report))
  })
})

const lose = (world: World): void => {
  const database = new DatabaseSync(join(world.folder, ".signalbox", "signalbox.db"))
  database.exec("DELETE FROM signalbox_events WHERE stream = 'op' AND seq = 5")
  database.close()
}

describe.skipIf(!linux)("the judge sees", { timeout: 120_000 }, () => {
  it.each([
    ["a step that runs again after its receipt", "duplicate", { inside: () => "forget" }],
    ["a mutation under a fence that was never held", "mutator", { inside: () => "fence" }],
    ["a lost event", "lost", { afterwards: lose }],
    ["a process that nobody looks after", "orphan", { inside: (world: World) => `orphan:${world.owner}` }]
  ] as const)("%s", async (_, rule, plant) => {
    const killed = order.findIndex(([, place]) => place === "between effect and receipt")
    const report = await make({ plant, without: [] }).run(killed)
    const seen = report.problems.map((one) => one.rule)
    assert.include(seen, rule, told(report))
  })
})
