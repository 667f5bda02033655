/**
 * Progress that providers report of their stacks, as events of the log.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as EventId from "../../domain/EventId.ts"
import type { EventOf } from "../../domain/Event.ts"
import { type CauseInfo, causeInfo } from "../../domain/errors/index.ts"
import type { StackName, Timestamp } from "../../domain/Ids.ts"
import type { ExecutionState } from "../../domain/Execution.ts"
import type { Outputs } from "../../domain/Release.ts"
import type { Observation, Provider, StackRef } from "../../spi/Provider.ts"
import type { ProviderError } from "../../spi/ProviderError.ts"
import { Providers } from "../../spi/Providers.ts"
import { type MonitorState, signOf } from "./MonitorState.ts"
import { type DueEvent, progressReported, withoutPasswords } from "../log/index.ts"
import { stackRefOf } from "../../config/StackRefs.ts"

/** A stack that can be asked. */
export interface ProgressSource {
  readonly provider: Provider
  readonly ref: StackRef
}

/** The maximum number of events reported when a monitor first sees a stack in progress. */
const most = 50

/**
 * The stacks that this process can ask their providers about. Those with unresolved outputs in their properties are
 * left out.
 */
export const progressSourcesOf = (
  { spec, ...place }: Pick<EventOf<"ExecutionRequested">, "deploymentId" | "environment" | "spec">,
  outputs: ReadonlyMap<string, Outputs>
): Effect.Effect<ReadonlyArray<ProgressSource>, never, Providers> =>
  Effect.map(Providers, (providers) =>
    spec.stacks.flatMap((stack): ReadonlyArray<ProgressSource> => {
      const provider = providers.get(stack.provider)
      const { missing, ref } = stackRefOf(place, spec, stack, outputs)
      return !stack.enabled || provider === undefined || missing.length > 0 ? [] : [{ provider, ref }]
    })
  )

/** The stacks of an execution that can be asked now. */
export const progressSources = (
  request: EventOf<"ExecutionRequested">,
  state: ExecutionState
): Effect.Effect<ReadonlyArray<ProgressSource>, never, Providers> =>
  progressSourcesOf(
    request,
    new Map([...request.stacksBefore, ...state.stacks].map((stack) => [stack.name as string, stack.outputs]))
  )

const progress = (
  at: Timestamp,
  id: EventId.EventId,
  event: Omit<EventOf<"ProgressReported">, "_tag" | "source">
): DueEvent => ({
  id,
  at,
  event: {
    _tag: "ProgressReported",
    source: "monitor",
    ...event,
    ...(event.message === undefined ? {} : { message: withoutPasswords(event.message) })
  }
})

/**
 * The differences from the previous observation, as events whose ids follow from their content: two monitors that see
 * the same write it once.
 *
 * *Details*: a stack without an operation in progress has nothing to report at its first look.
 */
export const differences = (
  seen: ReadonlyMap<string, string>,
  before: Observation | undefined,
  now: Observation,
  stack: StackName,
  at: Timestamp
): ReadonlyArray<DueEvent> => {
  const known = (resource: string) => seen.get(`${stack}/${resource}`)
  const first = before === undefined && ![...seen.keys()].some((key) => key.startsWith(`${stack}/`))
  const { operation } = now
  if (first && operation === null && now.status !== "changing") return []
  const told = (cause: CauseInfo, resource: string, type: string, done?: boolean): DueEvent =>
    progress(at, EventId.seen(stack, resource, now.lastChangedAt ?? "", signOf(cause)), {
      stack,
      cause,
      resource,
      resourceType: type,
      ...(done === undefined ? {} : { done })
    })
  const said =
    operation === null ? undefined : causeInfo("operation_in_flight", {}, withoutPasswords(operation.description))
  const started =
    operation === null || said === undefined || known(operation.id) === signOf(said)
      ? []
      : [told(said, operation.id, "operation")]
  const gone = before?.operation
  const ended =
    gone == null || gone.id === operation?.id
      ? []
      : [told(causeInfo("operation_over", {}, withoutPasswords(gone.description)), gone.id, "operation", true)]
  const resources = now.resources.flatMap(({ id, reason, status, type }) => {
    const cause = causeInfo(
      "resource_status",
      { resource: id, status },
      reason === undefined ? undefined : withoutPasswords(reason)
    )
    const was = before?.resources.find((one) => one.id === id)
    const same = was === undefined ? known(id) === signOf(cause) : was.status === status && was.reason === reason
    return same ? [] : [told(cause, id, type)]
  })
  return [...started, ...resources.slice(0, most), ...ended]
}

/** Asks one stack, and returns what is new. Keeps the last observation, which is not stored. */
export const pollProgress = Effect.fnUntraced(function* (
  { provider, ref }: ProgressSource,
  state: MonitorState,
  before: Map<string, Observation>
): Effect.fn.Return<ReadonlyArray<DueEvent>, ProviderError> {
  const { events } = provider
  if (events !== undefined) {
    const from = state.execution?.startedAt ?? state.execution?.requestedAt ?? 0
    const found = yield* events.since(ref, state.cursors.get(ref.stack) ?? null, { from })
    const at = yield* Clock.currentTimeMillis
    return found.events
      .filter((event) => event.at >= from)
      .map((event) =>
        progress(at, EventId.providerEvent(ref.stack, event.id), {
          ...progressReported(ref.stack, event),
          cursor: event.id
        })
      )
  }
  const now = yield* provider.observe(ref)
  const at = yield* Clock.currentTimeMillis
  const found = differences(state.seen, before.get(ref.stack), now, ref.stack, at)
  before.set(ref.stack, now)
  return found
})
