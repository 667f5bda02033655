/**
 * The typed outbox over an encoded one.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { LeaseLost } from "../spi/LeaseStore.ts"
import { DeliveryState, type Outbox } from "../spi/Outbox.ts"
import { StoreError } from "../spi/StoreError.ts"
import type { DeliveryRow, EncodedOutbox } from "./EncodedOutbox.ts"
import { all } from "./internal/Codec.ts"

const decode = Schema.decodeUnknownResult(DeliveryState)

const parse = (text: string | null): unknown => (text === null ? null : JSON.parse(text))

const decodeDelivery = ({ body, error, receipt, ...row }: DeliveryRow): Result.Result<DeliveryState, StoreError> =>
  Result.flatMap(
    Result.try({
      try: () => ({ ...row, ...(parse(body) as object), receipt: parse(receipt), error: parse(error) }),
      catch: (cause) => corrupt(row.id, cause)
    }),
    (json) => Result.mapError(decode(json), (issue) => corrupt(row.id, issue))
  )

const corrupt = (id: string, cause: unknown) =>
  new StoreError({ operation: "outbox", reason: "Corrupt", detail: `delivery ${id} cannot be read`, cause })

const encodeDelivery = ({ error, message, receipt, why, ...state }: DeliveryState): DeliveryRow => ({
  ...state,
  kind: message.facts.kind,
  body: JSON.stringify({ why, message }),
  receipt: receipt === null ? null : JSON.stringify(receipt),
  error: error === null ? null : JSON.stringify(error)
})

const lacking = Effect.fail(
  new StoreError({
    operation: "outbox",
    reason: "Misconfigured",
    detail: "this store has no outbox, so it cannot be used with notifications"
  })
)

/** The outbox of a store that has none: it owes nothing. */
const none: Outbox = {
  owed: () => Effect.succeed([]),
  mark: () => Effect.undefined,
  due: () => Effect.succeed([]),
  deliveries: () => Effect.succeed([]),
  write: () => lacking
}

const within = (limit = 1_000): number => Math.min(Math.max(Math.trunc(limit), 1), 10_000)

/** Creates it; `pulse` tells the other fibers of this process. */
export const makeOutbox = (encoded: EncodedOutbox | undefined, pulse: Effect.Effect<void>): Outbox =>
  encoded === undefined
    ? none
    : {
        owed: encoded.owed,
        mark: encoded.mark,
        due: (query) => Effect.flatMap(encoded.due(query), (rows) => all(rows, decodeDelivery)),
        deliveries: ({ limit, ...query }) =>
          Effect.flatMap(encoded.deliveries({ ...query, limit: within(limit) }), (rows) => all(rows, decodeDelivery)),
        write: ({ deliveries, guards, mark }) =>
          Effect.flatMap(
            encoded.commit({
              guards,
              ...(mark === undefined ? {} : { mark }),
              deliveries: deliveries.map(encodeDelivery)
            }),
            (outcome) => {
              if (outcome === "Committed") return Effect.as(pulse, outcome)
              const [guard] = guards
              return outcome === "Lost" && guard !== undefined
                ? Effect.fail(new LeaseLost({ key: guard.key, fence: guard.fence }))
                : Effect.succeed("Stale" as const)
            }
          )
      }
