/**
 * The schemas of the vendor's clients, which name every operation with its members. The simulator reads and writes by them, so
 * that it cannot misspell what the clients expect.
 */
import { NormalizedSchema } from "@smithy/core/schema"
import { invalid } from "./AwsError.ts"

type Reference = Parameters<typeof NormalizedSchema.of>[0]

/** An operation, as the clients export it: `ModifyRule$`. */
export type OperationSchema = readonly [
  kind: 9,
  namespace: string,
  name: string,
  traits: unknown,
  input: Reference,
  output: Reference
]

export const inputOf = (operation: OperationSchema): NormalizedSchema => NormalizedSchema.of(operation[4])
export const outputOf = (operation: OperationSchema): NormalizedSchema => NormalizedSchema.of(operation[5])

/** How many of the first members of a structure have to be there. */
const requiredOf = (schema: NormalizedSchema): number => {
  const [, , , , , , required] = schema.getSchema() as ReadonlyArray<unknown>
  return typeof required === "number" ? required : 0
}

/** Refuses a structure without a member that has to be there. `path` is its place in the input. */
export const checkRequired = (schema: NormalizedSchema, value: object, path: string): void => {
  let left = requiredOf(schema)
  for (const [name] of schema.structIterator()) {
    if (left-- <= 0) return
    if ((value as Record<string, unknown>)[name] === undefined) {
      const at = `${path}${name}`.replace(/(^|\.)[A-Z]/g, (start) => start.toLowerCase())
      throw invalid(
        `1 validation error detected: Value at '${at}' failed to satisfy constraint: Member must not be null`
      )
    }
  }
}
