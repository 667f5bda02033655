/** Tables of the emulator, for the tests of the store. */
import { DynamoDB } from "@aws-sdk/client-dynamodb"
import { definitionOf } from "../../src/dynamodb/table.ts"
import { endpoint, freshAccount } from "../emulator.ts"

// The default chain of the client finds them, as for a user.
process.env["AWS_ACCESS_KEY_ID"] = freshAccount()
process.env["AWS_SECRET_ACCESS_KEY"] = "test"
process.env["AWS_REGION"] = "eu-west-1"

let tables = 0

/** A new table, of the emulator that the tests share or of another one; `url` is its address as a store, through `at` if given. */
export const freshTable = async (emulator = endpoint!) => {
  const client = new DynamoDB({ endpoint: emulator })
  const table = `signalbox-${(tables += 1)}`
  await client.createTable(definitionOf(table))
  const urlAt = (at: string) => `dynamodb://${table}?region=eu-west-1&endpoint=${encodeURIComponent(at)}`
  return { table, client, urlAt, url: urlAt(emulator) }
}
