/**
 * The reverse proxy of one stack. All decisions are synchronous in one thread: once `setWeights` has returned, no new
 * request uses the old weights. `Exchange` carries the bytes.
 */
import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { Balancer } from "./Balancer.ts"
import { Connection, ignore } from "./Connection.ts"
import { Exchange } from "./Exchange.ts"
import { isWebSocket } from "./Headers.ts"
import { headMax } from "./limits.ts"
import { noConnect, refusalOfRequest } from "./ProxyAnswer.ts"
import type { Upstream } from "./Upstream.ts"

export class Proxy {
  readonly stack: string
  readonly balancer = new Balancer<Upstream>()
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #listening: number | undefined

  constructor(stack: string) {
    this.stack = stack
    const pass = (request: IncomingMessage, response: ServerResponse) => {
      // On a closing connection, no answer would arrive.
      if (request.socket.writable) new Exchange(this, request, response).begin()
    }
    this.#server = createServer(
      {
        maxHeaderSize: headMax,
        // Longer than clients' pools keep a connection, so that the clients close it.
        keepAliveTimeout: 75_000,
        requestTimeout: 0
      },
      pass
    )
    this.#server.maxHeadersCount = 0
    // The application answers what the client expects.
    this.#server.on("checkContinue", pass)
    this.#server.on("checkExpectation", pass)
    this.#server.on("connection", (socket: Socket) => this.#accept(socket))
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket as Socket, head))
    this.#server.on("connect", (_request, socket) => Connection.of(socket as Socket).refuse(noConnect))
    this.#server.on("clientError", (error: NodeJS.ErrnoException, socket) =>
      Connection.of(socket as Socket).refuse(refusalOfRequest(error))
    )
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
        this.#server.on("error", ignore)
        this.#listening = port
        resolve()
      })
    })
  }

  close(): Promise<void> {
    this.#listening = undefined
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      for (const socket of this.#sockets) socket.destroy()
    })
  }

  #accept(socket: Socket): void {
    if (this.#sockets.has(socket)) return
    this.#sockets.add(socket)
    socket.once("close", () => this.#sockets.delete(socket))
  }

  /** Node has left the connection to us. */
  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const connection = Connection.of(socket)
    connection.afterwards(() => {
      if (!socket.writable) return void socket.destroy()
      if (!isWebSocket(request)) return this.#again(request, socket, head)
      const response = new ServerResponse(request)
      response.shouldKeepAlive = false
      response.assignSocket(socket)
      socket.on("drain", () => response.emit("drain"))
      response.once("finish", () => connection.linger())
      new Exchange(this, request, response, { socket, head }).begin()
    })
  }

  /**
   * An offer of another protocol is ignored: the request is read again without it. (Node can be told to ignore it, but
   * then loses the data behind the request.)
   */
  #again(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`]
    for (let index = 0; index < request.rawHeaders.length; index += 2) {
      const name = request.rawHeaders[index]!
      const value = request.rawHeaders[index + 1]!
      if (name.toLowerCase() !== "upgrade") lines.push(`${name}: ${value}`)
    }
    socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]))
    this.#server.emit("connection", socket)
  }
}
