/**
 * What is recorded to restore a service: how its traffic was divided, and the template of each revision that had some.
 */
import { type Checkpoint, Json, type ProviderReason, Release } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { JsonObject } from "./RunService.ts"
import type { Seen } from "./Seen.ts"

const Part = Schema.Struct({
  revision: Schema.String,
  percent: Schema.Int,
  release: Release,
  template: Schema.Record(Schema.String, Json)
})

const Recorded = Schema.Struct({ split: Schema.Array(Part) })

/** A revision that had traffic. */
export interface Part extends Omit<typeof Part.Type, "template"> {
  readonly template: JsonObject
}

/** The checkpoint of a service: without what a candidate carries, which is to be undone. */
export const take = (seen: Seen | null, takenAt: number): Checkpoint => {
  if (seen === null || seen.stable === null) return { release: null, takenAt, data: null }
  const { candidate, revisions, split, stable } = seen
  const parts = [...split].flatMap(([name, percent]) => {
    const revision = revisions.get(name)
    return revision === undefined || revision === candidate ? [] : [{ revision, percent }]
  })
  const all = parts.reduce((sum, { percent }) => sum + percent, 0)
  const whole = all === 100 ? parts : [{ revision: stable, percent: 100 }]
  return {
    release: stable.release,
    takenAt,
    data: {
      split: whole.map(({ percent, revision: { name, release, template } }) => ({
        revision: name,
        percent,
        release,
        template
      }))
    }
  }
}

export const recorded = ({ data }: Checkpoint): Effect.Effect<ReadonlyArray<Part>, ProviderReason> =>
  Option.match(Schema.decodeUnknownOption(Recorded)(data), {
    onNone: () =>
      Effect.fail<ProviderReason>({ _tag: "Invalid", message: "the checkpoint has no revisions", path: [] }),
    onSome: ({ split }) => Effect.succeed(split)
  })
