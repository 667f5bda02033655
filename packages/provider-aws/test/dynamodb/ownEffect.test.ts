import { faultProxy, operations } from "@signalbox/fault-proxy"
import { afterAll, assert, describe, it } from "vitest"
import { openStore } from "../../src/dynamodb/store.ts"
import { endpoint } from "../emulator.ts"
import { rewriting } from "./rewriting.ts"
import { freshTable } from "./tables.ts"

const event = {
  stream: "s",
  seq: 1,
  id: "one",
  at: 1,
  tag: "Test",
  deploymentId: "D",
  environment: null,
  body: "{}"
}

/** A table that has forgotten the tokens of transactions, as DynamoDB does after ten minutes, behind a proxy with faults. */
const forgetful = async () => {
  const { urlAt } = await freshTable()
  const body = (text: string) => JSON.stringify({ ...JSON.parse(text), ClientRequestToken: undefined })
  const table = await rewriting(endpoint!, { body })
  const proxy = await faultProxy({ target: table.url, operationOf: operations.awsJson })
  afterAll(() => (table.close(), proxy.close()))
  return { proxy, store: await openStore(urlAt(proxy.url)) }
}

const lease = { key: "k", holder: "h", owner: "o", fence: 1, acquiredAt: 1, expiresAt: 2 ** 45 }

describe.skipIf(endpoint === undefined)("a write whose answer was lost", () => {
  it("is recognized as the own one: an append", async () => {
    const { proxy, store } = await forgetful()
    proxy.add({ operation: "TransactWriteItems", nth: 1, fault: { cut: "after" } })
    const outcome = await store.commit({ stream: "s", base: 0, events: [event], guards: [] })
    assert.strictEqual(outcome._tag, "Committed")
    assert.strictEqual(proxy.count("TransactWriteItems"), 2)
    const { seq } = await store.head("s", 0)
    assert.strictEqual(seq, 1)
    // Another one's is not.
    proxy.add({ operation: "TransactWriteItems", nth: 1, fault: { cut: "before" } })
    assert.deepEqual(await store.commit({ stream: "s", base: 0, events: [event], guards: [] }), { _tag: "Stale" })
  })

  it("is recognized as the own one: a lease", async () => {
    const { proxy, store } = await forgetful()
    proxy.add({ operation: "TransactWriteItems", nth: 1, fault: { cut: "after" } })
    assert.isTrue(await store.swap(undefined, lease))
    assert.strictEqual(proxy.count("TransactWriteItems"), 2)
    proxy.add({ operation: "TransactWriteItems", nth: 1, fault: { cut: "before" } })
    assert.isFalse(await store.swap(undefined, { ...lease, holder: "other" }))
    assert.strictEqual((await store.lease("k")).lease?.holder, "h")
  })
})
