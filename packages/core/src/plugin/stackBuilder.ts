import type { Config } from "../config/Configuration.ts"
import type { OutputReference, SecretReference } from "../config/References.ts"

type Stack = Config["stacks"][number]

/** A value that may be a reference, or hold some. */
export type Referable<Value> =
  | (Value extends ReadonlyArray<infer Item>
      ? ReadonlyArray<Referable<Item>>
      : Value extends object
        ? { readonly [Key in keyof Value]: Referable<Value[Key]> }
        : Value)
  | OutputReference
  | SecretReference

/** Builds stacks of one kind: the keys of any stack, and properties with their types. */
export type StackBuilder<Properties extends object> = (
  stack: Omit<Stack, "provider" | "properties"> & {
    readonly properties?: { readonly [Key in keyof Properties]: Referable<Properties[Key]> }
  }
) => Stack

/**
 * Makes a function that builds stacks of one kind, with the types of their properties.
 *
 * *Details*: the result is plain data, as JSON and YAML say it.
 *
 * *Example*
 *
 * ```ts
 * const siteStack = stackBuilder<{ readonly domain: string }>("site")
 * const stack = siteStack({ name: "home", properties: { domain: "example.com" } })
 * ```
 */
export const stackBuilder =
  <Properties extends object>(provider: string): StackBuilder<Properties> =>
  (stack) =>
    ({ ...stack, provider }) as Stack
