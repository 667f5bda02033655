/**
 * One request on its way to an instance, and the answer on its way back. All input from either side is handled here:
 * every Node call that may reject its input is caught, and every socket and stream has an error listener.
 */
import { type ClientRequest, type IncomingMessage, request as send, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import type { Balancer } from "./Balancer.ts"
import { Connection, ignore, type Open } from "./Connection.ts"
import { answerHead, cleanPhrase, forwardTrailers, hasBody, requestHead } from "./Headers.ts"
import { relayInformation } from "./Information.ts"
import { headMax } from "./limits.ts"
import { invalidAnswer, type ProxyAnswer, refusalOfInstance, writeHeadOf } from "./ProxyAnswer.ts"
import { monotonic } from "./Requests.ts"
import { switchingHead, tunnel } from "./Tunnel.ts"
import { announce, type Upstream } from "./Upstream.ts"

const attemptsMax = 4

const repeatable = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"])

/** Where requests go. */
export interface Route {
  readonly stack: string
  readonly balancer: Balancer<Upstream>
}

/** A request for a WebSocket: its connection, and what of it was read already. */
export interface Handover {
  readonly socket: Socket
  readonly head: Buffer
}

export class Exchange implements Open {
  readonly #route: Route
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #handover: Handover | undefined
  readonly #connection: Connection
  readonly #startedAt = performance.now()
  /** Where the current attempt went. */
  #upstream: Upstream | undefined
  #outgoing: ClientRequest | undefined
  #connected = false
  #attempts = 0
  readonly #tried = new Set<Upstream>()
  /** Milliseconds until the head of the answer arrived; -1 before that. */
  #latency = -1
  #broken = false
  #handed = false
  #over = false

  constructor(route: Route, request: IncomingMessage, response: ServerResponse, handover?: Handover) {
    this.#route = route
    this.#request = request
    this.#response = response
    this.#handover = handover
    this.#connection = Connection.of(request.socket)
  }

  begin(): void {
    const response = this.#response
    this.#connection.enter(this)
    this.#request.on("error", ignore)
    response.on("error", ignore)
    response.once("close", () => this.#finish())
    if (this.#handover !== undefined) {
      this.#connection.watch()
      response.once("finish", () => this.#finish())
    }
    this.#attempt()
  }

  get received(): boolean {
    return this.#request.complete
  }

  abandon(): void {
    this.#finish()
  }

  refuse(refusal: ProxyAnswer): void {
    this.#leave()
    this.#answer(refusal)
  }

  #attempt(): void {
    const { balancer, stack } = this.#route
    const upstream = balancer.pick(this.#tried)
    if (upstream === undefined) {
      return this.#answer({ status: 503, code: "no_ready_upstream", message: `no instance of ${stack} is ready` })
    }
    const head = requestHead(this.#request, upstream.target, this.#handover !== undefined)
    if ("status" in head) return this.#answer(head)
    let outgoing: ClientRequest
    try {
      outgoing = send({
        agent: upstream.agent,
        host: upstream.target.host,
        port: upstream.target.port,
        method: this.#request.method!,
        path: this.#request.url!,
        headers: head,
        maxHeaderSize: headMax
      })
    } catch {
      return this.#answer({ status: 400, code: "bad_request", message: "the request cannot be passed on" })
    }
    outgoing.maxHeadersCount = 0
    this.#attempts += 1
    this.#connected = false
    this.#upstream = upstream
    this.#outgoing = outgoing
    upstream.enter()
    outgoing.on("response", (answer) => this.#relay(outgoing, answer))
    outgoing.on("upgrade", (answer, socket, rest) => this.#hand(upstream, outgoing, answer, socket, rest))
    outgoing.on("information", (information) => {
      if (outgoing === this.#outgoing) relayInformation(information, this.#request, this.#response)
    })
    outgoing.on("error", (error) => this.#lost(outgoing, error))
    outgoing.once("close", () => this.#lost(outgoing))
    outgoing.once("socket", (socket) => {
      const connected = () => this.#upload(outgoing)
      if (socket.connecting) socket.once("connect", connected)
      else connected()
    })
    if (!hasBody(this.#request)) outgoing.end()
  }

  /** The body is not touched before there is a connection: until then, the request may still go elsewhere. */
  #upload(outgoing: ClientRequest): void {
    if (outgoing !== this.#outgoing) return
    this.#connected = true
    if (!hasBody(this.#request)) return
    outgoing.flushHeaders()
    this.#request.once("end", () => forwardTrailers(this.#request, outgoing))
    this.#request.pipe(outgoing)
  }

  #relay(outgoing: ClientRequest, answer: IncomingMessage): void {
    answer.on("error", ignore)
    if (outgoing !== this.#outgoing) return void answer.destroy()
    announce(answer.socket, answer.headers["keep-alive"]?.toString())
    const response = this.#response
    try {
      if (answer.statusCode! < 200) return this.#invalid(`with the status ${answer.statusCode}`)
      const head = answerHead(answer, this.#request)
      if (head === undefined) return this.#invalid("with a transfer coding other than chunked")
      response.writeHead(answer.statusCode!, cleanPhrase(answer.statusMessage), head as Array<string>)
    } catch {
      return this.#invalid("with a head that cannot be passed on")
    }
    this.#latency = performance.now() - this.#startedAt
    let written = false
    answer.on("data", (chunk: Buffer) => {
      written = true
      if (!response.write(chunk)) answer.pause()
    })
    response.on("drain", () => answer.resume())
    answer.once("end", () => {
      forwardTrailers(answer, response)
      this.#end(outgoing)
    })
    answer.once("close", () => {
      if (answer.complete || outgoing !== this.#outgoing) return
      // If the end of the connection is the end of the answer, an instance that closes it with an unread upload resets
      // it.
      const { headers } = answer
      const open = headers["content-length"] === undefined && headers["transfer-encoding"] === undefined
      if (open && hasBody(this.#request)) return this.#end(outgoing)
      this.#broken = true
      response.destroy()
    })
    // With the body if it arrived together, otherwise without waiting for it.
    process.nextTick(() => {
      if (!written && !response.writableEnded) response.flushHeaders()
    })
  }

  /** The answer is complete; the upload need not be. */
  #end(outgoing: ClientRequest): void {
    if (!outgoing.writableFinished) {
      this.#request.unpipe(outgoing)
      outgoing.destroy()
    }
    this.#last()
    this.#response.end()
  }

  /** The rest of the upload is read and discarded, so that the client reads the answer. */
  #last(): void {
    if (this.#request.complete) return
    this.#request.resume()
    const { socket } = this.#request
    socket.destroySoon = () => Connection.of(socket).linger()
  }

  /** The instance takes the connection over, if it was offered one. */
  #hand(upstream: Upstream, outgoing: ClientRequest, answer: IncomingMessage, socket: Socket, rest: Buffer): void {
    const handover = this.#handover
    if (handover === undefined || outgoing !== this.#outgoing || handover.socket.destroyed) {
      socket.destroy()
      if (outgoing === this.#outgoing) this.#invalid("that switches to a protocol that was not requested")
      return
    }
    this.#latency = performance.now() - this.#startedAt
    this.#handed = true
    this.#record(false)
    this.#connection.unwatch()
    this.#response.detachSocket(handover.socket)
    handover.socket.once("close", () => this.#finish())
    upstream.upgrade(handover.socket)
    if (rest.length > 0) socket.unshift(rest)
    if (handover.head.length > 0) handover.socket.unshift(handover.head)
    tunnel(handover.socket, socket, switchingHead(answer, this.#request))
  }

  #invalid(what: string): void {
    this.#fail(invalidAnswer(this.#route.stack, what))
  }

  /** The connection to the instance ended without an answer. */
  #lost(outgoing: ClientRequest, error?: NodeJS.ErrnoException): void {
    const upstream = this.#upstream
    // With an answer, its own end tells how it ended.
    if (outgoing !== this.#outgoing || upstream === undefined || this.#latency >= 0) return
    if (error?.code === "ECONNREFUSED") upstream.onRefused()
    // A reused connection may just have been closed by a healthy instance, or still carry the rest of an answer that
    // was longer than announced. Without a connection, nothing was sent.
    const reused = outgoing.reusedSocket
    const invalid = error?.code?.startsWith("HPE_") === true
    const safe = repeatable.has(this.#request.method!) && !hasBody(this.#request)
    const again = this.#attempts < attemptsMax && (!this.#connected || (safe && (reused || !invalid)))
    if (!reused) this.#tried.add(upstream)
    if (!again || !this.#route.balancer.has(this.#tried)) {
      return this.#fail(refusalOfInstance(this.#route.stack, this.#connected, error?.code))
    }
    // Whether or not another instance answers, this one had the request.
    if (this.#connected && (invalid || !reused)) this.#record(true)
    this.#leave()
    this.#attempt()
  }

  /** Not an answer of the instance. */
  #fail(refusal: ProxyAnswer): void {
    this.#record(true)
    this.#leave()
    this.#answer(refusal)
  }

  #record(error: boolean): void {
    const latency = this.#latency >= 0 ? this.#latency : performance.now() - this.#startedAt
    this.#upstream?.requests.record(monotonic(), latency, error)
  }

  /** Finished with the instance for this attempt. */
  #leave(): void {
    const outgoing = this.#outgoing
    const upstream = this.#upstream
    this.#outgoing = undefined
    this.#upstream = undefined
    if (outgoing !== undefined) {
      this.#request.unpipe(outgoing)
      outgoing.destroy()
    }
    upstream?.leave()
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    // If the client left before there was an answer, this says nothing about the release.
    if (this.#latency >= 0 && !this.#handed) {
      this.#record(this.#broken || this.#response.statusCode >= 500)
    }
    this.#leave()
    this.#connection.leave(this)
  }

  /** An answer of the proxy itself. */
  #answer(refusal: ProxyAnswer): void {
    const response = this.#response
    if (response.headersSent || response.destroyed) return void response.destroy()
    const body = writeHeadOf(refusal, this.#request, response)
    this.#last()
    response.end(body)
  }
}
