/**
 * Moves traffic between the two target groups, and takes the old instances away afterwards.
 */
import type { Percent } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { empty } from "../groups/Ready.ts"
import type { Failure } from "../client/index.ts"
import { otherThan } from "./AlbProperties.ts"
import { quiet } from "./Quiet.ts"
import { healthyOf, type SeenService, type SeenSide } from "./SeenService.ts"
import { shareOf, type State, weightsFrom } from "./State.ts"
import { begin, conflict, fail, record, unchanged, weigh, type AlbWork } from "./AlbWork.ts"

/** Weights are whole numbers up to 999. */
const finest = 0.1

const sideOf = (seen: SeenService, releaseId: string): Effect.Effect<SeenSide, Failure> => {
  const found = [seen.candidate, seen.stable].find((side) => side?.release?.id === releaseId)
  return found ? Effect.succeed(found) : fail({ _tag: "Missing", message: `release ${releaseId} is not staged` })
}

/** The weight of a share in percent, and the weight of the rest. */
export const weightsFor = (percent: Percent): readonly [number, number] | null => {
  if (Number.isInteger(percent)) return [percent, 100 - percent]
  const weight = Math.round(percent / finest)
  return Math.abs(weight * finest - percent) < 1e-9 ? [weight, 1000 - weight] : null
}

export const factsOf = (
  { stable, state }: SeenService,
  kept: SeenSide
): Pick<State, "capacity" | "minimum" | "stable"> => ({
  stable: stable?.colour ?? null,
  capacity: state?.capacity ?? kept.group.desired,
  minimum: state?.minimum ?? kept.group.minimum
})

export const shift = (
  work: AlbWork,
  { percent, releaseId }: { readonly releaseId: string; readonly percent: Percent }
): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const parts = weightsFor(percent)
    if (parts === null) {
      const message = `load balancers divide traffic by tenths of a percent, not by ${percent}`
      return yield* fail({ _tag: "Unsupported", message, capability: "smaller shares" })
    }
    const seen = yield* begin(work)
    const side = yield* sideOf(seen, releaseId)
    yield* unchanged(work, seen)
    const rest = seen.stable !== null && seen.stable.colour !== side.colour ? seen.stable : null
    if (percent > 0 && healthyOf(side) === 0) {
      return yield* conflict(`${side.colour} has no healthy instance, so it gets no traffic`)
    }
    if (percent < 100 && rest !== null && healthyOf(rest) === 0) {
      return yield* conflict(`${rest.colour} has no healthy instance, so it cannot carry the rest`)
    }
    const [own, others] = rest === null ? (percent > 0 ? [100, 0] : [0, 100]) : parts
    const to = weightsFrom(side.colour, own, others)
    yield* weigh(work, seen, factsOf(seen, side), to)
  })

/** Takes away what does not run the release that is kept, down to a part of its capacity. */
export const retire = (
  work: AlbWork,
  { capacityPercent, keep }: { readonly keep: string; readonly capacityPercent: Percent }
): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { groups, mutation } = work
    const seen = yield* begin(work)
    const kept = yield* sideOf(seen, keep)
    yield* unchanged(work, seen)
    const old = seen.sides[otherThan(kept.colour)]
    const share = shareOf(seen.weights, old.colour)
    if (old.release !== null && share > capacityPercent) {
      return yield* conflict(`${old.colour} still has ${Math.round(10 * share) / 10} % of the traffic`)
    }
    const facts = factsOf(seen, kept)
    if (capacityPercent > 0) {
      const desired = Math.ceil((facts.capacity * capacityPercent) / 100)
      if (old.release === null || old.group.desired <= desired) return
      return yield* groups.resize(old.group.name, mutation, {
        desired,
        minimum: Math.min(desired, old.group.minimum)
      })
    }
    if (healthyOf(kept) === 0) return yield* conflict(`${kept.colour} has no healthy instance to be kept`)
    if (old.release !== null) yield* quiet(work, seen, old.colour)
    yield* record(work, seen, { ...facts, stable: kept.colour })
    yield* empty(work, old.group.name)
  })
