/**
 * What Signalbox records at Cloud Run, in annotations: on each revision its release, on the service who changed it last.
 */
import { type Json, Release } from "@signalbox/core/spi"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { digestOf } from "../marks.ts"
import type { Annotations, RunRevision, RunService } from "./RunService.ts"

export const releaseKey = "signalbox.dev/release"
export const stateKey = "signalbox.dev/state"

/** `revision` is its own name: an edit copies the annotation to a revision of another name, which is no release of ours. */
const RevisionRecord = Schema.Struct({
  release: Release,
  revision: Schema.String,
  step: Schema.String,
  fence: Schema.Int
})
export type RevisionRecord = typeof RevisionRecord.Type

/**
 * *Details*: `generation` is the one that the change has made. A service of another generation was changed by others
 * since. `stable` is the revision that carries the traffic apart from the candidate.
 */
const ServiceState = Schema.Struct({
  stack: Schema.String,
  stable: Schema.NullOr(Schema.String),
  generation: Schema.Int,
  step: Schema.String,
  fence: Schema.Int
})
export type ServiceState = typeof ServiceState.Type

/** Reads what an annotation records; null if it is missing or not one of ours. */
export const readAnnotation = <A>(schema: Schema.ConstraintDecoder<A>, text: string | undefined): A | null =>
  text === undefined
    ? null
    : Option.getOrNull(
        Option.flatMap(
          Option.liftThrowable((text: string) => JSON.parse(text) as unknown)(text),
          Schema.decodeUnknownOption(schema)
        )
      )

export const recordIn = (annotations: Annotations): RevisionRecord | null =>
  readAnnotation(RevisionRecord, annotations[releaseKey])

export const stateOf = ({ annotations }: RunService): ServiceState | null =>
  readAnnotation(ServiceState, annotations[stateKey])

/** The annotations of a template that makes a revision. */
export const withRecord = (record: RevisionRecord): Annotations => ({ [releaseKey]: JSON.stringify(record) })

/** Adds the state to the annotations of a service, and keeps the others. */
export const withState = (annotations: Annotations, state: ServiceState): Annotations => ({
  ...annotations,
  [stateKey]: JSON.stringify(state)
})

/** The image of a template's first container. */
export const imageOf = (template: { readonly [key: string]: Json }): string => {
  const [first] = (template["containers"] ?? []) as ReadonlyArray<{ readonly image?: string }>
  return first?.image ?? ""
}

/** The release of a revision: the one that is recorded, or one that is made from what was found. */
export const releaseOf = ({ annotations, name, template }: RunRevision): Release => {
  const record = recordIn(annotations)
  if (record?.revision === name) return record.release
  const configDigest = digestOf(template)
  const image = imageOf(template)
  return { id: digestOf([name, configDigest]).slice(0, 24), version: `found-${name}`, artifact: image, configDigest }
}
