/**
 * Parameters whose values are secrets: `{ "$secret": "DB_PASSWORD" }` names an environment variable. The value goes to
 * CloudFormation, and nowhere else.
 */
import { type ProviderReason, Redaction } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Properties } from "./Properties.ts"

export class Secrets {
  readonly #variables: ReadonlyMap<string, string>
  readonly #env: NodeJS.ProcessEnv
  readonly #redactor: Redaction.Redactor | undefined

  constructor({ parameters }: Properties, env: NodeJS.ProcessEnv) {
    this.#variables = new Map(
      Object.entries(parameters).flatMap(([name, value]) => (typeof value === "object" ? [[name, value.$secret]] : []))
    )
    this.#env = env
    const values = [...this.#variables.values()].flatMap((variable) => env[variable] ?? [])
    this.#redactor = values.length === 0 ? undefined : Redaction.make({ values })
  }

  /** The parameters that take a secret. */
  get parameters(): ReadonlyArray<string> {
    return [...this.#variables.keys()]
  }

  has(parameter: string): boolean {
    return this.#variables.has(parameter)
  }

  /** The value of a parameter; undefined if its variable is not set. */
  peek(parameter: string): string | undefined {
    return this.#env[this.#variables.get(parameter) ?? ""]
  }

  value(parameter: string): Effect.Effect<string, ProviderReason> {
    const value = this.peek(parameter)
    if (value !== undefined) return Effect.succeed(value)
    const variable = this.#variables.get(parameter)
    return Effect.fail({
      _tag: "Invalid",
      message: `the environment variable ${variable} is not set`,
      path: ["parameters", parameter],
      hint: `Set ${variable} where signalbox runs.`
    })
  }

  /** Masks the secrets in every text of a value that is going to be stored or shown. */
  cover<A>(value: A): A {
    return (this.#redactor === undefined ? value : covered(this.#redactor, value)) as A
  }
}

const covered = ({ redact }: Redaction.Redactor, value: unknown): unknown => {
  const inside = (value: unknown): unknown => {
    if (typeof value === "string") return redact(value)
    if (Array.isArray(value)) return value.map(inside)
    if (typeof value !== "object" || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inside(inner)]))
  }
  return inside(value)
}
