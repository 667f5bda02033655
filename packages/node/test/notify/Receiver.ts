/** A receiver over HTTP that counts what arrives, and has faults. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

/** A notification as it arrived. */
export interface Arrival {
  readonly channel: string
  readonly id: string
  readonly stream: string
  readonly seq: number
  readonly at: number
  /** How many notifications it sums up, if it is a summary. */
  readonly folded?: number
  readonly arrivedAt: number
  /** It got no answer, so the sender cannot know that it arrived. */
  readonly isUnanswered: boolean
}

/** What it does with a request to a channel: it takes it, refuses it, leaves it without an answer, or takes it and hangs up. */
export type Answer = "take" | "refuse" | "hang" | "drop"

/** Starts one on a free port of loopback. */
export const startReceiver = async (answer: (channel: string) => Answer) => {
  const arrivals: Array<Arrival> = []
  const server = createServer((request, response) => {
    let body = ""
    request.on("data", (chunk: Buffer) => (body += chunk.toString()))
    request.on("end", () => {
      const channel = (request.url ?? "/").slice(1)
      const decided = answer(channel)
      if (decided === "hang") return
      if (decided === "refuse") return void response.writeHead(503).end()
      const sent = JSON.parse(body) as Omit<Arrival, "channel" | "arrivedAt" | "isUnanswered">
      arrivals.push({ ...sent, channel, arrivedAt: Date.now(), isUnanswered: decided === "drop" })
      if (decided === "drop") return void request.socket.destroy()
      response.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    arrivals,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}
