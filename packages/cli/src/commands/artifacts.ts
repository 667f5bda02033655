/**
 * `--artifact`: one artifact for all stacks, and one for each of some.
 */
import * as Path from "node:path"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { Line, type StackName } from "@signalbox/core/spi"
import { type Failure, usage } from "../main/Failure.ts"
import type { Invocation } from "../main/Invocation.ts"

/** The flag; its description differs by command. */
export const artifacts = (description: string) =>
  Flag.String("artifact").pipe(
    Flag.withSchema(Line),
    Flag.atLeast(0),
    Flag.withMetavar("[stack=]path|url"),
    Flag.withDescription(description)
  )

/** Everything before the first `=`, if it can be the name of a stack: paths and URLs may contain one too. */
const parse = (given: string): readonly [stack: string | undefined, artifact: string] => {
  const [, stack, artifact] = /^([a-z][a-z0-9-]*)=(.*)$/s.exec(given) ?? []
  return stack === undefined ? [undefined, given] : [stack, artifact!]
}

/** A path is resolved from the user's shell, even if another process continues the work. */
const located = ({ host }: Invocation, artifact: string): string =>
  /^[a-z][a-z0-9+.-]+:/i.test(artifact) ? artifact : Path.resolve(host.cwd, artifact)

const twice = (what: string) =>
  usage(
    "flags_conflict",
    `${what} has two artifacts`,
    "Give one artifact for each stack, and at most one for the others.",
    "--artifact"
  )

const empty = (stack: string) =>
  usage("invalid_value", `the artifact of ${stack} is empty`, `Write ${stack}= and a path or a URL.`, "--artifact")

/**
 * The artifacts of a request. Whether their stacks exist is checked against the configuration.
 */
export const artifactsOf = (
  inv: Invocation,
  given: ReadonlyArray<string>
): Effect.Effect<{ readonly artifact?: string; readonly artifacts?: Readonly<Record<StackName, string>> }, Failure> => {
  const own = new Map<string, string>()
  let common: string | undefined
  for (const [stack, artifact] of given.map(parse)) {
    if (stack === undefined) {
      if (common !== undefined) return Effect.fail(twice("every stack"))
      common = located(inv, artifact)
      continue
    }
    if (own.has(stack)) return Effect.fail(twice(stack))
    if (artifact === "") return Effect.fail(empty(stack))
    own.set(stack, located(inv, artifact))
  }
  return Effect.succeed({
    ...(common === undefined ? {} : { artifact: common }),
    ...(own.size === 0 ? {} : { artifacts: Object.fromEntries(own) as Readonly<Record<StackName, string>> })
  })
}
