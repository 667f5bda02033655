/**
 * A script of calls, with what was answered to each step.
 */
import type { clients } from "../world.ts"

/** Where a script runs. */
export interface Side {
  readonly aws: ReturnType<typeof clients>
  readonly subnets: ReadonlyArray<string>
  readonly vpc: string
  readonly image: string
  /** Lets instances start. */
  readonly settle: () => Promise<void>
}

export class Script {
  /** By the name of a step, without what differs from run to run. */
  readonly answers = new Map<string, string>()
  readonly #names = new Map<string, string>()

  /** Gives a name to an id or ARN that the service has made up. */
  name(made: string, name: string): void {
    this.#names.set(made, name)
  }

  /** Does a step: what it shows, or the name of its failure, is compared. */
  readonly step = async (name: string, call: () => Promise<unknown>): Promise<void> => {
    try {
      this.answers.set(name, this.#stable(await call()))
    } catch (error) {
      const { message, name: failure } = error as Error
      // What moto has not, or what makes it stumble, it answers in HTML.
      this.answers.set(name, message.includes("parse error") ? "HTTP 500" : failure)
    }
  }

  /** A step that AWS refuses: what was made instead is taken back. */
  readonly refused = (
    name: string,
    call: () => Promise<unknown>,
    undo: () => Promise<unknown> = async () => {}
  ): Promise<void> =>
    this.step(name, async () => {
      await call()
      await undo()
      return "accepted"
    })

  #stable(answer: unknown): string {
    let text = JSON.stringify(answer, (_, value: unknown) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value
    )
    for (const [made, name] of this.#names) text = text.replaceAll(made, name)
    return text
  }
}
