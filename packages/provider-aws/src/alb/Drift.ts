/**
 * What others changed since the last change of Signalbox: the weights, and the minimum of the stable group.
 */
import type { Drift, ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Failure } from "../client/index.ts"
import { strangersIn } from "./Actions.ts"
import type { AlbProperties } from "./AlbProperties.ts"
import { see, type SeenService } from "./SeenService.ts"
import { factsOf } from "./Shift.ts"
import { sameWeights, showWeights } from "./State.ts"
import { begin, fail, weigh, type AlbWork } from "./AlbWork.ts"

/** Compares with what Signalbox has recorded; without a record, nothing was. */
const differences = (
  { actions, stable, state, weights }: SeenService,
  properties: AlbProperties
): ReadonlyArray<Drift> => {
  if (state === null) return []
  const strangers = strangersIn(actions, properties)
  const moved = strangers.length > 0 || !sameWeights(weights, state.to)
  const less = stable !== null && stable.group.desired >= state.capacity && stable.group.minimum !== state.minimum
  return [
    ...(moved
      ? [
          {
            field: "traffic",
            expected: showWeights(state.to),
            actual: [showWeights(weights), ...strangers].join(", also "),
            owned: true
          }
        ]
      : []),
    ...(less
      ? [{ field: "minimum", expected: String(state.minimum), actual: String(stable.group.minimum), owned: true }]
      : [])
  ]
}

export const detect = (work: AlbWork): Effect.Effect<ReadonlyArray<Drift>, ProviderReason> =>
  Effect.map(see(work, work.properties), (seen) => differences(seen, work.properties))

/** Restores the fields that are named. */
export const correct = (work: AlbWork, fields: ReadonlyArray<string>): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { groups, mutation, properties } = work
    const seen = yield* begin(work)
    const { stable, state } = seen
    const found = differences(seen, properties).filter(({ field }) => fields.includes(field))
    if (state === null || found.length === 0) return
    if (stable === null) return yield* fail({ _tag: "Missing", message: "nothing runs" })
    for (const { field } of found) {
      if (field === "traffic") yield* weigh(work, seen, factsOf(seen, stable), state.to)
      else yield* groups.resize(stable.group.name, mutation, { desired: stable.group.desired, minimum: state.minimum })
    }
  })
