/**
 * When a blocker will clear.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ExpectedClearance } from "../../api/CanDeployAnswer.ts"
import type { Estimate } from "../../analysis/Estimate.ts"
import { waitsForPeople } from "../../domain/Execution.ts"
import type { CorrelationId, Timestamp } from "../../domain/Ids.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { estimate } from "./Estimation.ts"

/** A blocker with a fixed end. */
export const clearsAtTime = (time: Timestamp): ExpectedClearance => ({
  low: time,
  point: time,
  high: time,
  basis: "known",
  n: null
})

/**
 * When an execution will have ended; null if unknown, as while people are waited for.
 *
 * *Errors*: `StoreError`.
 */
export const expectedEnd = Effect.fnUntraced(function* (
  id: CorrelationId
): Effect.fn.Return<ExpectedClearance | null, StoreError, DeploymentStore | LeaseStore> {
  const store = yield* DeploymentStore
  const state = yield* store.execution(id)
  if (state === undefined || waitsForPeople(state)) return null
  const left = yield* estimate(state)
  return fromNow(yield* Clock.currentTimeMillis, left)
})

const fromNow = (now: Timestamp, left: Estimate | undefined): ExpectedClearance | null => {
  if (left === undefined || left.point === null || left.low === null || left.high === null) return null
  const { high, low, n, point } = left
  return {
    low: now + low,
    point: now + point,
    high: now + high,
    basis: left.basis === "history" ? "history" : "few",
    n
  }
}
