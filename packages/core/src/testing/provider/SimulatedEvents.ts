/**
 * The events that a simulated cloud reports of its stacks.
 */
import type { ProviderEvent, StackRef } from "../../spi/index.ts"
import { keyOf } from "./SimulatedState.ts"

export class Happened {
  readonly #events = new Map<string, Array<ProviderEvent>>()

  add(ref: StackRef, at: number, given: Omit<ProviderEvent, "id" | "at">): ProviderEvent {
    const key = keyOf(ref)
    const events = this.#events.get(key) ?? []
    const event = { id: `${ref.stack}-${events.length + 1}`, at, ...given }
    this.#events.set(key, [...events, event])
    return event
  }

  /** The events from a time on, after a cursor, which is the id of an event; all of them if it is null or unknown. */
  since(ref: StackRef, cursor: string | null, from: number) {
    const events = (this.#events.get(keyOf(ref)) ?? []).filter(({ at }) => at >= from)
    const after = events.slice(events.findIndex(({ id }) => id === cursor) + 1)
    return { events: after, cursor: events.at(-1)?.id ?? null }
  }
}
