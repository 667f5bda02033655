/**
 * The reverse proxy of one stack. httpxy carries the bytes; here is which instance gets them, what happens when it does not
 * answer, and what is counted. Everything that decides is synchronous in one thread: once `setWeights` returned, no new
 * request goes by the old weights.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { createProxyServer } from "httpxy"
import { Balancer } from "./Balancer.ts"
import { monotonic } from "./Requests.ts"
import { announce, type Upstream } from "./Upstream.ts"

const retriesMax = 3

/** What is known of a request on its way. */
interface Passage {
  readonly startedAt: number
  latency: number
  broken: boolean
}

const passage = Symbol("passage")

interface Passing extends IncomingMessage {
  [passage]?: Passage
}

const carrier = createProxyServer()

carrier.on("proxyRes", (proxyRes, request: Passing, response) => {
  const current = request[passage]
  if (current === undefined) return
  current.latency = performance.now() - current.startedAt
  announce(proxyRes.socket, proxyRes.headers["keep-alive"]?.toString())
  // Of that connection, not of the client's.
  delete proxyRes.headers.connection
  delete proxyRes.headers["keep-alive"]
  proxyRes.once("close", () => {
    if (!proxyRes.complete && !response.destroyed) current.broken = true
  })
})

const repeatable = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"])

/** Whether the request may go to another instance when the first did not answer: it has no body, and is safe to repeat. */
const mayRepeat = (request: IncomingMessage): boolean =>
  repeatable.has(request.method ?? "") &&
  request.headers["transfer-encoding"] === undefined &&
  (request.headers["content-length"] ?? "0") === "0"

export class Proxy {
  readonly stack: string
  readonly balancer = new Balancer<Upstream>()
  readonly #server: Server
  #listening: number | undefined

  constructor(stack: string) {
    this.stack = stack
    this.#server = createServer((request, response) => {
      const current: Passage = { startedAt: performance.now(), latency: -1, broken: false }
      ;(request as Passing)[passage] = current
      this.#pass(request, response, current, undefined)
    })
    // Longer than the pools of clients keep a connection, so that it is they who close it.
    this.#server.keepAliveTimeout = 75_000
    this.#server.requestTimeout = 0
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket as Socket, head))
    this.#server.on("clientError", (_error, socket) => socket.destroy())
  }

  /** The port that it listens on, if it does. */
  get port(): number | undefined {
    return this.#listening
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error) => reject(error)
      this.#server.once("error", failed)
      this.#server.listen(port, "127.0.0.1", () => {
        this.#server.removeListener("error", failed)
        this.#server.on("error", () => undefined)
        this.#listening = port
        resolve()
      })
    })
  }

  close(): Promise<void> {
    this.#listening = undefined
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  #pass(request: IncomingMessage, response: ServerResponse, current: Passage, tried: Set<Upstream> | undefined): void {
    const upstream = this.balancer.pick(tried)
    if (upstream === undefined) {
      this.#answer(request, response, 503, "no_ready_upstream", `no instance of ${this.stack} is ready`)
      return
    }
    upstream.enter()
    carrier.web(request, response, { target: upstream.target, agent: upstream.agent, xfwd: true }).then(
      () => {
        upstream.leave()
        if (current.latency < 0 || (response.destroyed && !response.writableFinished && !current.broken)) return
        upstream.requests.record(monotonic(), current.latency, current.broken || response.statusCode >= 500)
      },
      (error: NodeJS.ErrnoException) => {
        upstream.leave()
        if (error.code === "ECONNREFUSED") upstream.onRefused()
        if (response.destroyed || (request.destroyed && !request.complete)) return
        const attempts = tried ?? new Set<Upstream>()
        if (!response.headersSent && mayRepeat(request) && attempts.size < retriesMax) {
          // A reused connection may just have been closed by an instance that is well: it may be tried once more.
          attempts.add(error.code === "ECONNREFUSED" || attempts.size > 0 ? upstream : once)
          if (this.balancer.has(attempts)) return this.#pass(request, response, current, attempts)
        }
        upstream.requests.record(monotonic(), performance.now() - current.startedAt, true)
        this.#answer(request, response, 502, "upstream_failed", `an instance of ${this.stack} did not answer`)
      }
    )
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const upstream = this.balancer.pick()
    if (upstream === undefined) {
      const body = failure("no_ready_upstream", `no instance of ${this.stack} is ready`)
      socket.end(
        `HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`
      )
      return
    }
    const startedAt = performance.now()
    upstream.enter()
    upstream.upgrade(socket)
    socket.once("close", () => upstream.leave())
    carrier.ws(request, socket, { target: upstream.target, xfwd: true }, head).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") upstream.onRefused()
      // Once the two are connected, how it ends is their affair.
      if (socket.bytesWritten === 0) upstream.requests.record(monotonic(), performance.now() - startedAt, true)
      socket.destroy()
    })
  }

  #answer(request: IncomingMessage, response: ServerResponse, status: number, code: string, message: string): void {
    if (response.headersSent) {
      response.destroy()
      return
    }
    const body = failure(code, message)
    response.writeHead(status, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      ...(request.complete ? {} : { connection: "close" })
    })
    response.end(body)
    request.resume()
  }
}

/** Stands for "tried once", where no instance is to be left out yet. */
const once = {} as Upstream

const failure = (code: string, message: string): string => JSON.stringify({ error: { code, message } })
