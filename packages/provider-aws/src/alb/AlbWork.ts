/**
 * One service that a step works on, and what every step does first.
 */
import { type Mutation, type PollOptions, pollUntil, type ProviderReason, type StackRef } from "@signalbox/core/spi"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { AwsPlace, Failure } from "../client/index.ts"
import type { Requests } from "../cloudwatch/Requests.ts"
import { attachesBoth, strangersIn, weightsIn, withWeights } from "./Actions.ts"
import { groupPage } from "../client/console.ts"
import { stackIn, stackKey } from "../client/stackTag.ts"
import type { AlbProperties } from "./AlbProperties.ts"
import { type AlbCalls, isOwn, operationOf, see, type SeenService } from "./SeenService.ts"
import { sameWeights, showState, showWeights, type State, stateKey, stepOf, type Weights } from "./State.ts"

export interface AlbWork extends AlbCalls {
  readonly ref: StackRef
  readonly place: AwsPlace
  readonly properties: AlbProperties
  readonly mutation: Mutation
  readonly poll: PollOptions
  readonly requests: Requests
}

export const fail = (reason: ProviderReason) => Effect.fail(reason)

export const conflict = (message: string) => fail({ _tag: "Conflict", message })

/** Fails if the listener or rule belongs to another stack. */
export const ownedBy = (ref: StackRef, { forwarder, stack }: SeenService): Effect.Effect<void, ProviderReason> =>
  stack === null || stack === stackIn(ref)
    ? Effect.void
    : fail({
        _tag: "Invalid",
        message: `${forwarder} belongs to stack ${stack}`,
        path: [forwarder.includes(":listener-rule/") ? "rule" : "listener"],
        hint: `Name another one, or remove its tag ${stackKey} if that stack is gone.`
      })

/** Looks at the service before it is changed: fails if it belongs to another stack, or if others are changing it. */
export const begin = (work: AlbWork): Effect.Effect<SeenService, Failure> =>
  Effect.gen(function* () {
    yield* work.mutation.guard
    const seen = yield* see(work, work.properties)
    yield* ownedBy(work.ref, seen)
    const operation = operationOf(seen)
    if (operation === null || !operation.foreign) return seen
    const side = [seen.sides.blue, seen.sides.green].find((one) => one.refresh !== undefined && !isOwn(one))!
    const url = groupPage(side.group.arn, side.group.name, "instanceRefresh")
    return yield* fail({
      _tag: "Busy",
      message: `someone else refreshes the instances of ${side.group.name}`,
      operation: operation.description,
      ...(operation.startedAt === null ? {} : { since: operation.startedAt }),
      ...(url === undefined ? {} : { url })
    })
  })

/**
 * Fails if the weights are none that Signalbox has set, or that were there when its plan was made: someone else has
 * changed them since, and may have had a reason. The weights before the last change are in place if it was cut off: for a
 * repeat of its step, and for one that goes back.
 */
export const unchanged = (
  { mutation, properties }: AlbWork,
  { actions, state, weights }: SeenService,
  { back = false, planned = null }: { readonly back?: boolean; readonly planned?: Weights | null } = {}
): Effect.Effect<void, ProviderReason> => {
  const [stranger] = strangersIn(actions, properties)
  if (stranger !== undefined) {
    return fail({
      _tag: "Changed",
      message: "a target group was added to the listener or rule",
      field: "target groups",
      was: "blue and green",
      is: `also ${stranger}`
    })
  }
  const cutOff = state !== null && (back || state.step === stepOf(mutation))
  const known = [state?.to, cutOff ? state.from : undefined, planned].flatMap((one) => one ?? [])
  if (known.length === 0 || known.some((one) => sameWeights(one, weights))) return Effect.void
  return fail({
    _tag: "Changed",
    message: "someone else changed the weights",
    field: "weights",
    was: showWeights(known[0]!),
    is: showWeights(weights),
    hint: "Deploy again to start from the weights as they are, or correct the drift to restore them."
  })
}

/** Records what is true from now on, if that is new. Without other weights, it stays known when they last changed. */
export const record = (
  work: AlbWork,
  seen: SeenService,
  { to = seen.weights, ...facts }: Pick<State, "capacity" | "minimum" | "stable"> & { readonly to?: Weights }
): Effect.Effect<State, Failure> =>
  Effect.gen(function* () {
    const before = seen.state
    const moved = before === null || !sameWeights(before.to, to)
    const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
    const state: State = {
      ...facts,
      to,
      from: moved ? seen.weights : before.from,
      step: moved ? stepOf(work.mutation) : before.step,
      since: moved ? now : before.since
    }
    const same = before !== null && showState(before) === showState(state) && seen.stack === stackIn(work.ref)
    if (!same) {
      const tags = { [stackKey]: stackIn(work.ref), [stateKey]: showState(state) }
      yield* work.calls.tag(seen.forwarder, tags, work.mutation)
    }
    return state
  })

/** Sets the weights, unless they are so already, and waits until they read back. */
export const weigh = (
  work: AlbWork,
  seen: SeenService,
  facts: Pick<State, "capacity" | "minimum" | "stable">,
  to: Weights
): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { calls, mutation, properties } = work
    const { forwarder } = seen
    yield* record(work, seen, { ...facts, to })
    if (sameWeights(seen.weights, to) && attachesBoth(seen.actions, properties)) return
    // Read again: what others changed in the meantime is sent along, and not undone.
    const actions = yield* calls.actions(forwarder)
    const before = weightsIn(actions, properties)
    if (!sameWeights(before, seen.weights) && !sameWeights(before, to)) return yield* unchangedSince(seen, before)
    yield* calls.setActions(forwarder, withWeights(actions, properties, to), mutation)
    yield* pollUntil(
      Effect.flatMap(calls.actions(forwarder), (now): Effect.Effect<true | undefined, ProviderReason> => {
        const weights = weightsIn(now, properties)
        if (sameWeights(weights, to) && attachesBoth(now, properties)) return Effect.succeed(true)
        // An old answer is asked for again.
        return sameWeights(weights, before) ? Effect.undefined : unchangedSince({ weights: to }, weights)
      }),
      work.poll
    )
  })

const unchangedSince = ({ weights }: Pick<SeenService, "weights">, is: Weights) =>
  fail({
    _tag: "Changed",
    message: "someone else changed the weights at this moment",
    field: "weights",
    was: showWeights(weights),
    is: showWeights(is)
  })
