/**
 * What waits in the outbox, as a process finds it at its start.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"

/** After this time without a worker, it is said, in ms. */
const unattendedAfter = 30_000

/** Of one deployment, or of all: since when something is to be planned or sent; undefined if nothing is. */
export interface OutboxLook {
  readonly deploymentId: string | undefined
  readonly since: number | undefined
}

/** Looks into the outbox. */
export const lookFor = Effect.fnUntraced(function* (
  deploymentId?: string
): Effect.fn.Return<OutboxLook, StoreError, DeploymentStore> {
  const { outbox } = yield* DeploymentStore
  const until = yield* Clock.currentTimeMillis
  const [[owed], [due]] = yield* Effect.all(
    [outbox.owed({ deploymentId, limit: 1 }), outbox.due({ deploymentId, until, limit: 1 })],
    { concurrency: 2 }
  )
  const since = Math.min(owed?.at ?? Number.POSITIVE_INFINITY, due?.nextAt ?? Number.POSITIVE_INFINITY)
  return { deploymentId, since: Number.isFinite(since) ? since : undefined }
})

/** The look of this process, made once; undefined if no notifications are configured. By default there is none. */
export const FirstLook = Context.Reference<Effect.Effect<OutboxLook | undefined, StoreError> | undefined>(
  "@signalbox/core/engine/notify/FirstLook",
  { defaultValue: () => undefined }
)

/**
 * Since when something of a deployment, or of any, waits that should have been done; undefined if all is well. Reads nothing
 * that the first look has answered.
 */
export const unattendedSince = Effect.fnUntraced(function* (
  deploymentId?: string
): Effect.fn.Return<number | undefined, StoreError, DeploymentStore> {
  const look = yield* FirstLook
  const first = look === undefined ? undefined : yield* look
  if (look !== undefined && first === undefined) return undefined
  const covers = first !== undefined && (first.deploymentId === undefined || first.deploymentId === deploymentId)
  const answers = covers && (first.since === undefined || first.deploymentId === deploymentId)
  const { since } = answers ? first : yield* lookFor(deploymentId)
  return since !== undefined && (yield* Clock.currentTimeMillis) - since > unattendedAfter ? since : undefined
})
