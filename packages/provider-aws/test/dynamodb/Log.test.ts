import { setTimeout as sleep } from "node:timers/promises"
import { assert, describe, it } from "vitest"
import type { PlainStore } from "@signalbox/core/plugin"
import type { Commit, EventRowQuery, NewEventRow } from "@signalbox/core/plugin"
import { faultProxy, operations } from "@signalbox/fault-proxy"
import { openStore } from "../../src/dynamodb/store.ts"
import { endpoint } from "../emulator.ts"
import { freshTable } from "./tables.ts"

const everything: EventRowQuery = {
  stream: undefined,
  deploymentId: undefined,
  environment: undefined,
  tags: undefined,
  text: undefined,
  since: undefined,
  until: undefined,
  after: 0,
  limit: 1_000
}

const event = (stream: string, seq: number): NewEventRow => ({
  stream,
  seq,
  id: `${stream} ${seq}`,
  at: 1,
  tag: "Test",
  deploymentId: "D",
  environment: null,
  body: "{}"
})

const commit = (stream: string, base = 0): Commit => ({ stream, base, events: [event(stream, base + 1)], guards: [] })

const positionOf = async (store: PlainStore, write: Commit): Promise<number> => {
  const outcome = await store.commit(write)
  if (outcome._tag !== "Committed") throw new Error(outcome._tag)
  return outcome.positions[0]!
}

const streams = async (store: PlainStore) => (await store.events(everything)).map(({ stream }) => stream)

/** Repeats it, at most a minute, until it holds. */
const until = async (holds: () => Promise<boolean>): Promise<void> => {
  for (const end = Date.now() + 300_000; Date.now() < end; await sleep(50)) if (await holds()) return
  throw new Error("it did not happen")
}

describe.skipIf(endpoint === undefined)("the order of appends", () => {
  it("hides what comes behind a writer that is still on its way, and closes its gap after two seconds", async () => {
    const { urlAt } = await freshTable()
    await using proxy = await faultProxy({ target: endpoint!, operationOf: operations.awsJson })
    const slow = await openStore(urlAt(proxy.url))
    const store = await openStore(urlAt(endpoint!))
    const first = await positionOf(store, commit("first"))
    // Its number is taken, and its transaction is delayed.
    proxy.add({ operation: "TransactWriteItems", times: 1, fault: { delay: 4_000 } })
    const late = positionOf(slow, commit("late"))
    await until(async () => proxy.count("TransactWriteItems") === 1)
    const second = await positionOf(store, commit("second"))
    assert.isAbove(second, first)
    assert.deepEqual(await streams(store), ["first"])
    assert.strictEqual(await store.newest(), first)
    // A stream hides nothing of itself.
    assert.lengthOf(await store.events({ ...everything, stream: "second" }), 1)

    await until(async () => (await streams(store)).length === 2)
    assert.isAbove(await late, second)
    assert.deepEqual(await streams(store), ["first", "second", "late"])
    assert.deepEqual(await streams(await openStore(urlAt(endpoint!))), ["first", "second", "late"])
    assert.deepEqual(
      (await store.events({ ...everything, after: first })).map(({ stream }) => stream),
      ["second", "late"]
    )
    await Promise.all([slow.close?.(), store.close?.()])
  })

  it("leaves no gap behind a write that was refused", async () => {
    const { url } = await freshTable()
    const store = await openStore(url)
    await positionOf(store, commit("a"))
    assert.deepEqual(await store.commit(commit("a")), { _tag: "Stale" })
    const guard = { key: "k", holder: "h", owner: "o", fence: 1, acquiredAt: 0, expiresAt: 0 }
    assert.deepEqual(await store.commit({ ...commit("b"), guards: [guard] }), { _tag: "Lost", guard })
    const last = await positionOf(store, commit("c"))
    assert.strictEqual(await store.newest(), last)
    assert.deepEqual(await streams(store), ["a", "c"])
    await store.close?.()
  })

  it("writes a thousand events, and more than fit into one item, at once", async () => {
    const { url } = await freshTable()
    const store = await openStore(url)
    // Random text cannot be compressed: 1,000 events of 2 KB need several items.
    const noise = () => Array.from({ length: 160 }, () => Math.random().toString(36).slice(2)).join("")
    const events = Array.from({ length: 1_000 }, (_, n) => ({
      ...event("large", n + 1),
      body: JSON.stringify(noise())
    }))
    const outcome = await store.commit({ stream: "large", base: 0, events, guards: [] })
    assert.strictEqual(outcome._tag, "Committed")
    const positions = outcome._tag === "Committed" ? outcome.positions : []
    assert.strictEqual(new Set(positions).size, 1_000)
    for (const stream of ["large", undefined]) {
      const read = await store.events({ ...everything, stream })
      assert.deepEqual(
        read.map(({ body, position, seq }) => ({ body, position, seq })),
        events.map(({ body, seq }, index) => ({ body, seq, position: positions[index]! }))
      )
    }
    const { ids } = await store.head("large", 990)
    assert.deepEqual(
      ids,
      events.slice(990).map(({ id }) => id)
    )
    const huge = { ...event("huge", 1), body: Array.from({ length: 600 }, noise).join("") }
    const error = await store
      .commit({ stream: "huge", base: 0, events: [huge], guards: [] })
      .catch((refused) => refused)
    assert.strictEqual(error.reason, "Full")
    assert.match(error.detail, /event huge 1 has \d+ KB compressed/)
    await store.close?.()
  })
})
