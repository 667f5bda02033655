import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { EventOf } from "../../domain/Event.ts"
import type { LeaseLost } from "../../spi/LeaseStore.ts"
import type { PlaceRef, Provider } from "../../spi/Provider.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { placeRefOf } from "../../config/StackRefs.ts"
import type { KeptLease } from "../lease/index.ts"

/** How long a provider may take to answer, and how often it is asked again. */
const patience = Duration.seconds(5)
const again = Schedule.exponential("200 millis").pipe(Schedule.upTo({ times: 3 }))

/** A provider, and one of the places where it has stacks. */
interface Told {
  readonly provider: Provider
  readonly place: PlaceRef
}

/**
 * Announces the new runner's fence to the providers of a request, so that they refuse late calls of earlier ones.
 * Returns newer fences, by kind, that providers know although the lease is held: another store issued those.
 *
 * *Details*: a process can be stopped after its last check and send its call when it wakes up. No check of its own
 * prevents that; a provider that compares fences does, once it knows the new one. A provider that does not answer is
 * not waited for: it learns the fence from the first mutation.
 *
 * *Errors*: `LeaseLost` if the claim or the lease is lost, even if a provider noticed it first; `StoreError`.
 */
export const fenceOff = (
  { spec, ...where }: EventOf<"ExecutionRequested">,
  providers: ReadonlyMap<string, Provider>,
  { claim, lock }: { readonly claim: KeptLease; readonly lock: KeptLease }
): Effect.Effect<ReadonlyMap<string, number>, LeaseLost | StoreError> => {
  const ahead = new Map<string, number>()
  const told = new Map<string, Told>()
  for (const stack of spec.stacks.filter(({ enabled }) => enabled)) {
    const provider = providers.get(stack.provider)
    if (provider?.fence === undefined) continue
    const place = placeRefOf(where, spec, stack)
    told.set([provider.kind, place.region, place.account].join("\n"), { provider, place })
  }
  if (told.size === 0) return Effect.succeed(ahead)
  const { fence } = lock.lease()
  const refused = (kind: string, newer: number) =>
    Effect.map(lock.check, () => void ahead.set(kind, Math.max(newer, ahead.get(kind) ?? 0)))
  const tell = ({ place, provider }: Told) =>
    provider.fence!(place, fence).pipe(
      Effect.retry({ schedule: again, while: (error) => error.isRetryable }),
      Effect.timeoutOption(patience),
      Effect.catch((error) =>
        error.reason._tag === "Fenced"
          ? refused(provider.kind, error.reason.fence)
          : Effect.logWarning(`${provider.kind} does not take the fence of this runner`, error)
      )
    )
  return Effect.raceFirst(
    Effect.as(Effect.forEach(told.values(), tell, { concurrency: "unbounded", discard: true }), ahead),
    Effect.raceFirst(claim.lost, lock.lost)
  )
}
