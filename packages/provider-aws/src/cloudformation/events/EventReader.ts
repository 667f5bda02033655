/**
 * Follows the events of a stack and of the stacks nested in it.
 */
import type { StackEvent } from "@aws-sdk/client-cloudformation"
import type { ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Calls } from "../Calls.ts"
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
      const found: Array<StackEvent> = []
      for (const event of this.#followed(own)) {
        const stackId = yield* this.#calls.nested(event)
        if (stackId === undefined) continue
        const reader = this.#nested.get(stackId) ?? new EventReader(this.#calls, stackId, this.#since)
        this.#nested.set(stackId, reader)
        found.push(...(yield* reader.fresh))
      }
      // What happens inside at the same moment is the cause of what happens outside.
      return [...found, ...own].sort((one, other) => timeOf(one) - timeOf(other))
    })
  }

  /** The last events of the nested stacks that have reported something now, or are not at rest. */
  #followed(fresh: ReadonlyArray<StackEvent>): ReadonlyArray<StackEvent> {
    const latest = new Map<string, StackEvent>()
    for (const event of this.all) {
      const { LogicalResourceId = "", PhysicalResourceId, ResourceType } = event
      if (ResourceType !== "AWS::CloudFormation::Stack" || PhysicalResourceId === this.#stackId) continue
      // Before its creation has begun, there is no stack yet.
      const known = PhysicalResourceId || latest.get(LogicalResourceId)?.PhysicalResourceId
      if (event.ResourceStatus === "CREATE_IN_PROGRESS" && !known) continue
      latest.set(LogicalResourceId, known ? { ...event, PhysicalResourceId: known } : event)
    }
    const now = new Set(fresh.map(({ LogicalResourceId }) => LogicalResourceId))
    return [...latest.values()].filter(
      ({ LogicalResourceId, ResourceStatus }) =>
        now.has(LogicalResourceId) || ResourceStatus?.endsWith("_IN_PROGRESS") === true
    )
  }
}
