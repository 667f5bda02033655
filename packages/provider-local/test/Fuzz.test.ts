import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { fuzz } from "./fuzz/fuzz.ts"

describe("the proxy", () => {
  it.live(
    "survives whatever is sent to it from either side, and other stacks drop nothing",
    () =>
      Effect.gen(function* () {
        const { exchanges, failures, steady, stopMilliseconds, supervisorKept } = yield* fuzz(2000, 20_261_129)
        assert.deepStrictEqual(failures, [])
        assert.isTrue(supervisorKept)
        assert.strictEqual(exchanges, 2000)
        assert.isAbove(steady, 50)
        // Requests that are never counted out would hold this up for the two minutes of `drain`.
        assert.isBelow(stopMilliseconds, 90_000)
      }),
    180_000
  )
})
