/** Validates the callers' input. */
import { Line, Origin } from "@signalbox/core/spi"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { OriginOptions } from "./Coordination.ts"
import { InvalidInputError } from "./SignalboxError.ts"

/** A value that matches a schema. */
export const named = <A, I>(schema: Schema.Codec<A, I>, path: string, value: unknown): A => {
  const decoded = Schema.decodeUnknownResult(schema)(value)
  if (Result.isSuccess(decoded)) return decoded.success
  throw new InvalidInputError({
    code: "input_invalid",
    message: `${path}: ${decoded.failure.message.split("\n")[0]}`,
    hint: `Give a ${path} of that form.`,
    path
  })
}

export const given = <Key extends string, A>(key: Key, value: A | undefined): { readonly [K in Key]?: A } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: A }

const longest = 30 * 86_400_000

/** A span of time in ms. */
export const spanOf = (path: string, value: number): number =>
  named(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: longest })), path, value)

/** A non-empty text. */
export const textOf = (path: string, value: string): string => named(Line, path, value)

/** A moment, in ms. */
export const momentOf = (path: string, value: Date): number => named(Schema.Int, path, value.getTime())

export const originOf = ({ commit, committedAt, workflowRun }: OriginOptions): Origin =>
  named(Origin, "origin", {
    ...given("commit", commit),
    ...given("committedAt", committedAt === undefined ? undefined : momentOf("origin.committedAt", committedAt)),
    ...given("workflowRun", workflowRun)
  })
