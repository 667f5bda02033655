import { layerPlugin } from "@signalbox/core/plugin"
import { DeploymentStoreSuite, LeaseStoreSuite, OutboxSuite } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { afterAll, describe } from "vitest"
import { inflateRawSync } from "node:zlib"
import { openStore } from "../../src/dynamodb/store.ts"
import { endpoint } from "../emulator.ts"
import { storeInOtherProcess } from "./otherProcess.ts"
import { rewriting } from "./rewriting.ts"
import { freshTable } from "./tables.ts"

const context = { directory: ".", stateDirectory: ".signalbox" }

/** Both suites: this process through one way, another process through another. */
const suites = async (name: string, here: string, there: string) => {
  const { client, table, urlAt } = await freshTable()
  const layer = layerPlugin({ load: openStore }, urlAt(here), context)
  const another = layerPlugin({ load: storeInOtherProcess }, urlAt(there), context)
  const options = { another, timeoutMillis: 110_000 }
  DeploymentStoreSuite.suite(name, layer, {
    ...options,
    probe: (stream) =>
      Effect.promise(async () => {
        const { Items = [] } = await client.query({
          TableName: table,
          KeyConditionExpression: "pk = :pk AND begins_with(sk, :sk)",
          ExpressionAttributeValues: { ":pk": { S: `STREAM#${stream}` }, ":sk": { S: "EVENTS#" } }
        })
        return Items.flatMap(({ events }) => {
          const json = events!.S ?? inflateRawSync(events!.B!).toString()
          return (JSON.parse(json) as ReadonlyArray<readonly [string]>).map(([id]) => id)
        })
      })
  })
  OutboxSuite.suite(name, layer, { another, timeoutMillis: 110_000 })
  LeaseStoreSuite.suite(name, layer, {
    ...options,
    probe: (key) =>
      Effect.promise(async () => {
        const Key = { pk: { S: `LEASE#${key}` }, sk: { S: "LEASE" } }
        const { Item } = await client.getItem({ TableName: table, Key })
        return Item === undefined ? undefined : Number(Item["fence"]!.N)
      })
  })
}

describe.skipIf(endpoint === undefined)("DynamoDB", async () => {
  if (endpoint === undefined) return
  await suites("DynamoDB", endpoint, endpoint)
  for (const by of [20_000, -20_000]) {
    // Both processes have the same wrong clock: the server's is right by definition.
    const turned = await rewriting(endpoint, { ahead: by })
    afterAll(turned.close)
    await suites(`DynamoDB, with this host's clock off by ${-by / 1_000} seconds,`, turned.url, turned.url)
  }
})
