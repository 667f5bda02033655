/**
 * The suites of a store, on a table of an emulator: this process reaches it through one address, another process through another.
 */
import { layerPlugin } from "@signalbox/core/plugin"
import { DeploymentStoreSuite, LeaseStoreSuite, OutboxSuite } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { inflateRawSync } from "node:zlib"
import { openStore } from "../../src/dynamodb/store.ts"
import { storeInOtherProcess } from "./otherProcess.ts"
import { freshTable } from "./tables.ts"

const context = { directory: ".", stateDirectory: ".signalbox" }

export const suites = async (
  name: string,
  here: string,
  there: string,
  { emulator, events = true }: { readonly emulator?: string; readonly events?: boolean } = {}
): Promise<void> => {
  const { client, table, urlAt } = await freshTable(emulator)
  const layer = layerPlugin({ load: openStore }, urlAt(here), context)
  const another = layerPlugin({ load: storeInOtherProcess }, urlAt(there), context)
  const options = { another, timeoutMillis: 900_000 }
  if (events) {
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
  }
  OutboxSuite.suite(name, layer, options)
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
