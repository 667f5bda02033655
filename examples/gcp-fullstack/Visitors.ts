import { Agent, request } from "node:http"

/** What came back of one request: which frontend and which backend answered it; without a status, nothing did. */
export interface Answer {
  readonly status: number | undefined
  readonly frontend: string | undefined
  readonly backend: string
}

/** Requests at a constant rate, whatever becomes of the earlier ones. */
export class Visitors {
  /** In the order of the requests. */
  readonly answers: Array<Answer> = []
  #sent = 0
  #answered = 0
  #timer: NodeJS.Timeout | undefined
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 50 })
  readonly #url: string
  readonly #perSecond: number

  constructor(url: string, perSecond: number) {
    this.#url = url
    this.#perSecond = perSecond
  }

  start(): void {
    const startedAt = Date.now()
    this.#timer = setInterval(() => {
      const due = ((Date.now() - startedAt) / 1_000) * this.#perSecond
      while (this.#sent < due) this.#send()
    }, 5)
  }

  get dropped(): number {
    return this.answers.filter(({ status }) => status !== 200).length
  }

  /** The answers to the next requests. */
  async next(count: number): Promise<ReadonlyArray<Answer>> {
    const from = this.#sent
    const next = () => this.answers.slice(from, from + count)
    while (next().filter((answer) => answer !== undefined).length < count) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return next()
  }

  /** Stops sending, and waits for requests in flight. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    while (this.#answered < this.#sent) await new Promise((resolve) => setTimeout(resolve, 10))
    this.#agent.destroy()
  }

  #send(): void {
    const index = this.#sent++
    const settle = (status: number | undefined, frontend: unknown, backend: string) => {
      if (this.answers[index] !== undefined) return
      this.#answered += 1
      this.answers[index] = { status, frontend: typeof frontend === "string" ? frontend : undefined, backend }
    }
    const sending = request(this.#url, { agent: this.#agent, timeout: 60_000 }, (response) => {
      let body = ""
      response
        .on("data", (data) => (body += data))
        .on("end", () => settle(response.statusCode, response.headers["x-frontend"], body))
        .on("error", () => settle(undefined, undefined, body))
    })
    sending.on("timeout", () => sending.destroy(new Error("no answer")))
    sending.on("error", () => settle(undefined, undefined, ""))
    sending.end()
  }
}
