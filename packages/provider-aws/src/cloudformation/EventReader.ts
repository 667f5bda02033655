/**
 * Follows the events of a stack and of the stacks nested in it.
 */
import type { StackEvent } from "@aws-sdk/client-cloudformation"
import type { ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Calls } from "./Calls.ts"
import { timeOf } from "./StackEvents.ts"

/** Reads what is new at each call of `fresh`; `all` are the events of the stack itself so far, oldest first. */
export class EventReader {
  readonly all: Array<StackEvent> = []
  readonly #calls: Calls
  readonly #stackId: string
  readonly #since: number
  readonly #nested = new Map<string, EventReader>()

  constructor(calls: Calls, stackId: string, since: number) {
    this.#calls = calls
    this.#stackId = stackId
    this.#since = since
  }

  /** The new events of this stack and of those nested in it, by time. */
  get fresh(): Effect.Effect<ReadonlyArray<StackEvent>, ProviderReason> {
    return Effect.gen({ self: this }, function* () {
      const last = this.all.at(-1)?.EventId
      const own = yield* this.#calls.events(this.#stackId, this.#since, ({ EventId }) => EventId === last)
      this.all.push(...own)
      const found = [...own]
      for (const stackId of this.#followed(own)) {
        const reader = this.#nested.get(stackId) ?? new EventReader(this.#calls, stackId, this.#since)
        this.#nested.set(stackId, reader)
        found.push(...(yield* reader.fresh))
      }
      return found.sort((one, other) => timeOf(one) - timeOf(other))
    })
  }

  /** What a nested stack, however deep, has reported. */
  inside(stackId: string): ReadonlyArray<StackEvent> {
    const own = this.#nested.get(stackId)
    if (own !== undefined) return own.all
    return [...this.#nested.values()].flatMap((reader) => reader.inside(stackId))
  }

  /** The nested stacks that have reported something now, or are not at rest. */
  #followed(fresh: ReadonlyArray<StackEvent>): ReadonlySet<string> {
    const latest = new Map<string, string>()
    for (const event of this.all) {
      const { PhysicalResourceId, ResourceStatus = "", ResourceType } = event
      if (ResourceType !== "AWS::CloudFormation::Stack" || PhysicalResourceId === this.#stackId) continue
      if (PhysicalResourceId?.startsWith("arn:") === true) latest.set(PhysicalResourceId, ResourceStatus)
    }
    const now = new Set(fresh.map(({ PhysicalResourceId }) => PhysicalResourceId))
    return new Set(
      [...latest].filter(([id, status]) => now.has(id) || status.endsWith("_IN_PROGRESS")).map(([id]) => id)
    )
  }
}
