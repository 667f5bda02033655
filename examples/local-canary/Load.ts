import { Agent, request } from "node:http"

/**
 * What came back of one request: the version that answered, or nothing.
 */
interface Answer {
  readonly at: number
  readonly version: string | undefined
  readonly status: number | undefined
}

/**
 * Constant load on one address: `perSecond` requests, whatever becomes of the earlier ones, over kept-alive connections;
 * every tenth is a POST.
 */
export class Load {
  readonly answers: Array<Answer> = []
  sent = 0
  #timer: NodeJS.Timeout | undefined
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 50 })
  readonly #port: number
  readonly #perSecond: number

  constructor(port: number, perSecond: number) {
    this.#port = port
    this.#perSecond = perSecond
  }

  start(): void {
    const startedAt = Date.now()
    this.#timer = setInterval(() => {
      const due = ((Date.now() - startedAt) / 1_000) * this.#perSecond
      while (this.sent < due) this.#send()
    }, 5)
  }

  /** Stops sending, and waits for requests in flight. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    const deadline = Date.now() + 10_000
    while (this.answers.length < this.sent && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    this.#agent.destroy()
  }

  #send(): void {
    this.sent += 1
    const post = this.sent % 10 === 0
    const sending = request(
      {
        host: "127.0.0.1",
        port: this.#port,
        path: "/",
        method: post ? "POST" : "GET",
        agent: this.#agent,
        timeout: 10_000
      },
      (response) => {
        const settle = (status: number | undefined) =>
          this.answers.push({ at: Date.now(), version: String(response.headers["x-version"]), status })
        response
          .resume()
          .on("end", () => settle(response.statusCode))
          .on("error", () => settle(undefined))
      }
    )
    sending.on("timeout", () => sending.destroy(new Error("no answer")))
    sending.on("error", () => this.answers.push({ at: Date.now(), version: undefined, status: undefined }))
    sending.end(post ? "x".repeat(1_000) : undefined)
  }
}
