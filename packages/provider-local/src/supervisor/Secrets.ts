/**
 * The values of the secrets that the processes of a folder were given, by stack: the same name may stand for another value in
 * another environment. They are kept in memory, and handed to the next supervisor in the environment of its watchdog, which
 * only their own user can read. They never reach a file.
 */
import type { Runtime } from "./Protocol.ts"

/** Marks a supervisor that takes the place of another one, and carries what that one knew. */
const successor = "SIGNALBOX_SUCCESSOR"
const prefix = "SIGNALBOX_HANDED_"

interface Secret {
  readonly stack: string
  readonly name: string
  readonly value: string
}

export class Secrets {
  readonly #known = new Map<string, Map<string, string>>()
  /** What was read from a process, not told by a command. */
  readonly #read = new Set<string>()

  get(stack: string, name: string): string | undefined {
    return this.#known.get(stack)?.get(name)
  }

  /** Takes what a command says; true where that was not known. */
  tell(stack: string, secrets: Readonly<Record<string, string>>): boolean {
    let fresh = false
    for (const [name, value] of Object.entries(secrets)) {
      if (this.get(stack, name) !== value) fresh = true
      this.#set(stack, name, value)
      this.#read.delete(`${stack}/${name}`)
    }
    return fresh
  }

  /** Takes what a running process holds, where no command has said anything else. */
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

  /** The environment in which the next supervisor finds all of it. */
  toEnvironment(): NodeJS.ProcessEnv {
    const all = [...this.#known].flatMap(([stack, secrets]) =>
      [...secrets].map(([name, value]): Secret => ({ stack, name, value }))
    )
    return {
      [successor]: "1",
      ...Object.fromEntries(all.map((secret, index) => [`${prefix}${index}`, JSON.stringify(secret)]))
    }
  }

  /** Takes what the supervisor before left in the environment, and takes it out of there. */
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

/** Those references of a runtime that `value` does not resolve, with the property that holds each. */
export const missingSecrets = (
  runtime: Runtime,
  value: (variable: string) => string | undefined
): ReadonlyArray<{ readonly property: string; readonly variable: string }> =>
  Object.entries(runtime.env).flatMap(([property, given]) =>
    typeof given === "string" || value(given.secret) !== undefined ? [] : [{ property, variable: given.secret }]
  )
