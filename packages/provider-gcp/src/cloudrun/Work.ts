/**
 * One service that a step works on: what it is changed to, and how the change is followed to its end.
 */
import { type Mutation, type PollOptions, pollUntil, type ProviderReason, type StackRef } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Failure, Place } from "../client/index.ts"
import type { Calls } from "./Calls.ts"
import { consolePage, failureOf } from "./Cause.ts"
import { stackIn, stepOf } from "../marks.ts"
import type { Properties } from "./Properties.ts"
import { type ServiceState, stateOf, withState } from "./Record.ts"
import type { JsonObject, RunService, Target } from "./RunService.ts"
import { see, type Seen } from "./Seen.ts"
import { sameTraffic } from "./Split.ts"

export interface Work {
  readonly ref: StackRef
  readonly calls: Calls
  readonly place: Place
  readonly name: string
  readonly properties: Properties
  readonly mutation: Mutation
  readonly poll: PollOptions
  /** What a revision wrote last. */
  readonly lastLines: (revision: string) => Effect.Effect<ReadonlyArray<string>>
  /** What to know about the account that it runs as; fails if that may not be used. */
  readonly actAs: (account: string | undefined) => Effect.Effect<ReadonlyArray<string>, ProviderReason>
}

/** What a service is to become. Without a template, its newest revision stays what it is. */
export interface Goal {
  readonly traffic: ReadonlyArray<Target>
  readonly stable: string | null
  readonly template?: JsonObject
}

export const fail = (reason: ProviderReason) => Effect.fail(reason)

export const conflict = (message: string) => fail({ _tag: "Conflict", message })

/** Why nothing may be changed beside the operation of others. */
const busy = ({ name, place }: Work, { generation, changedAt }: RunService): ProviderReason => ({
  _tag: "Busy",
  message: `someone else is changing ${name}`,
  operation: `generation ${generation} of ${name} is being brought in`,
  ...(changedAt === null ? {} : { since: changedAt }),
  url: consolePage(place, name)
})

/**
 * Looks at the service before it is changed: fails if a newer holder of the lease has been here, if it belongs to another
 * stack, or if others are changing it.
 */
export const begin = (work: Work): Effect.Effect<Seen | null, Failure> =>
  Effect.gen(function* () {
    const { calls, mutation, name, properties, ref } = work
    yield* mutation.guard
    const seen = yield* see(calls, name, properties.tag)
    if (seen === null) return null
    const { foreign, service, state } = seen
    if (state !== null && state.fence > mutation.fence) {
      const message = `${name} was changed under lease ${state.fence} already`
      return yield* fail({ _tag: "Fenced", message, fence: state.fence })
    }
    yield* ownedBy(ref, name, seen)
    if (foreign && !service.deleting) return yield* fail(busy(work, service))
    return seen
  })

/** Fails if the service belongs to another stack. */
export const ownedBy = (ref: StackRef, name: string, { state }: Seen): Effect.Effect<void, ProviderReason> =>
  state === null || state.stack === stackIn(ref)
    ? Effect.void
    : fail({ _tag: "Invalid", message: `${name} belongs to stack ${state.stack}`, path: ["service"] })

/** Whether a service is, or is becoming, what it is to be. */
const isBecoming = ({ service, state }: Seen, { stable, template, traffic }: Goal): boolean =>
  template === undefined &&
  state?.generation === service.generation &&
  state.stable === stable &&
  sameTraffic(service.traffic, traffic)

/** Asks for a change, unless it was asked for already; the repeat of a step then only waits. */
export const change = (work: Work, seen: Seen, goal: Goal): Effect.Effect<void, Failure> => {
  if (isBecoming(seen, goal)) return Effect.void
  const { service } = seen
  const { invokerIamDisabled } = visibility(work)
  const state = stateFor(work, goal, service.generation + 1)
  const asked = work.calls.update(service, work.mutation, {
    ...contents(goal),
    annotations: withState(service.annotations, state),
    ...(goal.template === undefined || invokerIamDisabled === undefined ? {} : { invokerIamDisabled })
  })
  return begun(work, state, asked)
}

/** Asks for a new service. */
export const create = (work: Work, goal: Goal): Effect.Effect<void, Failure> => {
  const state = stateFor(work, goal, 1)
  const asked = work.calls.create(work.name, work.mutation, {
    ...contents(goal),
    annotations: withState({}, state),
    ...visibility(work)
  })
  return begun(work, state, asked)
}

/** Keeps the name of the operation. If the answer was lost, a look at the service tells whether the call had its effect. */
const begun = (
  { calls, mutation, name }: Work,
  state: ServiceState,
  asked: Effect.Effect<string, Failure>
): Effect.Effect<void, Failure> =>
  Effect.flatMap(asked, mutation.handle.set).pipe(
    Effect.catch((failure): Effect.Effect<void, Failure> => {
      if (failure._tag !== "Unavailable") return Effect.fail(failure)
      return Effect.flatMap(calls.service(name), (service): Effect.Effect<void, Failure> =>
        service !== null && isSame(stateOf(service), state) ? Effect.void : Effect.fail(failure)
      )
    })
  )

const isSame = (found: ServiceState | null, { fence, generation, step }: ServiceState): boolean =>
  found !== null && found.generation === generation && found.step === step && found.fence === fence

const contents = ({ template, traffic }: Goal) => ({
  traffic,
  ...(template === undefined ? {} : { template })
})

const visibility = ({ properties }: Work): { readonly invokerIamDisabled?: boolean } =>
  properties.public === undefined ? {} : { invokerIamDisabled: properties.public }

const stateFor = ({ mutation, ref }: Work, { stable }: Goal, generation: number) => ({
  stack: stackIn(ref),
  stable,
  generation,
  step: stepOf(mutation.idempotencyKey),
  fence: mutation.fence
})

/** Waits until the service is at rest, whether it became what was asked for or not; null if it is gone. */
export const atRest = ({ calls, name, poll }: Work): Effect.Effect<RunService | null, ProviderReason> =>
  pollUntil(
    Effect.map(calls.service(name), (service) =>
      service !== null && (service.reconciling || service.deleting) ? undefined : { service }
    ),
    poll
  ).pipe(Effect.map(({ service }) => service))

/** Waits until the effective traffic is what was asked for; fails if it does not become so. */
export const routed = (work: Work, traffic: ReadonlyArray<Target>): Effect.Effect<RunService, ProviderReason> =>
  Effect.gen(function* () {
    const service = yield* atRest(work)
    if (service === null) return yield* fail({ _tag: "Conflict", message: `${work.name} was deleted meanwhile` })
    if (!sameTraffic(service.traffic, traffic)) {
      return yield* fail({ _tag: "Conflict", message: `the traffic of ${work.name} was changed meanwhile` })
    }
    if (sameTraffic(service.effective, traffic)) return service
    const why = failureOf(service) ?? "its effective traffic is another"
    return yield* fail({
      _tag: "Unexpected",
      message: `${work.name} does not divide its traffic as asked: ${why}`,
      hint: `Look at the service: ${consolePage(work.place, work.name)}`
    })
  })
