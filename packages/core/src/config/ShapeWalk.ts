/**
 * Walks an unknown value along the shape of a manifest and collects all issues. A schema alone stops at its first pass:
 * a misspelt duration would stay hidden until the last wrong number is corrected.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type ConfigurationIssue, didYouMean, formatPath, found, type Path } from "./ConfigurationIssue.ts"
import { nearest } from "../text/nearest.ts"
import { fact } from "./KeyFacts.ts"

/** Checks one value. */
export type Inspect = (value: unknown, path: Path) => ReadonlyArray<ConfigurationIssue>

/** A plain object, as JSON knows it. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A wrong text is quoted if it is plainly a misspelt word or a duration, not if it could be anything. */
const quoted = (value: unknown, near: boolean): string =>
  typeof value === "string" && (near || /^\d[\d.]* ?[a-z]{0,12}$/i.test(value)) ? JSON.stringify(value) : found(value)

/** The issue of a value that is not what its key expects. */
export const wrong = (value: unknown, path: Path, key: string): ConfigurationIssue => {
  const { example, expected, quote } = fact(key)
  const choices =
    quote === true && typeof value === "string" && expected.includes(" or ")
      ? nearest(
          value,
          [...expected.matchAll(/"([^"]+)"/g)].map(([, word]) => word!)
        )
      : undefined
  const at = formatPath(path)
  const hint =
    choices === undefined
      ? `Write for example ${at === "" ? example : `${path.findLast((part) => typeof part === "string")}: ${example}`}.`
      : `Did you mean "${choices}"?`
  return {
    path: at,
    message:
      value === undefined
        ? `is missing; expected ${expected}`
        : `expected ${expected}, got ${quote === true ? quoted(value, choices !== undefined) : found(value)}`,
    expected,
    hint
  }
}

/** The issue of an unknown key. */
export const unknownKey = (key: string, known: ReadonlyArray<string>, path: Path): ConfigurationIssue => ({
  path: formatPath([...path, key]),
  message: "is not a known key",
  expected: known.length === 0 ? "no keys" : `one of ${known.join(", ")}`,
  hint: didYouMean(key, known, "known keys")
})

/** A value that its schema decodes; otherwise an issue with what `key` expects. */
export const leaf = (schema: Schema.ConstraintDecoder<unknown>, key: string): Inspect => {
  const decode = Schema.decodeUnknownResult(Schema.Struct({ value: schema }))
  return (value, path) =>
    Result.isSuccess(decode(value === undefined ? {} : { value })) ? [] : [wrong(value, path, key)]
}

/** The check of each key of a schema: from `others` if it has one, otherwise the schema itself. */
export const fieldsOf = (
  fields: Readonly<Record<string, Schema.ConstraintDecoder<unknown>>>,
  others: Readonly<Record<string, Inspect>> = {}
): Readonly<Record<string, Inspect>> =>
  Object.fromEntries(Object.entries(fields).map(([key, schema]) => [key, others[key] ?? leaf(schema, key)]))

/** An optional value. */
export const optional =
  (inspect: Inspect): Inspect =>
  (value, path) =>
    value === undefined ? [] : inspect(value, path)

/** An object with these keys and no others. */
export const struct = (key: string, fields: Readonly<Record<string, Inspect>>): Inspect => {
  const known = Object.keys(fields)
  return (value, path) => {
    if (!isObject(value)) return [wrong(value, path, key)]
    const unknown = Object.keys(value).filter((name) => !known.includes(name))
    return [
      ...unknown.map((name) => unknownKey(name, known, path)),
      ...known.flatMap((name) => fields[name]!(value[name], [...path, name]))
    ]
  }
}

/** A list; `whole` checks it once all its items are right. */
export const list =
  (key: string, item: Inspect, whole?: Inspect): Inspect =>
  (value, path) => {
    if (!Array.isArray(value)) return [wrong(value, path, key)]
    const issues = value.flatMap((one, index) => item(one, [...path, index]))
    return issues.length === 0 && whole !== undefined ? whole(value, path) : issues
  }

/** An object whose keys are names. */
export const record =
  (key: string, name: Inspect, item: Inspect): Inspect =>
  (value, path) =>
    isObject(value)
      ? Object.entries(value).flatMap(([entry, one]) => [
          ...name(entry, [...path, entry]),
          ...item(one, [...path, entry])
        ])
      : [wrong(value, path, key)]
