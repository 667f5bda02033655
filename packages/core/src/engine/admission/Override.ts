/**
 * Going past those that wait for something which an override does not heed.
 */
import * as Effect from "effect/Effect"
import type { Ticket } from "../../domain/Queue.ts"
import type { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { type AdmissionRequest, type BlockerKind, policyBlockers } from "./PolicyBlockers.ts"
import { requestOf } from "../log/index.ts"

/** What one waits for that an override does not heed. A veto and the order of commits are there for good: nobody waits for them. */
const lifted: ReadonlySet<BlockerKind> = new Set(["freeze", "dependency"])

/**
 * Whether a request goes past one that comes before it: it has an override, and the other one has none and could not begin
 * at this moment for what an override does not heed.
 *
 * *Details*: whoever is passed keeps the place, and comes first again as soon as it could begin: nobody is passed who could.
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
