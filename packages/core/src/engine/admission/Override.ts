/**
 * Passing requests that wait for something which an override ignores.
 */
import * as Effect from "effect/Effect"
import type { Ticket } from "../../domain/Queue.ts"
import type { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import type { BlockerKind } from "../../api/CanDeployAnswer.ts"
import { type AdmissionRequest, policyBlockers } from "./PolicyBlockers.ts"
import { requestOf } from "../log/index.ts"

/**
 * Blockers that an override ignores and others wait for. A veto and the order of commits are permanent, so no request
 * waits for them.
 */
const lifted: ReadonlySet<BlockerKind> = new Set(["freeze", "dependency"])

/**
 * Whether a request passes an earlier one: it has an override, and the other one has none and could not begin at this
 * moment because of something that an override ignores.
 *
 * *Details*: a passed request keeps its position, and is first again as soon as it could begin: a request that could
 * begin is never passed.
 *
 * *Errors*: `StoreError`.
 */
export const overridePasses = (asked: Pick<AdmissionRequest, "override">) =>
  Effect.fnUntraced(function* ({
    correlationId
  }: Ticket): Effect.fn.Return<boolean, StoreError, DeploymentStore | LeaseStore> {
    if (asked.override === undefined) return false
    const other = yield* requestOf(correlationId)
    if (other === undefined || other.override !== undefined) return false
    return (yield* policyBlockers(other)).some(({ kind }) => lifted.has(kind))
  })
