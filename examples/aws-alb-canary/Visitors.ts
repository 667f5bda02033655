import { Agent, request } from "node:http"

/** An answer: its version, and its status; 0 if there was none. */
export interface Answer {
  readonly version: string
  readonly status: number
}

/** Constant load on one address, whatever becomes of the earlier requests, over connections that are kept. */
export class Visitors {
  readonly answers: Array<Answer> = []
  #sent = 0
  #timer: NodeJS.Timeout | undefined
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 50 })
  readonly #url: string
  readonly #perSecond: number

  constructor(url: string, perSecond: number) {
    this.#url = url
    this.#perSecond = perSecond
  }

  start(): void {
    const began = performance.now()
    this.#timer = setInterval(() => {
      const due = ((performance.now() - began) / 1000) * this.#perSecond
      while (this.#sent < due) this.#send()
    }, 5)
  }

  /** Stops, and waits for the last answers. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#until(() => this.answers.length >= this.#sent)
    this.#agent.destroy()
  }

  /** The next answers. */
  async next(count: number): Promise<ReadonlyArray<Answer>> {
    const from = this.answers.length
    await this.#until(() => this.answers.length >= from + count)
    return this.answers.slice(from, from + count)
  }

  async #until(is: () => boolean): Promise<void> {
    while (!is()) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  #send(): void {
    this.#sent += 1
    const sending = request(this.#url, { agent: this.#agent }, (response) => {
      let version = ""
      response.setEncoding("utf8")
      response.on("data", (text) => (version += text))
      response.on("end", () => this.answers.push({ version, status: response.statusCode ?? 0 }))
      response.on("error", () => this.answers.push({ version: "", status: 0 }))
    })
    sending.on("error", () => this.answers.push({ version: "", status: 0 }))
    sending.end()
  }
}
