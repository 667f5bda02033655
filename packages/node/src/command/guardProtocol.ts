/**
 * The protocol between a guard and the process that holds the lease: JSON, one message per line, on descriptor 3.
 */

/** Messages of the holder. Until both `start` and the first `until` have arrived, nothing runs. */
export type ToGuard =
  | {
      readonly type: "start"
      readonly id: string
      readonly command: string
      readonly args: ReadonlyArray<string>
      readonly cwd: string
      readonly env: Readonly<Record<string, string>>
      /** Of the lease, in ms. */
      readonly ttl: number
    }
  /** The lease is certainly held until then, in ms of the wall clock. */
  | { readonly type: "until"; readonly at: number }
  | { readonly type: "signal"; readonly signal: NodeJS.Signals }

/** Messages of the guard. `pid` is also the number of the command's process group. */
export type FromGuard =
  | { readonly type: "started"; readonly pid: number }
  | { readonly type: "failed"; readonly code: string }
  | {
      readonly type: "ended"
      readonly code: number | null
      readonly signal: NodeJS.Signals | null
      readonly killedBecause?: "lease_lost" | "asked"
    }

/** The descriptor of the protocol. The command does not inherit it. */
export const channelDescriptor = 3

/** Marks every process of a command, so that processes outside its process group are found too. */
export const marker = "SIGNALBOX_RUN"

/**
 * How long before the end of a lease of `ttl` ms its command is asked to end, and is killed: it must be dead before
 * another one may begin. Renewals happen every third of the ttl, and twice a second while the store is unavailable: an
 * outage of nearly half the ttl ends no command.
 */
export const margins = (ttl: number): { readonly term: number; readonly kill: number } => {
  const term = Math.min(2000, Math.max(250, ttl / 6))
  return { term, kill: term / 2 }
}

/**
 * How long a lease is still held. Both clocks are used: the wall clock includes the time that a sleeping machine
 * missed, and the monotonic clock cannot be set.
 */
export class Deadline {
  readonly #ttl: number
  #wall = Number.NEGATIVE_INFINITY
  #steady = Number.NEGATIVE_INFINITY

  constructor(ttl: number) {
    this.#ttl = ttl
  }

  renew(at: number): void {
    this.#wall = at
    this.#steady = performance.now() + Math.min(at - Date.now(), this.#ttl)
  }

  get left(): number {
    return Math.min(this.#wall - Date.now(), this.#steady - performance.now())
  }
}

/** Extracts messages from data that arrives in pieces. */
export const messages = <Message>(onMessage: (message: Message) => void): ((chunk: Buffer) => void) => {
  let rest = ""
  return (chunk) => {
    // Written as ASCII, so that no character is ever cut.
    const lines = (rest + chunk.toString("latin1")).split("\n")
    rest = lines.pop()!
    for (const line of lines) onMessage(JSON.parse(line) as Message)
  }
}

/** A message as it is sent: ASCII, one line. */
export const encode = (message: ToGuard | FromGuard): string =>
  `${JSON.stringify(message).replaceAll(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)}\n`
