/**
 * The JSON protocol of CloudWatch: times are seconds.
 */
import type { NormalizedSchema } from "@smithy/core/schema"
import { invalid } from "./AwsError.ts"
import { checkRequired } from "./Schema.ts"

const convert = (schema: NormalizedSchema, value: unknown, time: (value: never) => unknown, path = ""): unknown => {
  if (value === undefined || value === null) return undefined
  if (schema.isTimestampSchema()) return time(value as never)
  if (schema.isListSchema()) {
    if (!Array.isArray(value)) throw invalid(`Value at '${path}' is not a list.`)
    return value.map((one) => convert(schema.getValueSchema(), one, time, path))
  }
  if (schema.isStructSchema()) {
    const known = [...schema.structIterator()].map(([name, member]) => [
      name,
      convert(member, (value as Record<string, unknown>)[name], time, `${path}${name}.`)
    ])
    return Object.fromEntries(known.filter(([, one]) => one !== undefined))
  }
  return value
}

/** The input of a call. */
export const fromJson = (schema: NormalizedSchema, json: unknown): unknown => {
  const value = convert(schema, json, (seconds: number) => new Date(seconds * 1000)) as object
  checkRequired(schema, value, "")
  return value
}

/** The answer to a call. */
export const toJson = (schema: NormalizedSchema, value: unknown): unknown =>
  convert(schema, value ?? {}, (date: Date) => date.getTime() / 1000)
