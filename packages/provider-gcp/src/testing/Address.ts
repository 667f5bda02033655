/**
 * An address of a service: a server that divides its requests among instances, by weight.
 */
import { Agent, createServer, request as open, type Server } from "node:http"
import type { AddressInfo } from "node:net"

/** The share of an instance. */
export interface Share {
  readonly port: number
  readonly percent: number
}

const agent = new Agent({ keepAlive: true })

export class Address {
  readonly #server: Server
  #shares: Array<Share & { current: number }> = []

  constructor() {
    // A connection that ends while it is idle would drop the request that is sent at that moment.
    this.#server = createServer({ keepAliveTimeout: 0 }, (incoming, outgoing) => {
      const port = this.#next()
      if (port === undefined) {
        outgoing.writeHead(404).end()
        return
      }
      const { headers, method, url } = incoming
      const forwarded = open({ agent, port, host: "127.0.0.1", method, path: url, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(outgoing)
      })
      forwarded.once("error", () => {
        if (!outgoing.headersSent) outgoing.writeHead(503)
        outgoing.end()
      })
      incoming.pipe(forwarded)
    })
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve))
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Sends the following requests there. */
  divide(shares: ReadonlyArray<Share>): void {
    this.#shares = shares.filter(({ percent }) => percent > 0).map((share) => ({ ...share, current: 0 }))
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  /** Smooth weighted round robin, so that shares are exact. */
  #next(): number | undefined {
    let best: (Share & { current: number }) | undefined
    let total = 0
    for (const share of this.#shares) {
      share.current += share.percent
      total += share.percent
      if (best === undefined || share.current > best.current) best = share
    }
    if (best !== undefined) best.current -= total
    return best?.port
  }
}
