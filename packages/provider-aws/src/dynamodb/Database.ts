/**
 * The connection to one table: the vendor's client, the time of the server, and repeats.
 */
import type {
  DynamoDB,
  GetItemCommandInput,
  GetItemCommandOutput,
  PutItemCommandInput,
  PutItemCommandOutput,
  QueryCommandInput,
  QueryCommandOutput,
  TransactWriteItem,
  UpdateItemCommandInput,
  UpdateItemCommandOutput
} from "@aws-sdk/client-dynamodb"
import { setTimeout as sleep } from "node:timers/promises"
import type { Address } from "./Address.ts"
import { classify, isTransient, isUnreachable } from "./failures.ts"
import { ServerClock } from "./ServerClock.ts"
import { StoreFailure } from "./StoreFailure.ts"

/** The operations of the client that take the name of a table: what they are given, and what they answer. */
interface Operations {
  readonly getItem: readonly [GetItemCommandInput, GetItemCommandOutput]
  readonly putItem: readonly [PutItemCommandInput, PutItemCommandOutput]
  readonly updateItem: readonly [UpdateItemCommandInput, UpdateItemCommandOutput]
  readonly query: readonly [QueryCommandInput, QueryCommandOutput]
}

/** A call of the client, repeated while its failure is transient. `repeats` counts how often it was. */
export interface Called<Answer> {
  readonly answer: Answer
  readonly repeats: number
}

/** A connection. */
export interface Database {
  readonly table: string
  readonly clock: ServerClock
  readonly one: <Name extends keyof Operations>(
    name: Name,
    input: Omit<Operations[Name][0], "TableName">
  ) => Promise<Operations[Name][1]>
  readonly repeated: <Answer>(call: (client: DynamoDB) => Promise<Answer>) => Promise<Called<Answer>>
  /** Writes all or nothing. The same `token` writes once, however often it is sent. */
  readonly transact: (token: string, items: ReadonlyArray<TransactWriteItem>) => Promise<Called<unknown>>
  readonly close: () => void
}

/** How long a call is repeated, in ms, and how long the pauses are. An address without a server is given up earlier. */
const patience = { total: 8_000, unreachable: 1_000, first: 25, longest: 400 }

const timeouts = { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true }

/**
 * Connects to a table: sends nothing yet.
 *
 * *Details*: the client itself repeats nothing, so that every answer gives the time and every repeat is known. Its module is
 * loaded here, since that takes a quarter of a second.
 */
export const connect = async (address: Address): Promise<Database> => {
  const sdk = await import("@aws-sdk/client-dynamodb")
  const clock = new ServerClock()
  const client = new sdk.DynamoDB({
    maxAttempts: 1,
    requestHandler: timeouts,
    ...(address.region === undefined ? {} : { region: address.region }),
    ...(address.endpoint === undefined ? {} : { endpoint: address.endpoint })
  })
  client.middlewareStack.add(
    (next) => async (input) => {
      const sent = performance.now()
      const take = (response: unknown) => {
        const { headers } = response as { readonly headers?: Readonly<Record<string, string>> }
        if (headers?.["date"] !== undefined) clock.sample(headers["date"], sent, performance.now())
      }
      const answer = await next(input)
      take(answer.response)
      return answer
    },
    // Inside of the deserializer, which turns an answer into an error.
    { step: "deserialize", name: "signalboxServerTime", priority: "low" }
  )

  const repeated = async <Answer>(call: (client: DynamoDB) => Promise<Answer>): Promise<Called<Answer>> => {
    const began = performance.now()
    for (let repeats = 0; ; repeats++) {
      try {
        return { answer: await call(client), repeats }
      } catch (error) {
        const spent = performance.now() - began
        const limit = isUnreachable(error) ? patience.unreachable : patience.total
        if (!isTransient(error) || spent > limit)
          throw Object.assign(classify(error, address), { cause: error, repeats })
        // Full jitter: writers that collided once must not collide again.
        await sleep(Math.random() * Math.min(patience.longest, patience.first * 2 ** repeats))
      }
    }
  }

  return {
    table: address.table,
    clock,
    one: async <Name extends keyof Operations>(name: Name, input: Omit<Operations[Name][0], "TableName">) => {
      // The client has overloads for callbacks, and TypeScript would take the last one.
      const { answer } = await repeated((client) =>
        (client as unknown as Record<string, (input: object) => Promise<Operations[Name][1]>>)[name]!({
          TableName: address.table,
          ...input
        })
      )
      return answer
    },
    repeated,
    transact: (token, items) =>
      repeated((client) => client.transactWriteItems({ ClientRequestToken: token, TransactItems: [...items] })),
    close: () => client.destroy()
  }
}

/** Fails before anything depends on the time if no answer had one. */
export const checkTime = ({ clock }: Database): void => {
  if (!clock.isSet) throw new StoreFailure("Unexpected", "the answers of DynamoDB have no Date header")
}
