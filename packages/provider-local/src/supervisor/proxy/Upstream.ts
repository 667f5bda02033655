/**
 * The proxy's side of one instance: its connections, and the number of requests in flight.
 */
import { Agent, type ClientRequest } from "node:http"
import { Socket, type TcpNetConnectOpts } from "node:net"
import { ignore } from "./Connection.ts"
import type { LoopbackHost } from "../instance/Readiness.ts"
import type { Requests } from "./Requests.ts"

/**
 * How long a connection to an instance may be idle before it is discarded. An instance may close idle connections at
 * any time; the shorter ours are idle, the less likely a request meets one that is just being closed.
 */
const idleMillis = 1500

/** How long instances announced to keep an idle connection (`keep-alive: timeout=5`), in milliseconds. */
const announced = new WeakMap<Socket, number>()

export const announce = (socket: Socket, keepAlive: string | undefined): void => {
  const seconds = keepAlive === undefined ? undefined : /timeout=(\d+)/.exec(keepAlive)?.[1]
  if (seconds !== undefined) announced.set(socket, Number(seconds) * 1000)
}

type Written = (error?: Error | null) => void

/**
 * A connection to an instance. A failed write does not end it: an instance may answer before it has read an upload, and
 * close; its answer is still readable. The end of reading ends the connection.
 */
class UpstreamSocket extends Socket {
  override _write(chunk: unknown, encoding: BufferEncoding, written: Written): void {
    super._write(chunk, encoding, () => written())
  }

  override _writev(chunks: Array<{ chunk: unknown; encoding: BufferEncoding }>, written: Written): void {
    super._writev!(chunks, () => written())
  }
}

class UpstreamAgent extends Agent {
  override createConnection(options: TcpNetConnectOpts): Socket {
    const socket = new UpstreamSocket(options)
    // Between two requests, Node leaves a moment without a listener.
    socket.on("error", ignore)
    return socket.connect(options)
  }

  override keepSocketAlive(socket: Socket): boolean {
    const limit = Math.min(idleMillis, (announced.get(socket) ?? Infinity) - 1000)
    // Unsolicited data of an instance would be taken for the next answer.
    if (limit <= 0 || socket.readableLength > 0) return false
    socket.on("data", unasked)
    socket.setKeepAlive(true, 1000)
    socket.unref()
    socket.setTimeout(limit)
    return true
  }

  override reuseSocket(socket: Socket, request: ClientRequest): void {
    socket.removeListener("data", unasked)
    socket.setTimeout(0)
    super.reuseSocket(socket, request)
  }
}

function unasked(this: Socket): void {
  this.destroy()
}

export class Upstream {
  readonly releaseId: string
  readonly target: { host: LoopbackHost; readonly port: number }
  readonly agent = new UpstreamAgent({ keepAlive: true, maxFreeSockets: 256 })
  readonly requests: Requests
  /** Whether new requests may go here. */
  ready = false
  #inFlight = 0
  #whenIdle: Array<() => void> = []
  readonly #upgraded = new Set<Socket>()
  /** Called when a connection was refused: the instance may be gone. */
  onRefused: () => void = () => undefined

  constructor(releaseId: string, port: number, requests: Requests) {
    this.releaseId = releaseId
    this.target = { host: "127.0.0.1", port }
    this.requests = requests
  }

  get inFlight(): number {
    return this.#inFlight
  }

  enter(): void {
    this.#inFlight += 1
  }

  leave(): void {
    this.#inFlight -= 1
    if (this.#inFlight === 0) {
      for (const resume of this.#whenIdle.splice(0)) resume()
    }
  }

  upgrade(socket: Socket): void {
    this.#upgraded.add(socket)
    socket.once("close", () => this.#upgraded.delete(socket))
  }

  /** Waits until nothing is in flight, at most this long or until aborted. */
  idle(timeout: number, signal: AbortSignal): Promise<void> {
    if (this.#inFlight === 0 || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener("abort", done)
        resolve()
      }
      const timer = setTimeout(done, timeout)
      signal.addEventListener("abort", done)
      this.#whenIdle.push(done)
    })
  }

  close(): void {
    this.ready = false
    this.agent.destroy()
    for (const socket of this.#upgraded) socket.destroy()
  }
}
