/** What lies between processes, stores and clouds: the latency of messages, and windows in which they are lost. */
import type { ProviderReason } from "../../../spi/ProviderError.ts"
import { chance, type Chance } from "./Chance.ts"
import type { ScheduledFault, FaultKind } from "../scenario/Scenario.ts"
import type { Process, World } from "./World.ts"

/** The fate of one message and its answer. */
export interface Passage {
  readonly out: number
  readonly back: number
  /** It is executed, and the answer is lost. */
  readonly lost: boolean
}

interface Window {
  readonly kind: FaultKind
  readonly process: number | undefined
  readonly until: number
}

export class Network {
  readonly #world: World
  readonly #chance: Chance
  #windows: Array<Window> = []

  constructor(world: World, seed: number) {
    this.#world = world
    this.#chance = chance(seed, "network")
  }

  /** Begins the window of a fault. */
  begin({ kind, millis, process }: ScheduledFault): void {
    this.#windows = this.#windows.filter(({ until }) => until > this.#world.now)
    this.#windows.push({ kind, process, until: this.#world.now + millis })
  }

  /** Heals everything. */
  heal(): void {
    this.#windows = []
  }

  is(kind: FaultKind, process: Process): boolean {
    return this.#windows.some(
      (window) =>
        window.kind === kind &&
        window.until > this.#world.now &&
        (window.process === undefined || window.process === process.slot)
    )
  }

  /** A message to the store; undefined if it is unavailable. */
  toStore(process: Process): Passage | undefined {
    if (this.is("store_down", process)) return undefined
    const slow = this.is("store_slow", process)
    return {
      out: slow ? this.#chance.int(1, 900) : this.#chance.int(0, 2),
      back: slow ? this.#chance.int(1, 900) : this.#chance.int(0, 2),
      lost: this.is("store_lost", process) && this.#chance.yes(0.5)
    }
  }

  /** A notification of another process's write: in how many milliseconds. */
  feed(process: Process): number {
    return this.is("feed_slow", process) ? this.#chance.int(200, 4_000) : this.#chance.int(0, 20)
  }

  /** A call of a provider; a reason if it is refused. */
  toProvider(process: Process): (Passage & { readonly twice: boolean }) | ProviderReason {
    if (this.is("provider_throttled", process)) {
      return { _tag: "Throttled", message: "too many calls", retryAfterMs: this.#chance.int(50, 500) }
    }
    if (this.is("provider_down", process)) return { _tag: "Unavailable", message: "it does not answer" }
    const late = this.is("provider_late", process) && this.#chance.yes(0.5)
    const slow = this.is("provider_slow", process)
    return {
      out: late ? this.#chance.int(500, 20_000) : this.#chance.int(0, 10),
      back: slow ? this.#chance.int(500, 5_000) : this.#chance.int(0, 10),
      lost: this.is("provider_lost", process) && this.#chance.yes(0.6),
      twice: this.is("provider_twice", process) && this.#chance.yes(0.5)
    }
  }

  /** Whether a message in transit still arrives, now, when its sender stops waiting for it. */
  arrives(): boolean {
    return this.#chance.yes(0.5)
  }

  /** The delay between the first and the second delivery of a message. */
  again(): number {
    return this.#chance.int(0, 2_000)
  }
}
