/**
 * The table, as it is created.
 */
import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb"

/** The definition of a table. */
export const definitionOf = (table: string): CreateTableCommandInput => ({
  TableName: table,
  BillingMode: "PAY_PER_REQUEST",
  AttributeDefinitions: [
    { AttributeName: "pk", AttributeType: "S" },
    { AttributeName: "sk", AttributeType: "S" }
  ],
  KeySchema: [
    { AttributeName: "pk", KeyType: "HASH" },
    { AttributeName: "sk", KeyType: "RANGE" }
  ]
})

/** The attribute with the time to live. Leases never have it. */
export const timeToLive = "ttl"
