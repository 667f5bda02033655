import { assert, describe, it } from "vitest"
import { openStore } from "../../src/dynamodb/store.ts"
import { endpoint } from "../emulator.ts"
import { freshTable } from "./tables.ts"

describe.skipIf(endpoint === undefined)("an expired lease", () => {
  it("is taken over once it is over for its holder too", async () => {
    const { client, table, url } = await freshTable()
    const store = await openStore(url)
    const now = async () => (await store.lease("k")).now
    const first = { key: "k", holder: "a", owner: "a", fence: 1, acquiredAt: 1, expiresAt: (await now()) + 60_000 }
    assert.isTrue(await store.swap(undefined, first))

    const second = { ...first, holder: "b", owner: "b", fence: 2, expiresAt: (await now()) - 1 }
    assert.isTrue(await store.swap(first, second))

    // Its holder may believe for so long that it still holds it.
    await client.updateItem({
      TableName: table,
      Key: { pk: { S: "LEASE#k" }, sk: { S: "LEASE" } },
      UpdateExpression: "SET uncertainty = :ms",
      ExpressionAttributeValues: { ":ms": { N: "1500" } }
    })
    const { lease } = await store.lease("k")
    const third = { ...first, holder: "c", owner: "c", fence: 3, expiresAt: (await now()) + 60_000 }
    assert.isTrue(await store.swap(lease, third))
    assert.isAtLeast(await now(), second.expiresAt + 1_500)
    await store.close?.()
  })
})
