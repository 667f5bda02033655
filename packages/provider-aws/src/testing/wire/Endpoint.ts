/**
 * The one address of all services. They are told apart as the clients name them: by the target of a JSON call, or by the version
 * of the API in a form.
 */
import { randomUUID } from "node:crypto"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import type { SimulatedClock } from "../SimulatedClock.ts"
import { AwsError } from "./AwsError.ts"
import { dropped, type ReceivedCalls } from "./ReceivedCalls.ts"
import { fromJson, toJson } from "./Json.ts"
import { type Dialect, fromQuery } from "./Query.ts"
import { inputOf, type OperationSchema, outputOf } from "./Schema.ts"
import { errorXml, toXml, type Wrapping } from "./Xml.ts"

/** An operation with what it does. */
export interface Operation {
  readonly schema: OperationSchema
  readonly handle: (input: never, caller: string) => unknown
}

/** Joins the schema of an operation, as a client exports it, with what it does. */
export const operation = <Input, Output>(
  schema: unknown,
  handle: (input: Input, caller: string) => Omit<Output, "$metadata"> | Promise<Omit<Output, "$metadata">>
): Operation => ({ schema: schema as OperationSchema, handle })

/** A service, with its operations by name. */
export interface Service {
  readonly name: string
  readonly protocol: Dialect | "json"
  /** The version of the API, or the target of JSON calls. */
  readonly id: string
  readonly namespace: string
  readonly operations: Readonly<Record<string, Operation>>
}

const unknown = (name: string) => new AwsError("InvalidAction", `The action ${name} is not valid for this web service.`)

/** The access key of a signed call. Signatures are not checked. */
const callerOf = ({ headers }: IncomingMessage): string =>
  /Credential=([^/]+)/.exec(headers.authorization ?? "")?.[1] ?? "anonymous"

export class Endpoint {
  readonly #server: Server
  readonly #services: ReadonlyMap<string, Service>
  readonly #calls: ReceivedCalls

  /** `other` answers requests that are not calls of AWS, below `/_simulator/`. */
  constructor(
    services: ReadonlyArray<Service>,
    calls: ReceivedCalls,
    clock: SimulatedClock,
    other: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  ) {
    this.#services = new Map(services.map((service) => [service.id, service]))
    this.#calls = calls
    this.#server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
      // Clients take the time of the service from it.
      response.setHeader("Date", new Date(clock.now()).toUTCString())
      const done = request.url!.startsWith("/_simulator/") ? other(request, response) : this.#answer(request, response)
      done.catch(() => response.destroy())
    })
  }

  async open(port = 0): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject)
      this.#server.listen(port, "127.0.0.1", resolve)
    })
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request)
    const target = request.headers["x-amz-target"]
    if (typeof target === "string") await this.#json(target, body, request, response)
    else await this.#query(body, request, response)
  }

  async #query(body: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams(body)
    const name = form.get("Action") ?? ""
    const service = this.#services.get(form.get("Version") ?? "")
    const requestId = randomUUID()
    const wrapping: Wrapping = {
      dialect: service?.protocol === "ec2" ? "ec2" : "query",
      namespace: service?.namespace ?? "",
      requestId
    }
    const send = (status: number, xml: string) =>
      void response
        .writeHead(status, { "content-type": "text/xml", "x-amzn-requestid": requestId })
        .end(`<?xml version="1.0" encoding="UTF-8"?>\n${xml}`)
    try {
      const found = service?.operations[name]
      const output = await this.#run(service, name, request, () =>
        fromQuery(wrapping.dialect, inputOf(found!.schema), form)
      )
      send(200, toXml(name, outputOf(found!.schema), output, wrapping))
    } catch (error) {
      if (error === dropped) response.destroy()
      else send((error as AwsError).status, errorXml(error as AwsError, wrapping))
    }
  }

  async #json(target: string, body: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [id = "", name = ""] = target.split(".")
    const service = this.#services.get(id)
    const send = (status: number, json: unknown, headers: Readonly<Record<string, string>> = {}) =>
      void response
        .writeHead(status, {
          "content-type": "application/x-amz-json-1.0",
          "x-amzn-requestid": randomUUID(),
          ...headers
        })
        .end(JSON.stringify(json))
    try {
      const found = service?.operations[name]
      const output = await this.#run(service, name, request, () => fromJson(inputOf(found!.schema), JSON.parse(body)))
      send(200, toJson(outputOf(found!.schema), output))
    } catch (error) {
      if (error === dropped) return void response.destroy()
      const { code, message, status } = error as AwsError
      send(
        status,
        { __type: code, message },
        { "x-amzn-query-error": `${code};${status < 500 ? "Sender" : "Receiver"}` }
      )
    }
  }

  async #run(
    service: Service | undefined,
    name: string,
    request: IncomingMessage,
    read: () => unknown
  ): Promise<unknown> {
    const found = service?.operations[name]
    const call = { service: service?.name ?? "", operation: name, caller: callerOf(request) }
    if (found === undefined) return this.#calls.run({ ...call, input: {} }, () => Promise.reject(unknown(name)))
    let input: unknown
    try {
      input = read()
    } catch (error) {
      return this.#calls.run({ ...call, input: {} }, () => Promise.reject(error as Error))
    }
    return this.#calls.run({ ...call, input }, () => found.handle(input as never, call.caller))
  }
}
