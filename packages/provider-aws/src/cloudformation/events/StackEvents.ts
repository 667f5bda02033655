/**
 * The events of stacks, as CloudFormation reports them: which operations they belong to, and what failed first.
 */
import type { StackEvent } from "@aws-sdk/client-cloudformation"
import type { ProviderEvent } from "@signalbox/core/spi"
import { eventsPage } from "../Console.ts"
import { isAtRest } from "../StackStatus.ts"

/** The time of an event; every event has one. */
export const timeOf = ({ Timestamp }: StackEvent): number => Timestamp?.getTime() ?? 0

/** Whether an event is about the stack itself, and not about one of its resources. */
const isOwn = ({ PhysicalResourceId, StackId }: StackEvent): boolean => PhysicalResourceId === StackId

/** An operation, as the events of its stack show it. `status` is the last one of the stack in it. */
export interface StackOperation {
  readonly token: string | undefined
  readonly startedAt: number
  readonly events: ReadonlyArray<StackEvent>
  readonly status: string
}

/** Whether an operation has ended. */
export const hasEnded = ({ status }: StackOperation): boolean => isAtRest(status)

/** A creation can be deleted before its end. */
const superseded = "SUPERSEDED"

/** A rollback is part of the operation that has failed. */
const starts = /^(CREATE|UPDATE|DELETE|IMPORT)_IN_PROGRESS$/

/** Divides the events of a stack, oldest first, into its operations. What is cut off at the beginning is left out. */
export const operationsOf = (events: ReadonlyArray<StackEvent>): ReadonlyArray<StackOperation> => {
  const operations: Array<StackOperation & { events: Array<StackEvent>; status: string }> = []
  let open = false
  for (const event of events) {
    const status = event.ResourceStatus ?? ""
    const another = starts.test(status) && event.ClientRequestToken !== operations.at(-1)?.token
    if (isOwn(event) && !isAtRest(status) && (!open || another)) {
      if (open) operations.at(-1)!.status = superseded
      operations.push({ token: event.ClientRequestToken, startedAt: timeOf(event), events: [], status })
      open = true
    }
    const current = operations.at(-1)
    if (!open || current === undefined) continue
    current.events.push(event)
    if (isOwn(event)) {
      current.status = status
      open = !isAtRest(status)
    }
  }
  return operations
}

/** Resources that fail because others have failed say so. */
const isConsequence = ({ ResourceStatusReason = "" }: StackEvent): boolean => /cancelled/i.test(ResourceStatusReason)

/** The first failure of a resource within an operation, as the events of one stack tell it. */
export const firstFailure = (events: ReadonlyArray<StackEvent>): StackEvent | undefined =>
  events.find((event) => event.ResourceStatus?.endsWith("_FAILED") === true && !isOwn(event) && !isConsequence(event))

/** An event as the port has it. The id holds the time, so that one can go on from any event. */
export const providerEvent = (event: StackEvent): ProviderEvent => {
  const { LogicalResourceId = "", ResourceStatus = "", ResourceStatusReason, ResourceType, StackId = "" } = event
  const url = eventsPage(StackId)
  const failed = ResourceStatus.endsWith("_FAILED") && !isConsequence(event)
  return {
    id: `${timeOf(event)}/${event.EventId}`,
    at: timeOf(event),
    // The cause of a failure is shown with the resource.
    message:
      failed && ResourceStatusReason
        ? ResourceStatusReason
        : `${LogicalResourceId} ${ResourceStatus}${ResourceStatusReason ? `: ${ResourceStatusReason}` : ""}`,
    resource: LogicalResourceId,
    ...(ResourceType === undefined ? {} : { resourceType: ResourceType }),
    ...(isAtRest(ResourceStatus) && !ResourceStatus.endsWith("_FAILED") ? { done: true } : {}),
    ...(failed ? { failed: true } : {}),
    ...(url === undefined ? {} : { url })
  }
}

/** The time in the id of an event; undefined for anything else. */
export const timeIn = (id: string | null): number | undefined => {
  const time = /^(\d+)\//.exec(id ?? "")?.[1]
  return time === undefined ? undefined : Number(time)
}
