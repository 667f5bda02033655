import { assert, describe, it } from "vitest"
import type { Entry, Logged, Note } from "./evidence.ts"
import * as Judge from "./judge.ts"

const entry = (n: number, idempotencyKey: string, fence: number, at = 1000 * n): Entry => ({
  n,
  at,
  stack: "web",
  operation: "stage",
  fence,
  idempotencyKey
})

const logged = (stream: string, seq: number, tag: string, body: Record<string, unknown>, at = 0): Logged => ({
  stream,
  seq,
  id: `${tag}-${seq}`,
  at,
  tag,
  body
})

const intent = (stream: string, seq: number, step: string) => logged(stream, seq, "StepStarted", { step })
const lease = (stream: string, seq: number, fence: number, at = 0) =>
  logged(stream, seq, "LeaseAcquired", { key: "environment/D/production", fence }, at)
const rules = (problems: ReadonlyArray<Judge.Problem>) => problems.map(({ rule }) => rule)

describe("steps", () => {
  const log = [intent("op", 1, "stage/web/100")]
  const key = "op/stage/web/100"
  const did = (what: string): Note => ({ committed: `${what}/stage/web/100#1`, stream: "op", seq: 1 })
  const called: Note = { label: `call stage ${key}` }

  it("may be called again until their receipt exists", () => {
    assert.deepEqual(Judge.steps([entry(1, key, 1)], [did("intent"), called, called, did("receipt")], log), [])
  })
  it("must not have their effect twice", () => {
    assert.deepEqual(rules(Judge.steps([entry(1, key, 1), entry(2, key, 1)], [], log)), ["duplicate"])
  })
  it("must not be called after their receipt", () => {
    assert.deepEqual(rules(Judge.steps([], [did("intent"), called, did("receipt"), called], log)), ["duplicate"])
  })
  it("must not be called before their intent, or without one", () => {
    assert.deepEqual(rules(Judge.steps([], [called, did("intent")], log)), ["journal"])
    assert.deepEqual(rules(Judge.steps([entry(1, "op/shift/web/100", 1)], [], log)), ["journal"])
  })
})

describe("mutators", () => {
  const log = [lease("a", 1, 1), lease("b", 1, 2, 1500)]

  it("may change what they hold", () => {
    assert.deepEqual(Judge.mutators([entry(1, "a/x", 1), entry(2, "b/x", 2)], log, true), [])
  })
  it("must have taken the fence themselves", () => {
    assert.deepEqual(rules(Judge.mutators([entry(1, "b/x", 1)], log, true)), ["mutator"])
  })
  it("must not come after their successor's first mutation", () => {
    const late = [entry(1, "b/x", 2), entry(2, "a/x", 1, 1000)]
    assert.deepEqual(rules(Judge.mutators(late, log, true)), ["mutator"])
  })
  it("must not come after their successor took the lease", () => {
    assert.deepEqual(rules(Judge.mutators([entry(1, "a/x", 1, 1600)], log, true)), ["mutator"])
    assert.deepEqual(Judge.mutators([entry(1, "a/x", 1, 1600)], log, false), [])
  })
})

describe("events", () => {
  const log = [lease("a", 1, 1), lease("a", 2, 2)]
  const committed = (seq: number): Note => ({ committed: `LeaseAcquired-${seq}`, stream: "a", seq })

  it("are where they were committed and printed", () => {
    assert.deepEqual(
      Judge.events(log, [committed(1), committed(2)], [{ stream: "a", seq: 2, id: "LeaseAcquired-2" }]),
      []
    )
  })
  it("hold no sentence of ours, and no command", () => {
    const event = (body: Logged["body"]): Logged => ({ ...log[0]!, tag: "AlertRaised", body })
    assert.deepEqual(rules(Judge.prose([event({ kind: "stalled", by: "ada lovelace" })])), [])
    assert.deepEqual(rules(Judge.prose([event({ kind: "stalled for an hour" })])), ["prose"])
    assert.deepEqual(rules(Judge.prose([event({ hint: "signalbox attach" })])), ["prose"])
  })
  it("must not be gone, have gaps or be there twice", () => {
    assert.deepEqual(rules(Judge.events(log, [committed(3)], [])), ["lost"])
    assert.deepEqual(rules(Judge.events(log, [], [{ stream: "a", seq: 2, id: "another" }])), ["lost"])
    assert.deepEqual(rules(Judge.events([lease("a", 2, 1)], [], [])), ["lost"])
    assert.deepEqual(rules(Judge.events([log[0]!, { ...log[1]!, id: log[0]!.id }], [], [])), ["lost"])
  })
})

describe("the end", () => {
  const twin = { deployment: "deployed", stacks: [], traffic: {}, instances: { "web v2": 1 }, answers: {} }

  it("must match the twin; a surplus process is an orphan", () => {
    assert.deepEqual(Judge.same(twin, twin), [])
    assert.deepEqual(rules(Judge.same({ ...twin, deployment: "failed" }, twin)), ["final"])
    assert.deepEqual(rules(Judge.same({ ...twin, instances: {} }, twin)), ["final"])
    assert.deepEqual(rules(Judge.same({ ...twin, instances: { "web v1": 1, "web v2": 1 } }, twin)), ["orphan"])
  })
  it("must come for every execution", () => {
    const requested = logged("a", 1, "ExecutionRequested", {})
    const completed = logged("a", 2, "ExecutionTransitioned", { on: "completed" })
    assert.deepEqual(rules(Judge.ends([requested], {})), ["final"])
    assert.deepEqual(Judge.ends([requested, completed], { a: "completed" }), [])
    assert.deepEqual(rules(Judge.ends([requested, completed], { a: "rolled_back" })), ["final"])
  })
  it("must be answered by the applications", () => {
    const asked = { at: 20_000, stack: "web", status: undefined, error: "ECONNREFUSED" }
    assert.deepEqual(rules(Judge.answers([asked], [], false)), ["answer"])
    assert.deepEqual(Judge.answers([asked], [19_000], false), [])
    assert.deepEqual(Judge.answers([{ ...asked, status: 500 }], [], true), [])
    assert.deepEqual(rules(Judge.answers([{ ...asked, status: 500 }], [], false)), ["answer"])
  })
})
