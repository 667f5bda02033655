/**
 * A small race: processes that take one lock over and over, killed and stopped all the while. And its judge: it has to see
 * what must not be, in evidence made up.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import type { Evidence, Fault, Logged } from "./evidence.ts"
import { judge, type Rule } from "./judge.ts"
import type { Note } from "./notes.ts"
import { bundleWorker, Race } from "./Race.ts"
import type { Entry, Word } from "./Register.ts"

const program = mkdtempSync(join(tmpdir(), "signalbox-race-program-"))
let race: Race | undefined
beforeAll(async () => {
  await bundleWorker(program)
})
afterAll(() => {
  race?.abandon()
  race?.remove()
  rmSync(program, { recursive: true, force: true })
})

describe.skipIf(process.platform !== "linux")("twelve processes that race for one lock", { timeout: 660_000 }, () => {
  it("hold it one at a time and in order, and all finish, despite kills and stops", async () => {
    const options = { processes: 12, rounds: 4, seed: 5, ttl: 1_200, every: 500, work: 3, limit: 600_000 }
    race = new Race(join(program, "worker.cjs"), options)
    const { acquisitions, errors, evidence, problems } = await race.run()
    assert.deepEqual([...problems], [], race.folder)
    assert.deepEqual([...errors], [])
    assert.isAtLeast(acquisitions, 48)
    assert.isNotEmpty(evidence.faults)
  })
})

const [a, b] = ["w0-r0-a0", "w1-r0-a0"] as const

const event = (stream: string, tag: string, at: number, body: Logged["body"] = {}): Omit<Logged, "position"> => ({
  stream,
  tag,
  at,
  body
})

/** One that waits from `asked`, is admitted at `turn` with a fence, and ends 10 ms later. */
const life = (stream: string, asked: number, turn: number, fence: number) => [
  event(stream, "ExecutionRequested", asked),
  event(stream, "ExecutionAdmitted", turn),
  event(stream, "LeaseAcquired", turn, { fence }),
  event(stream, "ExecutionTransitioned", turn + 10, { on: "completed" })
]

const entry = (execution: string, fence: number, word: Word, at: number, accepted = true): Entry => ({
  execution,
  fence,
  word,
  at,
  accepted
})

const told = (worker: number): ReadonlyArray<Note> => [
  { _tag: "Up", at: 0 },
  { _tag: "Asked", at: 1, id: `w${worker}-r0-a0`, round: 0 },
  { _tag: "Ended", at: 9_000, id: `w${worker}-r0-a0`, round: 0, status: "completed", code: null }
]

const evidence = (changes: {
  readonly log?: ReadonlyArray<Omit<Logged, "position">>
  readonly entries?: ReadonlyArray<Entry>
  readonly faults?: ReadonlyArray<Fault>
  readonly notes?: Evidence["notes"]
}): Evidence => {
  const log = changes.log ?? [...life(a, 1, 100, 1), ...life(b, 2, 200, 2)]
  return {
    processes: 2,
    rounds: 1,
    ttl: 1_000,
    // As they lie in the log: by the time of each.
    log: log.toSorted((left, right) => left.at - right.at).map((one, position) => ({ ...one, position })),
    entries: changes.entries ?? [
      entry(a, 1, "begin", 101),
      entry(a, 1, "end", 105),
      entry(b, 2, "begin", 201),
      entry(b, 2, "end", 205)
    ],
    faults: changes.faults ?? [],
    notes: changes.notes ?? [told(0), told(1)],
    finished: [0, 1]
  }
}

const rules = (given: Evidence): ReadonlyArray<Rule> => [...new Set(judge(given).problems.map(({ rule }) => rule))]

const stopped = (worker: number, from: number, to: number): Fault => ({ worker, kind: "stop", from, to, held: false })

describe("the judge of a race", () => {
  it("finds nothing where all went well, and measures it", () => {
    const { acquisitions, handovers, passed, problems } = judge(evidence({}))
    assert.deepEqual([problems, acquisitions, handovers, passed], [[], 2, [90], 0])
  })

  it.each<readonly [string, Rule, Parameters<typeof evidence>[0]]>([
    [
      "two that hold the lock at once",
      "holders",
      { entries: [entry(a, 1, "begin", 1), entry(b, 2, "begin", 2), entry(b, 2, "end", 3)] }
    ],
    ["a change that was refused without need", "holders", { entries: [entry(a, 1, "begin", 1, false)] }],
    [
      "one fence for two",
      "fences",
      { entries: [entry(a, 1, "begin", 1), entry(a, 1, "end", 2), entry(b, 1, "begin", 3)] }
    ],
    ["a fence that does not rise", "fences", { log: [...life(a, 1, 100, 2), ...life(b, 2, 200, 2)] }],
    ["turns that overlap", "turns", { log: [...life(a, 1, 100, 1), ...life(b, 2, 105, 2)] }],
    ["one that is passed while it waits", "order", { log: [...life(a, 1, 200, 2), ...life(b, 2, 100, 1)] }],
    [
      "a command that ran twice",
      "twice",
      { entries: ["begin", "end", "begin", "end"].map((word, at) => entry(a, 1, word as Word, at)) }
    ],
    ["one that waits forever", "lost", { log: [...life(a, 1, 100, 1), event(b, "ExecutionRequested", 2)] }],
    ["one that never had its rounds", "lost", { notes: [told(0), told(1).slice(0, 2)] }]
  ])("sees %s", (_, rule, changes) => {
    assert.include(rules(evidence(changes)), rule)
  })

  it("excuses others while a worker is away, and no longer", () => {
    const log = [...life(a, 1, 9_000, 2), ...life(b, 2, 8_000, 1)]
    assert.deepEqual(rules(evidence({ log, faults: [stopped(0, 4_000, 7_500)] })), [])
    assert.deepEqual(rules(evidence({ log, faults: [stopped(0, 1_000, 4_000)] })), ["order"])
    const entries = [entry(a, 1, "begin", 100), entry(b, 2, "begin", 2_000), entry(a, 1, "work", 4_000, false)]
    assert.deepEqual(rules(evidence({ entries, faults: [stopped(0, 101, 3_900)] })), [])
  })
})
