import { layerPlugin } from "@signalbox/core/plugin"
import { DeploymentStoreSuite, LeaseStoreSuite } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { inflateRawSync } from "node:zlib"
import { describe } from "vitest"
import { openStore } from "../../src/dynamodb/store.ts"
import { endpoint } from "../emulator.ts"
import { freshTable } from "./tables.ts"

const context = { directory: ".", stateDirectory: ".signalbox" }

describe.skipIf(endpoint === undefined)("DynamoDB", async () => {
  if (endpoint === undefined) return
  const { client, table, url } = await freshTable()
  const layer = layerPlugin({ load: openStore }, url, context)
  DeploymentStoreSuite.suite("DynamoDB", layer, {
    another: layer,
    timeoutMillis: 110_000,
    probe: (stream) =>
      Effect.promise(async () => {
        const { Items = [] } = await client.query({
          TableName: table,
          KeyConditionExpression: "pk = :pk AND begins_with(sk, :sk)",
          ExpressionAttributeValues: { ":pk": { S: `STREAM#${stream}` }, ":sk": { S: "EVENTS#" } }
        })
        return Items.flatMap(({ events }) => {
          const json = events!.S ?? inflateRawSync(events!.B!).toString()
          return (JSON.parse(json) as ReadonlyArray<[string]>).map(([id]) => id)
        })
      })
  })
  LeaseStoreSuite.suite("DynamoDB", layer, {
    another: layer,
    timeoutMillis: 110_000,
    probe: (key) =>
      Effect.promise(async () => {
        const { Item } = await client.getItem({
          TableName: table,
          Key: { pk: { S: `LEASE#${key}` }, sk: { S: "LEASE" } }
        })
        return Item === undefined ? undefined : Number(Item["fence"]!.N)
      })
  })
})
