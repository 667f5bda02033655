/**
 * A client's connection: its open exchanges, and how to close it so that the last written data arrives.
 */
import type { Socket } from "node:net"
import { type ProxyAnswer, rawAnswerOf } from "./ProxyAnswer.ts"

/** An open exchange, as far as the connection has to know. */
export interface Open {
  /** Whether the whole request has arrived. */
  readonly received: boolean
  /** The client's side failed: answers, if that is still possible. */
  readonly refuse: (refusal: ProxyAnswer) => void
  /** The connection is gone. */
  readonly abandon: () => void
}

/** How long to read and discard what a client still sends. */
const lingerMillis = 10_000

const connections = new WeakMap<Socket, Connection>()

export class Connection {
  readonly #socket: Socket
  readonly #open = new Set<Open>()
  #next: (() => void) | undefined
  #refused = false
  #lingering = false

  constructor(socket: Socket) {
    this.#socket = socket
    connections.set(socket, this)
    socket.on("error", ignore)
    socket.once("close", () => {
      for (const open of this.#open) open.abandon()
    })
  }

  static of(socket: Socket): Connection {
    return connections.get(socket) ?? new Connection(socket)
  }

  enter(open: Open): void {
    this.#open.add(open)
  }

  leave(open: Open): void {
    this.#open.delete(open)
    if (this.#open.size > 0 || this.#next === undefined) return
    const next = this.#next
    this.#next = undefined
    next()
  }

  /** Runs it once nothing is open: answers leave in the order of their requests. */
  afterwards(next: () => void): void {
    if (this.#open.size === 0) next()
    else this.#next = next
  }

  /** The input is not HTTP, or too much of it. */
  refuse(refusal: ProxyAnswer): void {
    if (this.#refused || this.#socket.destroyed || !this.#socket.writable) return
    this.#refused = true
    for (const open of this.#open) if (!open.received) return open.refuse(refusal)
    this.afterwards(() => {
      if (this.#socket.writable) this.#socket.write(rawAnswerOf(refusal))
      this.linger()
    })
  }

  /** Notices that the client leaves, without consuming its data. */
  watch(): void {
    this.#socket.on("readable", peek)
    this.#socket.once("end", leave)
  }

  unwatch(): void {
    this.#socket.removeListener("readable", peek)
    this.#socket.removeListener("end", leave)
  }

  /**
   * Ends the connection, but keeps reading for a while: closing it with unread data would be a reset, and a reset
   * discards what the client has not read yet.
   */
  linger(): void {
    if (this.#lingering || this.#socket.destroyed) return
    this.#lingering = true
    this.unwatch()
    this.#socket.end()
    this.#socket.resume()
    const timer = setTimeout(() => this.#socket.destroy(), lingerMillis)
    this.#socket.once("close", () => clearTimeout(timer))
  }
}

function peek(this: Socket): void {
  this.read(0)
}

function leave(this: Socket): void {
  this.destroy()
}

/** For events that need a listener, if another one reports the same. */
export const ignore = (): void => undefined
