/**
 * Operations that go on after a call has been answered, and can be found again by their name.
 */
import { randomUUID } from "node:crypto"
import { ApiError } from "./ApiError.ts"
import type { JsonMessage } from "./Protos.ts"

export class Operation {
  readonly name: string
  readonly #kind: string
  #json: JsonMessage

  constructor(parent: string, kind: string) {
    this.#kind = kind
    this.name = `${parent}/operations/${randomUUID()}`
    this.#json = { name: this.name, done: false }
  }

  get json(): JsonMessage {
    return this.#json
  }

  succeed(response: JsonMessage): void {
    if (this.#json["done"] === true) return
    const any = { ...structuredClone(response), "@type": `type.googleapis.com/google.cloud.run.v2.${this.#kind}` }
    this.#json = { name: this.name, done: true, response: any }
  }

  fail({ code, message }: ApiError): void {
    if (this.#json["done"] === true) return
    this.#json = { name: this.name, done: true, error: { code, message } }
  }
}

export class Operations {
  readonly #all = new Map<string, Operation>()

  /** `kind` is what the operation ends with. */
  begin(parent: string, kind = "Service"): Operation {
    const operation = new Operation(parent, kind)
    this.#all.set(operation.name, operation)
    return operation
  }

  get(name: string): JsonMessage {
    const operation = this.#all.get(name)
    if (operation === undefined) throw new ApiError("NOT_FOUND", `Operation '${name}' was not found.`)
    return operation.json
  }
}
