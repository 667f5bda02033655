/**
 * What others changed since the last deployment. A revision never changes, so they can only have moved the traffic: to a
 * revision of another template, or to another share.
 */
import type { Drift, Json, ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Failure } from "../client/index.ts"
import type { JsonObject } from "./RunService.ts"
import { see, type Seen } from "./Seen.ts"
import { showSplit, wanted } from "./Split.ts"
import { begin, change, fail, routed, type Work } from "./Work.ts"

type Leaves = ReadonlyMap<string, string>

const isObject = (value: Json): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The values of a template by the path to them. Items of a list that have a name are found by it. */
const leavesOf = (value: Json, path: string, leaves: Map<string, string> = new Map()): Leaves => {
  const inside = (key: string) => (path === "" ? key : `${path}.${key}`)
  if (isObject(value)) for (const [key, inner] of Object.entries(value)) leavesOf(inner, inside(key), leaves)
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const name = isObject(item) && typeof item["name"] === "string" ? item["name"] : String(index)
      leavesOf(item, inside(name), leaves)
    }
  } else leaves.set(path, String(value))
  return leaves
}

/** Values of variables may be confidential: only whether they differ is said. */
const shown = (path: string, value: string | undefined, deployed: boolean): string =>
  value === undefined ? "absent" : !path.startsWith("env.") ? value : deployed ? "as deployed" : "another value"

const templateDrift = (expected: JsonObject, actual: JsonObject): ReadonlyArray<Drift> => {
  const flat = ({ containers, ...rest }: JsonObject): Leaves => {
    const [first = {}, ...others] = (containers ?? []) as ReadonlyArray<JsonObject>
    return leavesOf({ ...rest, ...first, ...(others.length === 0 ? {} : { others }) }, "")
  }
  const before = flat(expected)
  const now = flat(actual)
  return [...new Set([...before.keys(), ...now.keys()])].flatMap((field): Array<Drift> => {
    const [was, is] = [before.get(field), now.get(field)]
    if (was === is) return []
    return [{ field, expected: shown(field, was, true), actual: shown(field, is, false), owned: false }]
  })
}

/** Compares what has traffic with what Signalbox gave it to. */
const driftOf = ({ revisions, split, stable, state, candidate }: Seen): ReadonlyArray<Drift> => {
  const deployed = revisions.get(state?.stable ?? "")
  if (deployed === undefined || stable === null) return []
  const strange = [...split.keys()].filter((name) => name !== deployed.name && name !== candidate?.name)
  if (strange.length === 0) return []
  const expected = showSplit(new Map([[deployed.name, 100]]))
  return [
    { field: "traffic", expected, actual: showSplit(split), owned: true },
    ...strange.flatMap((name) => templateDrift(deployed.template, revisions.get(name)?.template ?? {}))
  ]
}

export const detect = ({ calls, name, properties }: Work): Effect.Effect<ReadonlyArray<Drift>, ProviderReason> =>
  Effect.map(see(calls, name, properties.tag), (seen) => (seen === null ? [] : driftOf(seen)))

/** Gives the traffic back to the revision that Signalbox deployed, which corrects every field. */
export const correct = (work: Work, fields: ReadonlyArray<string>): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const seen = yield* begin(work)
    if (seen === null) return yield* fail({ _tag: "Missing", message: `there is no service ${work.name}` })
    const found = driftOf(seen).some(({ field }) => fields.includes(field))
    const deployed = seen.state?.stable ?? null
    if (!found || deployed === null) return
    const traffic = wanted(seen.service, new Map([[deployed, 100]]), {
      tag: work.properties.tag,
      revision: seen.candidate?.name ?? null
    })
    yield* change(work, seen, { traffic, stable: deployed })
    yield* routed(work, traffic)
  })
