import * as Effect from "effect/Effect"
import { StoreError } from "../../spi/StoreError.ts"
import type { ExecutionRowQuery } from "../Encoded.ts"

type Position = NonNullable<ExecutionRowQuery["before"]>

/** Where a page ended, as an opaque text. */
export const format = ({ requestedAt, stream }: Position): string => `${requestedAt.toString(36)}~${stream}`

export const parse = (cursor: string | undefined): Effect.Effect<Position | undefined, StoreError> => {
  if (cursor === undefined) return Effect.undefined
  const [, time, stream] = /^([0-9a-z]+)~(.+)$/s.exec(cursor) ?? []
  const requestedAt = Number.parseInt(time ?? "", 36)
  return stream === undefined || !Number.isSafeInteger(requestedAt)
    ? Effect.fail(
        new StoreError({
          operation: "executions",
          reason: "Unexpected",
          detail: "the cursor is not one of a page before"
        })
      )
    : Effect.succeed({ requestedAt, stream })
}
