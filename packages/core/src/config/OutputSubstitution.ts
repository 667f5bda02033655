import * as Predicate from "effect/Predicate"
import type { Json, Outputs } from "../domain/Release.ts"

/**
 * The output that a value refers to: `{ "$output": "stack.name" }`, or undefined if it refers to none.
 */
export const referenceIn = (value: Json): { readonly stack: string; readonly output: string } | undefined => {
  if (!Predicate.isObject(value) || !("$output" in value) || typeof value["$output"] !== "string") return undefined
  const [stack = "", ...rest] = value["$output"].split(".")
  return { stack, output: rest.join(".") }
}

/**
 * Replaces references with outputs; `missing` lists the unknown ones.
 */
export const fillIn = (
  properties: Json,
  outputs: ReadonlyMap<string, Outputs>
): { readonly value: Json; readonly missing: ReadonlyArray<string> } => {
  const missing: Array<string> = []
  const visit = (value: Json): Json => {
    const reference = referenceIn(value)
    if (reference !== undefined) {
      const found = outputs.get(reference.stack)?.[reference.output]
      if (found === undefined) missing.push(`${reference.stack}.${reference.output}`)
      return found ?? null
    }
    if (Array.isArray(value)) return value.map(visit)
    if (Predicate.isObject(value)) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visit(item as Json)]))
    }
    return value
  }
  return { value: visit(properties), missing }
}
