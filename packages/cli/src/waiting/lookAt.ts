import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Blocker, QueueStatus, Signalbox } from "@signalbox/core/engine"
import type { Execution, StoreError } from "@signalbox/core/spi"
import { inShort } from "../live/canDeploy.ts"
import { placeLine } from "../live/queue.ts"
import { signalbox } from "../main/services.ts"

export interface Waits {
  readonly place: QueueStatus.QueuePlace
  readonly blockers: ReadonlyArray<Blocker>
  /** All of it in one line. */
  readonly message: string
}

/** Where a request is in its queue, and what else it waits for. */
export const lookAt = Effect.fnUntraced(function* (
  execution: Execution.ExecutionState
): Effect.fn.Return<Waits, StoreError, Signalbox> {
  const { coordination } = yield* signalbox
  const place = yield* coordination.place(execution)
  const blockers = place.position === null ? [] : yield* coordination.blockers(execution.correlationId)
  const now = yield* Clock.currentTimeMillis
  // Who is before it is told already, unless it has ended and only its lock runs out.
  const others = blockers.filter(({ kind }) => place.ahead.length === 0 || (kind !== "lease" && kind !== "queue"))
  const also = others.length === 0 ? "" : `; ${inShort(others, now)}`
  return { place, blockers, message: `${placeLine(place)}${also}` }
})

/** Whether its turn has not come yet, told without the domain, whose schemas would cost `--help` 9 ms. */
export const isWaiting = ({ queue, status, turnAt }: Execution.ExecutionState): boolean =>
  status === "queued" && queue !== undefined && turnAt === undefined
