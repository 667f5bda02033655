/**
 * A reverse proxy that disturbs the calls of a client.
 */
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as open,
  type ServerResponse
} from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"
import { pipeline } from "node:stream/promises"
import { setTimeout as sleep } from "node:timers/promises"
import { applied, type Fault, type FaultCall, type FaultRequest, type FaultRule } from "./Fault.ts"
import { type OperationOf, operations } from "./operations.ts"

/**
 * The options of a proxy.
 *
 * *Details*: `target` is the origin to forward to, over plain HTTP/1.1. `operationOf` names the operation of a request
 * (default `operations.rest`). The same `seed` (default 0) hits the same calls.
 */
export interface FaultProxyOptions {
  readonly target: string
  readonly operationOf?: OperationOf
  readonly seed?: number
  readonly rules?: ReadonlyArray<FaultRule>
}

/**
 * A running proxy.
 *
 * *Details*: `url` is its origin, on the loopback interface. `calls` are all calls in the order of their arrival; `count`
 * counts them, by operation and by fault. `add` adds a rule, and returns a function that removes it.
 */
export interface FaultProxy {
  readonly url: string
  readonly port: number
  readonly calls: ReadonlyArray<FaultCall>
  readonly count: (operation?: string, fault?: FaultCall["faults"][number]) => number
  readonly add: (rule: FaultRule) => () => void
  readonly close: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

// These belong to one connection.
const ownHeaders = new Set(["connection", "keep-alive", "proxy-connection", "expect", "upgrade"])

/** The headers to forward, each with all its values. */
const headersOf = ({ headersDistinct }: IncomingMessage): OutgoingHttpHeaders =>
  Object.fromEntries(
    Object.entries(headersDistinct).flatMap(([name, values = []]) =>
      ownHeaders.has(name) ? [] : [[name, values.length === 1 ? values[0] : values]]
    )
  )

/** The target has refused or broken the connection. */
const broken = Symbol("broken")

const breaks = (): never => {
  throw broken
}

const nameOf = (fault: Fault) => Object.keys(fault).find((key) => key !== "when") as FaultCall["faults"][number]

/**
 * Starts a proxy.
 *
 * *When to use*: in tests of an adapter, between the vendor's client and an emulator: the real client meets faults in its
 * real protocol.
 *
 * *Details*: request bodies are read whole before they are forwarded, answers are streamed. Bodies and headers are
 * unchanged, `Host` included, so that signatures stay valid. If the target refuses or breaks a connection, the client's
 * connection is closed. HTTP/2, and so gRPC, is not supported.
 *
 * *Example*
 *
 * ```ts
 * const proxy = await faultProxy({ target: emulator, operationOf: operations.awsQuery, rules: [
 *   { operation: "ExecuteChangeSet", nth: 1, fault: { cut: "after" } },
 *   { probability: 0.2, fault: { answer: answers.awsQuery({ code: "Throttling", message: "Rate exceeded" }) } }
 * ] })
 * const client = new CloudFormationClient({ endpoint: proxy.url })
 * ```
 */
export const faultProxy = async (options: FaultProxyOptions): Promise<FaultProxy> => {
  const { operationOf = operations.rest, seed = 0, target } = options
  const calls: Array<FaultCall> = []
  const stop = new AbortController()
  let added = 0
  let rules: ReadonlyArray<ReturnType<typeof applied>> = []

  const add = (rule: FaultRule) => {
    const one = applied(rule, added++, seed)
    rules = [...rules, one]
    return () => void (rules = rules.filter((other) => other !== one))
  }
  for (const rule of options.rules ?? []) add(rule)

  // A fresh connection each time: one that the target closes while idle would be a fault that is in no rule.
  const forward = (request: IncomingMessage, body: Buffer): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const { method, url: path } = request
      open(new URL(target), { agent: false, method: method!, path: path!, headers: headersOf(request) })
        .on("response", resolve)
        .on("error", reject)
        .end(body)
    })

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request)
    const seen: FaultRequest = {
      method: request.method!,
      path: request.url!,
      headers: Object.fromEntries(
        Object.entries(request.headersDistinct).map(([name, values = []]) => [name, values.join(", ")])
      ),
      body
    }
    const operation = operationOf(seen)
    const faults = rules.filter(({ hit }) => hit(operation)).map(({ fault }) => fault)
    const delays = faults.filter((fault) => "delay" in fault)
    const other = faults.find((fault) => !("delay" in fault))
    const call = { operation, faults: [...new Set([...delays, ...(other ? [other] : [])].map(nameOf))], forwarded: 0 }
    calls.push(call)
    const wait = async (when: "before" | "after") => {
      const due = delays.filter((one) => (one.when ?? "before") === when)
      for (const { delay } of due) await sleep(delay, undefined, { signal: stop.signal })
    }

    await wait("before")
    if (other !== undefined && "cut" in other && other.cut === "before") return void response.destroy()
    if (other !== undefined && "answer" in other) {
      const given = typeof other.answer === "function" ? other.answer(seen) : other.answer
      await wait("after")
      return void response.writeHead(given.status ?? 200, given.headers).end(given.body)
    }
    const repeats = other !== undefined && "repeat" in other ? other.repeat : 0
    for (let index = 0; index < repeats; index++) {
      call.forwarded += 1
      await forward(request, body).then(buffer).catch(breaks)
    }
    call.forwarded += 1
    const answer = await forward(request, body).catch(breaks)
    if (other !== undefined && "cut" in other) {
      await buffer(answer).catch(breaks)
      return void response.destroy()
    }
    await wait("after")
    response.sendDate = false
    response.writeHead(answer.statusCode!, answer.statusMessage, headersOf(answer))
    await pipeline(answer, response)
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error) => {
      if (error === broken || response.headersSent || stop.signal.aborted) return response.destroy()
      // A function of the test has thrown.
      return response.writeHead(500).end(`fault-proxy: ${error}`)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.on("error", reject).listen(0, "127.0.0.1", resolve)
  })
  const { port } = server.address() as AddressInfo
  const close = async () => {
    stop.abort()
    const closed = new Promise<void>((resolve) => void server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  }
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    calls,
    count: (operation, fault) =>
      calls.filter(
        (call) =>
          (operation === undefined || call.operation === operation) &&
          (fault === undefined || call.faults.includes(fault))
      ).length,
    add,
    close,
    [Symbol.asyncDispose]: close
  }
}
