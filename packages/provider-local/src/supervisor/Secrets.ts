/**
 * The secret values of a folder's processes, by stack: the same name may stand for another value in another
 * environment. They are kept in memory, and passed to the next supervisor in the environment of its watchdog, which
 * only their own user can read. They never reach a file.
 */
import type { Runtime } from "./Protocol.ts"

/** Marks a supervisor that replaces another one, and carries its secrets. */
const successor = "SIGNALBOX_SUCCESSOR"
const prefix = "SIGNALBOX_HANDED_"

interface Secret {
  readonly stack: string
  readonly name: string
  readonly value: string
}

export class Secrets {
  readonly #known = new Map<string, Map<string, string>>()
  /** Read from a process, not sent by a command. */
  readonly #read = new Set<string>()

  get(stack: string, name: string): string | undefined {
    return this.#known.get(stack)?.get(name)
  }

  /** Takes the values of a command; true if one was not known. */
  tell(stack: string, secrets: Readonly<Record<string, string>>): boolean {
    let fresh = false
    for (const [name, value] of Object.entries(secrets)) {
      if (this.get(stack, name) !== value) fresh = true
      this.#set(stack, name, value)
      this.#read.delete(`${stack}/${name}`)
    }
    return fresh
  }

  /** Takes the values of a running process, unless a command has sent others. */
  learn(stack: string, name: string, value: string): boolean {
    if (this.get(stack, name) !== undefined && !this.#read.has(`${stack}/${name}`)) return false
    this.#read.add(`${stack}/${name}`)
    const fresh = this.get(stack, name) !== value
    this.#set(stack, name, value)
    return fresh
  }

  forget(stack: string): void {
    this.#known.delete(stack)
  }

  /** The environment in which the next supervisor finds them. */
  toEnvironment(): NodeJS.ProcessEnv {
    const all = [...this.#known].flatMap(([stack, secrets]) =>
      [...secrets].map(([name, value]): Secret => ({ stack, name, value }))
    )
    return {
      [successor]: "1",
      ...Object.fromEntries(all.map((secret, index) => [`${prefix}${index}`, JSON.stringify(secret)]))
    }
  }

  /** Takes the values that the previous supervisor left in the environment, and removes them from it. */
  static from(env: NodeJS.ProcessEnv): { readonly secrets: Secrets; readonly succeeds: boolean } {
    const secrets = new Secrets()
    const succeeds = env[successor] === "1"
    delete env[successor]
    for (const variable of Object.keys(env).filter((name) => name.startsWith(prefix))) {
      const { name, stack, value } = JSON.parse(env[variable]!) as Secret
      secrets.tell(stack, { [name]: value })
      delete env[variable]
    }
    return { secrets, succeeds }
  }

  #set(stack: string, name: string, value: string): void {
    const known = this.#known.get(stack) ?? new Map<string, string>()
    this.#known.set(stack, known.set(name, value))
  }
}

/** Masks secrets in a text, and each line of a secret of several lines; the number of lines stays the same. */
export const masking = (secrets: ReadonlyArray<string>): ((text: string) => string) => {
  const parts = secrets
    .flatMap((secret) => (secret.includes("\n") ? [secret, ...secret.split("\n").filter(isTelling)] : [secret]))
    .filter((secret) => secret.length > 0)
    .sort((a, b) => b.length - a.length)
  return (text) =>
    parts.reduce((masked, secret) => masked.replaceAll(secret, secret.replaceAll(/[^\n]+/g, "***")), text)
}

/** Short lines occur in any text. */
const isTelling = (line: string): boolean => line.length >= 8

/** The references of a runtime that `value` does not resolve, with the property of each. */
export const missingSecrets = (
  runtime: Runtime,
  value: (variable: string) => string | undefined
): ReadonlyArray<{ readonly property: string; readonly variable: string }> =>
  Object.entries(runtime.env).flatMap(([property, given]) =>
    typeof given === "string" || value(given.secret) !== undefined ? [] : [{ property, variable: given.secret }]
  )
