/**
 * What is recorded to restore a service: the actions of its listener or rule, and what its instances were launched from.
 */
import { type Checkpoint, Json, type ProviderReason, type Release } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { colours } from "./AlbProperties.ts"
import type { SeenService } from "./SeenService.ts"

const Recorded = Schema.Struct({
  colour: Schema.Literals(colours),
  template: Schema.Struct({ id: Schema.String, version: Schema.Int }),
  capacity: Schema.Int,
  minimum: Schema.Int,
  actions: Schema.Array(Json)
})
export type Recorded = typeof Recorded.Type & { readonly release: Release }

/** The checkpoint of a service: without what a candidate carries, which is to be undone. */
export const take = ({ actions, stable, state }: SeenService, takenAt: number): Checkpoint => {
  if (stable === null) return { release: null, takenAt, data: null }
  const { colour, group, release } = stable
  return {
    release,
    takenAt,
    data: {
      colour,
      template: { id: group.templateId!, version: Number(group.version) },
      capacity: Math.max(group.desired, state?.capacity ?? 0),
      minimum: Math.max(group.minimum, state?.minimum ?? 0),
      actions: JSON.parse(JSON.stringify(actions)) as ReadonlyArray<Json>
    }
  }
}

export const recorded = ({ data, release }: Checkpoint): Effect.Effect<Recorded, ProviderReason> =>
  Option.match(Schema.decodeUnknownOption(Recorded)(data), {
    onNone: () => Effect.fail({ _tag: "Invalid", message: "the checkpoint has no actions", path: [] }),
    onSome: (found) => Effect.succeed({ ...found, release: release! })
  })
