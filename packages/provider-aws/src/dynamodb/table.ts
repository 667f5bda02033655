/**
 * The table, and its creation.
 */
import type { CreateTableCommandInput, DynamoDB } from "@aws-sdk/client-dynamodb"
import { setTimeout as sleep } from "node:timers/promises"
import type { Address } from "./Address.ts"
import { connect } from "./Database.ts"
import { StoreFailure } from "./StoreFailure.ts"

/** The attribute by which items expire. Leases never have it: their fence must not start again. */
const timeToLive = "ttl"

const keySchema = [
  { AttributeName: "pk", KeyType: "HASH" },
  { AttributeName: "sk", KeyType: "RANGE" }
] as const

/** The definition of a table. */
export const definitionOf = (table: string): CreateTableCommandInput => ({
  TableName: table,
  BillingMode: "PAY_PER_REQUEST",
  DeletionProtectionEnabled: true,
  AttributeDefinitions: keySchema.map(({ AttributeName }) => ({ AttributeName, AttributeType: "S" })),
  KeySchema: [...keySchema]
})

/** The same as a resource of CloudFormation, for teams that create resources in no other way. */
export const tableResource = (table: string) => {
  const properties = {
    ...definitionOf(table),
    TimeToLiveSpecification: { AttributeName: timeToLive, Enabled: true },
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }
  }
  return {
    Type: "AWS::DynamoDB::Table",
    DeletionPolicy: "Retain",
    UpdateReplacePolicy: "Retain",
    Properties: properties
  }
}

const named = (error: unknown, ...names: ReadonlyArray<string>): boolean =>
  names.includes((error as { readonly cause?: { readonly name?: string } }).cause?.name ?? "")

/** Creates the table, with expiry and backups; tells whether it was missing. An existing table is checked and completed. */
export const createTable = async (address: Address): Promise<boolean> => {
  const database = await connect(address)
  const call = async <Answer>(operation: (client: DynamoDB) => Promise<Answer>) =>
    (await database.repeated(operation)).answer
  const { table } = address
  try {
    const created = await call((client) => client.createTable(definitionOf(table))).then(
      () => true,
      (error) => {
        if (named(error, "ResourceInUseException")) return false
        throw error
      }
    )
    for (;;) {
      const { Table } = await call((client) => client.describeTable({ TableName: table }))
      const found = Table?.KeySchema?.map(({ AttributeName, KeyType }) => `${AttributeName} ${KeyType}`).join()
      if (found !== keySchema.map(({ AttributeName, KeyType }) => `${AttributeName} ${KeyType}`).join()) {
        throw new StoreFailure(
          "Misconfigured",
          `the table ${table} exists, and is none of Signalbox: its keys are ${found}`
        )
      }
      if (Table?.TableStatus === "ACTIVE") break
      await sleep(500)
    }
    const { TimeToLiveDescription } = await call((client) => client.describeTimeToLive({ TableName: table }))
    if (TimeToLiveDescription?.AttributeName !== timeToLive) {
      const TimeToLiveSpecification = { AttributeName: timeToLive, Enabled: true }
      await call((client) => client.updateTimeToLive({ TableName: table, TimeToLiveSpecification }))
    }
    await call((client) =>
      client.updateContinuousBackups({
        TableName: table,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }
      })
    )
    return created
  } finally {
    database.close()
  }
}
