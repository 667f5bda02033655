/**
 * One stack that a step works on, and its operations: found again by their token, and followed to their end.
 */
import type { Stack, StackEvent } from "@aws-sdk/client-cloudformation"
import { type Mutation, type ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Calls, Failure } from "./Calls.ts"
import { eventsPage } from "./Console.ts"
import type { Deployable, Input } from "./Deployable.ts"
import { EventReader } from "./events/EventReader.ts"
import type { Properties } from "./Properties.ts"
import type { Poller } from "./Poller.ts"
import type { Secrets } from "./Secrets.ts"
import { changedAt, inProgress } from "./Seen.ts"
import type { ServiceEvents } from "./events/ServiceEvents.ts"
import { firstFailure, hasEnded, operationsOf, providerEvent, type StackOperation } from "./events/StackEvents.ts"
import { hasSucceeded, isAtRest, meaningOf } from "./StackStatus.ts"
import { type Begun, begunBy, handleOf } from "./Token.ts"

/** `tokens` is how the tokens of this stack begin, `token` the one of this step. */
export interface Work {
  readonly calls: Calls
  readonly name: string
  readonly properties: Properties
  readonly mutation: Mutation
  readonly tokens: string
  readonly token: string
  readonly poller: Poller
  readonly services: ServiceEvents
  readonly secrets: Secrets
  /** What a call says to bring a stack to something, with its template at a place where CloudFormation can read it. */
  readonly submit: (deployable: Deployable, stack: Stack | null) => Effect.Effect<Input, Failure>
}

/** An operation that has ended, and its first failure. */
export interface Ended {
  readonly status: string
  readonly failure: StackEvent | undefined
}

export const busy = (
  stack: Stack,
  { startedAt }: { readonly startedAt: number }
): Extract<ProviderReason, { readonly _tag: "Busy" }> => {
  const url = eventsPage(stack.StackId!)
  return {
    _tag: "Busy",
    message: `${stack.StackName} is in ${stack.StackStatus}`,
    operation: stack.StackStatus!,
    since: startedAt,
    ...(url === undefined ? {} : { url })
  }
}

/** Only a person can tell what to do about the stack. */
export const stuck = (name: string, status: string, hint: string | undefined): ProviderReason => ({
  _tag: "Invalid",
  message: `${name} is in ${status}`,
  path: [],
  ...(hint === undefined ? {} : { hint })
})

/** Reads what the operation of a token has done, if it has arrived. */
const findOperation = (
  { calls }: Work,
  stackId: string,
  { since, token }: Begun
): Effect.Effect<StackOperation | undefined, ProviderReason> =>
  Effect.map(calls.events(stackId, since), (events) =>
    operationsOf(events).findLast((operation) => operation.token === token)
  )

/** The failure that made a nested stack fail, however deep it is. */
const innermost = (
  calls: Calls,
  failure: StackEvent | undefined,
  since: number
): Effect.Effect<StackEvent | undefined, ProviderReason> =>
  Effect.gen(function* () {
    if (failure?.ResourceType !== "AWS::CloudFormation::Stack") return failure
    const stackId = yield* calls.nested(failure)
    if (stackId === undefined) return failure
    const inside = firstFailure(yield* calls.events(stackId, since))
    return inside === undefined ? failure : yield* innermost(calls, inside, since)
  }).pipe(
    // The outer failure is better than none.
    Effect.catch(() => Effect.succeed(failure))
  )

/** Waits for the end of the operation that has begun with a token, and reports its events. */
const follow = (
  { calls, mutation, poller, services }: Work,
  stackId: string,
  { since, token }: Begun
): Effect.Effect<Ended, ProviderReason> => {
  const reader = new EventReader(calls, stackId, since)
  return poller.until(
    Effect.gen(function* () {
      const fresh = yield* reader.fresh
      for (const event of fresh) yield* mutation.progress(providerEvent(event))
      for (const event of yield* services.after(fresh)) yield* mutation.progress(event)
      const operation = operationsOf(reader.all).findLast((one) => one.token === token)
      if (operation === undefined || !hasEnded(operation)) return undefined
      const { events, startedAt, status } = operation
      return { status, failure: yield* innermost(calls, firstFailure(events), startedAt) }
    })
  )
}

/** Waits until no operation is in progress. */
export const atRest = ({ calls, poller }: Work, stackId: string): Effect.Effect<Stack | null, ProviderReason> =>
  poller
    .until(
      Effect.map(calls.stack(stackId), (stack) =>
        stack === null ? { stack } : isAtRest(stack.StackStatus ?? "") ? { stack } : undefined
      )
    )
    .pipe(Effect.map(({ stack }) => (meaningOf(stack?.StackStatus ?? "").class === "none" ? null : stack)))

/** Waits for operations of this stack that Signalbox has begun; one of others is `Busy`. */
export const settled = (work: Work): Effect.Effect<Stack | null, ProviderReason> =>
  Effect.gen(function* () {
    const stack = yield* work.calls.existing(work.name)
    if (stack === null || isAtRest(stack.StackStatus ?? "")) return stack
    const operation = yield* inProgress(work.calls, stack)
    const own = operation?.token.startsWith(work.tokens) === true
    if (operation !== null && !own && meaningOf(stack.StackStatus!).class !== "cleaning") {
      return yield* Effect.fail(busy(stack, operation))
    }
    return yield* atRest(work, stack.StackId!)
  })

/**
 * Begins an operation, or finds out that it has begun already, and waits for its end.
 *
 * *Details*: the handle is set before the call. What refuses a repeat (`AlreadyExists`, "no updates", "in progress") is
 * only believed after the events of the stack were read: the operation may be this one. `null`: there was nothing to do.
 */
export const operate = (
  work: Work,
  stack: Stack | null,
  call: string,
  begin: (stackId: string | null) => Effect.Effect<void, Failure>
): Effect.Effect<Ended | null, Failure> =>
  Effect.gen(function* () {
    const { mutation, name, token } = work
    const begun: Begun = { token, since: stack === null ? 0 : changedAt(stack), stackId: stack?.StackId ?? null }
    yield* mutation.handle.set(handleOf(begun))
    const refused = yield* begin(begun.stackId).pipe(
      Effect.as(undefined),
      Effect.catch((failure: Failure) =>
        failure._tag === "Conflict" || failure._tag === "Busy" || failure._tag === "Invalid"
          ? Effect.succeed(failure)
          : Effect.fail(failure)
      )
    )
    const stackId = begun.stackId ?? (yield* work.calls.stack(name))?.StackId
    if (refused !== undefined) {
      const found = stackId === undefined ? undefined : yield* findOperation(work, stackId, begun)
      if (found === undefined) {
        if (refused._tag === "Invalid" && refused.message.startsWith("No updates are to be performed")) return null
        return yield* Effect.fail(refused)
      }
    }
    if (stackId === undefined) {
      const message = `${call} was accepted, but ${name} cannot be seen yet`
      return yield* Effect.fail<ProviderReason>({ _tag: "Unavailable", message })
    }
    return yield* ended(work, stackId, begun)
  })

const ended = (work: Work, stackId: string, begun: Begun): Effect.Effect<Ended, ProviderReason> =>
  Effect.gen(function* () {
    const end = yield* follow(work, stackId, begun)
    yield* atRest(work, stackId)
    return end
  })

/** What an earlier call of this step has begun, at its end; undefined if nothing arrived. */
export const resumed = (work: Work): Effect.Effect<Ended | undefined, ProviderReason> =>
  Effect.gen(function* () {
    const begun = begunBy(yield* work.mutation.handle.get)
    if (begun === null) return undefined
    const stackId = begun.stackId ?? (yield* work.calls.stack(work.name))?.StackId
    if (stackId === undefined || (yield* findOperation(work, stackId, begun)) === undefined) return undefined
    const end = yield* ended(work, stackId, begun)
    // What this step did first, to make way.
    return begun.token === work.token ? end : undefined
  })

/** Fails if an operation has not done what it was to do. */
export const succeeded = ({ name }: Work, { failure, status }: Ended): Effect.Effect<void, ProviderReason> => {
  if (hasSucceeded(status)) return Effect.void
  const url = failure?.StackId === undefined ? undefined : eventsPage(failure.StackId)
  return Effect.fail({
    _tag: "Broken",
    // Core shows the first failure that was reported before it.
    message: `${name} ended with ${status}`,
    ...(failure?.LogicalResourceId === undefined ? {} : { resource: failure.LogicalResourceId }),
    ...(url === undefined ? {} : { hint: `Look at the events: ${url}` })
  })
}
