import { isObject } from "./ShapeWalk.ts"
import type { Path } from "./ConfigurationIssue.ts"

/**
 * A place in the properties that an output of another stack fills.
 */
export type OutputReference = { readonly $output: string }

/**
 * A place in the properties that the provider fills with a secret; only the name is kept and shown.
 */
export type SecretReference = { readonly $secret: string }

/**
 * Refers to an output of a stack that this one depends on.
 */
export const output = (stack: string, name: string): OutputReference => ({ $output: `${stack}.${name}` })

/**
 * Refers to a secret by the name of an environment variable on the machine where the stack runs. The value never enters
 * the configuration, the events or the logs.
 */
export const secret = (variable: string): SecretReference => ({ $secret: variable })

/** The references within a value, with their paths. */
export const references = (value: unknown, path: Path = []): ReadonlyArray<readonly [Path, unknown]> => {
  if (Array.isArray(value)) return value.flatMap((item, index) => references(item, [...path, index]))
  if (!isObject(value)) return []
  if (Object.hasOwn(value, "$output")) return [[path, value]]
  return Object.entries(value).flatMap(([key, item]) => references(item, [...path, key]))
}
