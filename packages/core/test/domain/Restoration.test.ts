import { assert, describe, it } from "@effect/vitest"
import { type Environment, Restoration } from "@signalbox/core/spi"
import type { ExecutionState, StackState } from "../../src/domain/ExecutionState.ts"

const release = (version: string) => ({ id: version, version, configDigest: "c" })
const checkpoint = (version: string | null, takenAt: number) => ({
  release: version === null ? null : release(version),
  takenAt,
  data: null
})

/** A stack after an execution, and what it had before where that was recorded. */
interface After {
  readonly name: string
  readonly now: string | null
  readonly was?: string | null
  readonly status?: StackState["status"]
}

const execution = (at: number, stacks: ReadonlyArray<After>, more: Partial<ExecutionState> = {}): ExecutionState =>
  ({
    correlationId: `e${at}`,
    kind: "deploy",
    status: "completed",
    version: `v${at}`,
    requestedAt: at,
    startedAt: at,
    finishedAt: at,
    stacks: stacks.map(({ name, now, status = "deployed", was }) => ({
      name,
      status,
      release: now === null ? null : release(now),
      checkpoint: was === undefined ? null : checkpoint(was, at)
    })),
    ...more
  }) as unknown as ExecutionState

const environment = (stacks: Readonly<Record<string, string | null>>, status = "deployed") =>
  ({
    stacks: Object.entries(stacks).map(([name, version]) => ({
      name,
      status,
      release: version === null ? null : release(version),
      checkpoint: null
    }))
  }) as unknown as Environment.EnvironmentState

const shown = (all: ReadonlyArray<Restoration.Restoration>) =>
  Object.fromEntries(
    all.map(({ execution: { correlationId }, stacks }) => [
      correlationId,
      stacks.map(({ lacks, name, release }) => `${name} ${release?.version}${lacks === undefined ? "" : ` (${lacks})`}`)
    ])
  )

const web = (now: string, was: string | null) => ({ name: "web", now, was })
const api = (now: string, was: string | null) => ({ name: "api", now, was })

describe("Restoration", () => {
  it("is the whole deployment as of an execution, with what other executions left in it", () => {
    const log = [
      execution(1, [web("a", null), api("a", null)]),
      execution(2, [web("b", "a")], { kind: "deploy-stack" }),
      execution(3, [web("c", "b"), api("b", "a")])
    ]
    assert.deepStrictEqual(shown(Restoration.restorations(log, environment({ web: "c", api: "b" }))), {
      e3: [],
      e2: ["web b", "api a"],
      e1: ["web a", "api a"]
    })
  })

  it("takes the latest checkpoint of a release", () => {
    const log = [
      execution(1, [web("a", null)]),
      execution(2, [web("b", "a")]),
      execution(3, [web("a", "b")]),
      execution(4, [web("c", "a")])
    ]
    const [, , , first] = Restoration.restorations(log, environment({ web: "c" }))
    assert.deepStrictEqual(first?.stacks[0]?.checkpoint, checkpoint("a", 4))
  })

  it("knows what a stack had before the oldest execution that is left", () => {
    const log = [execution(5, [api("b", "a")], { kind: "deploy-stack" }), execution(6, [web("c", "b")])]
    assert.deepStrictEqual(shown(Restoration.restorations(log, environment({ web: "c", api: "b" }))), {
      e6: [],
      e5: ["web b"]
    })
  })

  it("does not guess what a rollback left behind", () => {
    const log = [
      execution(1, [api("a", null)]),
      execution(2, [{ name: "web", now: "a" }], { kind: "rollback" }),
      execution(3, [web("c", "a")])
    ]
    const all = Restoration.restorations(log, environment({ web: "c", api: "a" }))
    assert.deepStrictEqual(shown(all), { e3: [], e2: ["web a"], e1: ["web undefined (record)"] })
    assert.deepStrictEqual(all.map(Restoration.isRestorable), [false, true, false])
  })

  it("lacks a release without a checkpoint, and a stack that is gone", () => {
    const log = [execution(1, [web("a", null)]), execution(2, [web("b", "a")]), execution(3, [web("c", "x")])]
    assert.deepStrictEqual(shown(Restoration.restorations(log, environment({ web: "c" }))), {
      e3: [],
      e2: ["web b (record)"],
      e1: ["web a"]
    })
    const gone = Restoration.restorations(log, environment({ web: null }, "destroyed"))
    assert.deepStrictEqual(shown(gone).e1, ["web a (stack)"])
  })

  it("leaves out executions after which the stacks are not known to be good, and what did not exist yet", () => {
    const log = [
      execution(1, [web("a", null)]),
      execution(2, [{ name: "web", now: "a", was: "a", status: "failed" }], { status: "failed" }),
      execution(3, [web("b", "a"), api("a", null)]),
      execution(4, [], { status: "cancelled", startedAt: undefined as never })
    ]
    assert.deepStrictEqual(shown(Restoration.restorations(log, environment({ web: "b", api: "a" }))), {
      e3: [],
      e1: ["web a"]
    })
  })

  it("is found by correlation id, or by the last completed execution with a version; the nearest can be restored", () => {
    const log = [
      execution(1, [web("a", null)]),
      execution(2, [web("b", "a")], { version: "v1" }),
      execution(3, [web("c", "x")]),
      execution(4, [web("d", "c")])
    ]
    const all = Restoration.restorations(log, environment({ web: "d" }))
    const idOf = (one: Restoration.Restoration | undefined) => one?.execution.correlationId
    assert.strictEqual<string | undefined>(idOf(Restoration.restorationOf(all, "e1")), "e1")
    assert.strictEqual<string | undefined>(idOf(Restoration.restorationOf(all, "v1")), "e2")
    assert.isUndefined(Restoration.restorationOf(all, "v9"))
    assert.deepStrictEqual<unknown>(Restoration.nearest(all, all[2]!).map(idOf), ["e3", "e1"])
  })
})
