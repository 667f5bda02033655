import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Blocker, QueuePlace } from "@signalbox/core/api"
import type { Signalbox } from "@signalbox/core/engine"
import type { Execution, StoreError } from "@signalbox/core/spi"
import { inShort } from "../live/canDeploy.ts"
import { placeLine } from "../live/queue.ts"
import { signalbox } from "../main/services.ts"

export interface Waits {
  readonly place: QueuePlace
  readonly blockers: ReadonlyArray<Blocker>
  /** All of it in one line. */
  readonly message: string
}

/** The queue position of a request, and what else blocks it. */
export const lookAt = Effect.fnUntraced(function* (
  execution: Execution.ExecutionState
): Effect.fn.Return<Waits, StoreError, Signalbox> {
  const { coordination } = yield* signalbox
  const { blockers, place } = yield* coordination.waiting(execution)
  const now = yield* Clock.currentTimeMillis
  // The holder is shown already, unless it has ended and only its lease has to expire.
  const others = blockers.filter(({ kind }) => place.ahead.length === 0 || (kind !== "lease" && kind !== "queue"))
  const also = others.length === 0 ? "" : `; ${inShort(others, now)}`
  return { place, blockers, message: `${placeLine(place)}${also}` }
})

/** Whether it is not admitted yet, without the domain, whose schemas would cost `--help` 9 ms. */
export const isWaiting = ({ queue, status, turnAt }: Execution.ExecutionState): boolean =>
  status === "queued" && queue !== undefined && turnAt === undefined
