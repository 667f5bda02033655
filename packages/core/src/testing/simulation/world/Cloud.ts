/**
 * Providers as one simulated process sees them. An adapter runs outside the process, and enters it for the guard: a
 * call that passed its guard is on its way, whatever happens to the process.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { StackName } from "../../../domain/Ids.ts"
import type { Mutation, Observation, Provider, StackRef } from "../../../spi/Provider.ts"
import { ProviderError, type ProviderReason } from "../../../spi/ProviderError.ts"
import type { SimulatedOperation } from "../../provider/SimulatedProvider.ts"
import type { Cloud, Effects } from "../invariants/Effects.ts"
import type { Network } from "./Network.ts"
import type { Process, World } from "./World.ts"

/** Stands for all stacks of a place. */
const whole = StackName.make("all")

/** The provider over the network. `cloud` is the view besides the provider, if there is one. */
export const connect = (
  world: World,
  network: Network,
  effects: Effects,
  outside: Process,
  process: Process,
  provider: Provider,
  cloud: Cloud | undefined
): Provider => {
  const failure = (operation: string, ref: StackRef, reason: ProviderReason) =>
    new ProviderError({ provider: provider.kind, operation, stackName: ref.stack, reason })
  const unanswered: ProviderReason = { _tag: "Unavailable", message: "the connection was cut" }

  const arrived = (ref: StackRef, answer: unknown) => {
    const observation = answer as Partial<Observation> | null | undefined
    if (observation?.traffic !== undefined && observation.health !== undefined) {
      effects.observed(process, ref, observation as Observation)
    }
  }

  const answering =
    <A>(ref: StackRef, resume: (exit: Exit.Exit<A, ProviderError>) => void) =>
    (millis: number, exit: Exit.Exit<A, ProviderError>) =>
      world.after(millis, process, () => {
        if (Exit.isSuccess(exit)) arrived(ref, exit.value)
        resume(exit)
      })

  const read = <A>(
    operation: SimulatedOperation,
    ref: StackRef,
    effect: Effect.Effect<A, ProviderError>
  ): Effect.Effect<A, ProviderError> =>
    Effect.callback<A, ProviderError>((resume) => {
      const passage = network.toProvider(process)
      const answer = answering(ref, resume)
      if ("_tag" in passage) return void answer(5, Exit.fail(failure(operation, ref, passage)))
      const asked = () =>
        world.fork(outside, effect, (exit) =>
          passage.lost ? answer(200, Exit.fail(failure(operation, ref, unanswered))) : answer(passage.back, exit)
        )
      world.after(passage.out, undefined, asked)
    })

  const mutate = <A>(
    operation: SimulatedOperation,
    ref: StackRef,
    mutation: Mutation,
    run: (mutation: Mutation) => Effect.Effect<A, ProviderError>,
    retire?: { readonly keep: string; readonly capacityPercent: number }
  ): Effect.Effect<A, ProviderError> =>
    Effect.callback<A, ProviderError>((resume) => {
      const passage = network.toProvider(process)
      const answer = answering(ref, resume)
      if ("_tag" in passage) return void answer(5, Exit.fail(failure(operation, ref, passage)))

      /** Delivers pending calls at once; undefined while there are none. */
      let deliver: (() => void) | undefined
      const guard = Effect.callback<void, ProviderError>((pass) => {
        const asking = world.fork(process, mutation.guard, (exit) => {
          if (Exit.isFailure(exit)) return pass(exit)
          effects.sent(process, operation, ref, mutation, retire)
          const arrive = () => {
            deliver = undefined
            pass(Effect.void)
          }
          const late = world.after(passage.out, undefined, arrive)
          deliver = () => {
            late()
            arrive()
          }
        })
        return Effect.sync(asking.interrupt)
      })
      // The log is the process's: nothing is written once the caller has gone.
      let gone = false
      const written = <A>(effect: Effect.Effect<A>): Effect.Effect<A> =>
        Effect.callback<A>((resume) => {
          if (gone) return undefined
          return Effect.sync(world.fork(process, effect, resume).interrupt)
        })
      const handle: Mutation["handle"] = {
        get: written(mutation.handle.get),
        set: (name) => written(mutation.handle.set(name))
      }
      const progress: Mutation["progress"] = (event) =>
        Effect.sync(() => void world.fork(process, mutation.progress(event)))

      const since = world.now
      const again = () =>
        world.fork(outside, run({ ...mutation, handle, guard: Effect.void, progress: () => Effect.void }))
      const adapter = world.fork(outside, run({ ...mutation, handle, guard, progress }), (exit) => {
        if (Exit.isFailure(exit)) effects.failed(mutation.idempotencyKey, since)
        else if (passage.twice) world.after(network.again(), undefined, again)
        if (cloud !== undefined) effects.inspect(ref, cloud, process)
        if (passage.lost) answer(200, Exit.fail(failure(operation, ref, unanswered)))
        else answer(passage.back, exit)
      })
      // A caller that stops waiting has already sent its request. One connection keeps the order: it arrives now, or
      // never.
      return Effect.sync(() => {
        gone = true
        if (deliver === undefined || !network.arrives()) adapter.interrupt()
        else deliver()
      })
    })

  const { canGoBack, drift, fence, metrics, restart, traffic } = provider
  return {
    kind: provider.kind,
    capabilities: provider.capabilities,
    properties: provider.properties,
    plan: (ref, candidate, mutation) => read("plan", ref, provider.plan(ref, candidate, mutation)),
    observe: (ref) => read("observe", ref, provider.observe(ref)),
    stage: (ref, options, mutation) =>
      mutate("stage", ref, mutation, (mutation) => provider.stage(ref, options, mutation)),
    rollback: (ref, checkpoint, mutation) =>
      mutate("rollback", ref, mutation, (mutation) => provider.rollback(ref, checkpoint, mutation)),
    destroy: (ref, mutation) => mutate("destroy", ref, mutation, (mutation) => provider.destroy(ref, mutation)),
    ...(traffic === undefined
      ? {}
      : {
          traffic: {
            shift: (ref, options, mutation) =>
              mutate("shift", ref, mutation, (mutation) => traffic.shift(ref, options, mutation)),
            retire: (ref, options, mutation) =>
              mutate("retire", ref, mutation, (mutation) => traffic.retire(ref, options, mutation), options)
          }
        }),
    ...(metrics === undefined
      ? {}
      : { metrics: { ...metrics, measure: (ref, options) => read("measure", ref, metrics.measure(ref, options)) } }),
    ...(drift === undefined
      ? {}
      : {
          drift: {
            detect: (ref) => read("detect", ref, drift.detect(ref)),
            correct: (ref, fields, mutation) =>
              mutate("correct", ref, mutation, (mutation) => drift.correct(ref, fields, mutation))
          }
        }),
    ...(fence === undefined
      ? {}
      : { fence: (place, token) => read("fence", { ...place, stack: whole, properties: null }, fence(place, token)) }),
    ...(canGoBack === undefined
      ? {}
      : { canGoBack: (ref, checkpoint) => read("canGoBack", ref, canGoBack(ref, checkpoint)) }),
    ...(restart === undefined
      ? {}
      : { restart: (ref, mutation) => mutate("restart", ref, mutation, (mutation) => restart(ref, mutation)) })
  }
}
