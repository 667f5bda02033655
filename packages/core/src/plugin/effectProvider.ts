/**
 * A provider that is written with Effect, as a plug-in brings it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Cause from "effect/Cause"
import * as Tracer from "effect/Tracer"
import { issuesOf } from "../config/PropertiesCheck.ts"
import type { Mutation, Provider } from "../spi/Provider.ts"
import { ProviderError } from "../spi/ProviderError.ts"
import { parseTraceparent } from "../telemetry/index.ts"
import { reasonOf, settled } from "./fromPlugin.ts"
import { marked } from "./native.ts"
import type { PlainCall, PlainMutation, PlainProvider } from "./PlainProvider.ts"
import { optionalGroups, type PluginContext, type PluginProvider } from "./Plugin.ts"

/** Runs an effect for the other side: its errors as data, its interruption by the signal. */
const run = async <A>(effect: Effect.Effect<A, ProviderError>, { signal, traceparent }: PlainCall): Promise<A> => {
  const span = parseTraceparent(traceparent)
  const inTrace =
    span === undefined ? effect : Effect.withParentSpan(effect, Tracer.externalSpan({ ...span, sampled: true }))
  const exit = await Effect.runPromiseExit(inTrace, { signal })
  if (Exit.isSuccess(exit)) return exit.value
  throw Cause.squash(exit.cause)
}

const mutationOf = (
  provider: string,
  operation: string,
  stackName: string,
  { fence, guard, handle, idempotencyKey, leaseLeftMs, progress }: PlainMutation
): Mutation => ({
  idempotencyKey,
  fence,
  guard: settled(guard, (error) => new ProviderError({ provider, operation, stackName, reason: reasonOf(error) })),
  progress: (event) => Effect.promise(() => progress(event)),
  handle: {
    get: Effect.promise(() => handle.get()),
    set: (value) => Effect.promise(() => handle.set(value))
  },
  leaseLeft: Effect.map(Effect.promise(leaseLeftMs), Duration.millis)
})

/** The provider without Effect. */
export const toPlain = (provider: Provider): PlainProvider => {
  const { kind } = provider
  type Mutating = PlainCall & { readonly ref: { readonly stack: string }; readonly mutation: PlainMutation }
  const mutate = <C extends Mutating, A>(
    operation: string,
    use: (call: C, mutation: Mutation) => Effect.Effect<A, ProviderError>
  ) => {
    return (call: C): Promise<A> => run(use(call, mutationOf(kind, operation, call.ref.stack, call.mutation)), call)
  }
  const { alarms, canGoBack, drift, events, fence, logs, metrics, restart, traffic } = provider
  return {
    plan: (call) =>
      run(
        provider.plan(
          call.ref,
          call.candidate,
          call.mutation === undefined ? undefined : mutationOf(kind, "plan", call.ref.stack, call.mutation)
        ),
        call
      ),
    observe: (call) => run(provider.observe(call.ref), call),
    stage: mutate("stage", ({ capacityPercent, plan, ref }, mutation) =>
      provider.stage(ref, { plan, capacityPercent }, mutation)
    ),
    rollback: mutate("rollback", ({ checkpoint, ref }, mutation) => provider.rollback(ref, checkpoint, mutation)),
    destroy: mutate("destroy", ({ ref }, mutation) => provider.destroy(ref, mutation)),
    ...(traffic === undefined
      ? {}
      : {
          traffic: {
            shift: mutate("shift", ({ percent, ref, releaseId }, mutation) =>
              traffic.shift(ref, { releaseId, percent }, mutation)
            ),
            retire: mutate("retire", ({ capacityPercent, keep, ref }, mutation) =>
              traffic.retire(ref, { keep, capacityPercent }, mutation)
            )
          }
        }),
    ...(metrics === undefined
      ? {}
      : {
          metrics: {
            measure: (call) => run(metrics.measure(call.ref, call), call)
          }
        }),
    ...(drift === undefined
      ? {}
      : {
          drift: {
            detect: (call) => run(drift.detect(call.ref), call),
            correct: mutate("correct", ({ fields, ref }, mutation) => drift.correct(ref, fields, mutation))
          }
        }),
    ...(restart === undefined ? {} : { restart: mutate("restart", ({ ref }, mutation) => restart(ref, mutation)) }),
    ...(events === undefined
      ? {}
      : { events: { since: (call) => run(events.since(call.ref, call.cursor, { from: call.from }), call) } }),
    ...(alarms === undefined ? {} : { alarms: { states: (call) => run(alarms.states(call.ref, call.names), call) } }),
    ...(logs === undefined ? {} : { logs: { read: (call) => run(logs.read(call.ref, call), call) } }),
    ...(canGoBack === undefined ? {} : { canGoBack: (call) => run(canGoBack(call.ref, call.checkpoint), call) }),
    ...(fence === undefined ? {} : { fence: (call) => run(fence(call.place, call.fence), call) })
  }
}

/**
 * A provider that is written with Effect, for `providers` of a plug-in.
 *
 * *Details*: `make` is called once for each folder, and once without one to learn its capabilities, groups and
 * properties: it must not do anything yet. A provider whose module is heavy imports it inside its operations.
 *
 * *Example*
 *
 * ```ts
 * const plugin: Plugin = {
 *   name: "@acme/signalbox-site",
 *   spiVersion: 1,
 *   providers: { site: effectProvider(({ directory }) => SiteProvider.make({ directory })) }
 * }
 * ```
 */
export const effectProvider = (make: (context: PluginContext) => Provider): PluginProvider => {
  const sample = make({ directory: ".", stateDirectory: ".signalbox" })
  return marked(
    {
      capabilities: sample.capabilities,
      groups: optionalGroups.filter((group) => sample[group] !== undefined),
      checkProperties: (properties) => issuesOf(sample, properties),
      ...(sample.metrics === undefined
        ? {}
        : {
            metrics: {
              resolutionMs: Duration.toMillis(sample.metrics.resolution),
              lagMs: Duration.toMillis(sample.metrics.lag),
              ...(sample.metrics.samples === undefined ? {} : { samples: sample.metrics.samples }),
              ...(sample.metrics.latency === undefined ? {} : { latency: sample.metrics.latency })
            }
          }),
      ...(sample.exclusive === undefined ? {} : { exclusive: sample.exclusive }),
      load: (context) => toPlain(make(context))
    },
    make
  )
}
