import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { nearest } from "../text/nearest.ts"
import type { ProviderReason } from "./ProviderError.ts"

const formatter = SchemaIssue.makeFormatterStandardSchemaV1()

/**
 * Decodes the properties of a stack.
 *
 * *Errors*: `Invalid`, with the path of the first mistake.
 */
export const decodeProperties =
  <S extends Schema.Codec<unknown, unknown> & { readonly fields: Schema.Struct.Fields }>(schema: S) =>
  (input: unknown): Effect.Effect<S["Type"], ProviderReason> =>
    Effect.mapError(
      Schema.decodeUnknownEffect(schema)(input, { onExcessProperty: "error", errors: "first" }),
      (error): ProviderReason => {
        const [issue] = formatter(error.issue).issues
        const path = (issue?.path ?? []).map((key) => String(typeof key === "object" ? key.key : key))
        const [key] = path
        const known = Object.keys(schema.fields)
        if (key === undefined || known.includes(key)) {
          return { _tag: "Invalid", message: issue?.message ?? "the properties are wrong", path }
        }
        const meant = nearest(key, known)
        const hint = meant === undefined ? `Known are ${known.join(", ")}.` : `Did you mean "${meant}"?`
        return { _tag: "Invalid", message: `${key} is not a known property`, path, hint }
      }
    )
