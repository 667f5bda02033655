/**
 * An address of a service: a server that divides its requests among instances, by weight.
 */
import { Agent, createServer, request as open, type Server } from "node:http"
import type { AddressInfo } from "node:net"

/** The share of an instance of a revision. */
export interface Share {
  readonly revision: string
  readonly port: number
  readonly percent: number
}

const agent = new Agent({ keepAlive: true })

export class Address {
  readonly #server: Server
  #shares: Array<Share & { current: number }> = []

  /** `answered` is called for each request that an instance has answered. */
  constructor(answered: (revision: string, answer: { readonly status: number; readonly millis: number }) => void) {
    // A connection that ends while it is idle would drop the request that is sent at that moment.
    this.#server = createServer({ keepAliveTimeout: 0 }, (incoming, outgoing) => {
      const next = this.#next()
      if (next === undefined) {
        outgoing.writeHead(404).end()
        return
      }
      const { port, revision } = next
      const { headers, method, url } = incoming
      const began = performance.now()
      const count = (status: number) => answered(revision, { status, millis: performance.now() - began })
      const forwarded = open({ agent, port, host: "127.0.0.1", method, path: url, headers }, (answer) => {
        count(answer.statusCode!)
        outgoing.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(outgoing)
      })
      forwarded.once("error", () => {
        if (!outgoing.headersSent) {
          count(503)
          outgoing.writeHead(503)
        }
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
  #next(): Share | undefined {
    let best: (Share & { current: number }) | undefined
    let total = 0
    for (const share of this.#shares) {
      share.current += share.percent
      total += share.percent
      if (best === undefined || share.current > best.current) best = share
    }
    if (best !== undefined) best.current -= total
    return best
  }
}
