/**
 * A provider of a plug-in, as the engine uses it.
 */
import type { Abort } from "./Abort.ts"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { StackPlan } from "../domain/Release.ts"
import {
  Drift,
  type Mutation,
  Observation,
  type Provider,
  ProviderEvent,
  type StackRef,
  WayBack
} from "../spi/Provider.ts"
import { AlarmState } from "../domain/Verdict.ts"
import { LogPage } from "../spi/Logs.ts"
import { Measurement } from "../spi/MetricSource.ts"
import { ProviderError, ProviderReason } from "../spi/ProviderError.ts"
import { native } from "./native.ts"
import type { PlainCall, PlainMutation, PlainProvider } from "./PlainProvider.ts"
import type { OptionalGroup, PluginContext, PluginProvider } from "./Plugin.ts"

/** How long an interrupted call may take to settle. */
const patience = Duration.seconds(5)

const isReason = Schema.is(ProviderReason)

/** The reason of an error that a promise was rejected with. */
export const reasonOf = (error: unknown): ProviderReason => {
  const { message, reason } = (typeof error === "object" && error !== null ? error : {}) as {
    readonly message?: unknown
    readonly reason?: unknown
  }
  if (isReason(reason)) return reason
  return {
    _tag: "Unexpected",
    message: (typeof message === "string" ? message : String(error)).split("\n")[0] ?? ""
  }
}

/** Runs a promise to its end. If interrupted, it aborts it and waits a while for it to settle. */
export const settled = <A, E>(
  start: (signal: Abort) => Promise<A>,
  failed: (error: unknown) => E
): Effect.Effect<A, E> =>
  Effect.callback((resume, signal) => {
    const promise = (async () => start(signal))()
    const done = promise.then(
      (value) => resume(Effect.succeed(value)),
      (error) => resume(Effect.fail(failed(error)))
    )
    return Effect.promise(() => done).pipe(Effect.timeoutOption(patience), Effect.asVoid)
  })

const traceparent = Effect.map(Effect.option(Effect.currentSpan), (span) =>
  Option.isNone(span)
    ? {}
    : { traceparent: `00-${span.value.traceId}-${span.value.spanId}-${span.value.sampled ? "01" : "00"}` }
)

/** What a mutation looks like from the other side. Its effects run in the context of the call. */
const plainMutation = (mutation: Mutation, context: Context.Context<never>): PlainMutation => {
  const run = async <A>(effect: Effect.Effect<A, ProviderError>): Promise<A> => {
    const exit = await Effect.runPromiseExitWith(context)(effect)
    if (Exit.isSuccess(exit)) return exit.value
    throw Option.getOrElse(Exit.findErrorOption(exit), () => new Error("interrupted"))
  }
  return {
    idempotencyKey: mutation.idempotencyKey,
    fence: mutation.fence,
    guard: () => run(mutation.guard),
    progress: (event) => run(mutation.progress(event)),
    handle: { get: () => run(mutation.handle.get), set: (handle) => run(mutation.handle.set(handle)) },
    leaseLeftMs: () => run(Effect.map(mutation.leaseLeft, Duration.toMillis))
  }
}

interface Named {
  readonly operation: string
  readonly ref: Pick<StackRef, "stack"> | undefined
}

/**
 * Adapts it.
 *
 * *Details*: the plug-in's module is loaded at the first operation; one that fails to load is tried again by the next.
 * Answers are checked: a wrong one is `Unexpected` and names the field.
 */
export const fromPlugin = (kind: string, plugin: PluginProvider, context: PluginContext): Provider => {
  const own = native(plugin)
  if (own !== undefined) return own(context)

  const failure =
    ({ operation, ref }: Named) =>
    (error: unknown) =>
      new ProviderError({ provider: kind, operation, stackName: ref?.stack ?? "-", reason: reasonOf(error) })

  let loading: Promise<PlainProvider> | undefined
  const loaded = (named: Named): Effect.Effect<PlainProvider, ProviderError> =>
    Effect.tryPromise({
      try: () =>
        (loading ??= Promise.resolve(plugin.load(context)).catch((error) => {
          loading = undefined
          throw error
        })),
      catch: failure(named)
    })

  const call = <A>(
    named: Named,
    answer: Schema.ConstraintDecoder<A> | undefined,
    start: (provider: PlainProvider, call: PlainCall, context: Context.Context<never>) => Promise<unknown> | undefined
  ): Effect.Effect<A, ProviderError> =>
    Effect.gen(function* () {
      const provider = yield* loaded(named)
      const span = yield* traceparent
      const services = yield* Effect.context<never>()
      const value = yield* settled((signal) => {
        const promise = start(provider, { signal, ...span }, services)
        if (promise !== undefined) return promise
        const reason = {
          _tag: "Unsupported",
          message: `${kind} has no ${named.operation}`,
          capability: named.operation
        }
        return Promise.reject({ reason })
      }, failure(named))
      if (answer === undefined) return undefined as A
      return yield* Effect.mapError(Schema.decodeUnknownEffect(answer)(value), (error) =>
        failure(named)(
          new Error(`${kind} gave a wrong answer to ${named.operation}: ${error.message.replaceAll(/\s*\n\s*/g, " ")}`)
        )
      )
    })

  const observing = (
    operation: string,
    ref: StackRef,
    start: (provider: PlainProvider, call: PlainCall & { readonly ref: StackRef }) => Promise<unknown> | undefined
  ) => call({ operation, ref }, Observation, (provider, plain) => start(provider, { ...plain, ref }))

  const mutating = (
    operation: string,
    ref: StackRef,
    mutation: Mutation,
    start: (
      provider: PlainProvider,
      call: PlainCall & { readonly ref: StackRef; readonly mutation: PlainMutation }
    ) => Promise<unknown> | undefined
  ) =>
    call({ operation, ref }, Observation, (provider, plain, services) =>
      start(provider, { ...plain, ref, mutation: plainMutation(mutation, services) })
    )

  const groups: { readonly [Group in OptionalGroup]: Provider[Group] } = {
    traffic: {
      shift: (ref, options, mutation) =>
        mutating("shift", ref, mutation, (provider, plain) => provider.traffic?.shift({ ...plain, ...options })),
      retire: (ref, options, mutation) =>
        mutating("retire", ref, mutation, (provider, plain) => provider.traffic?.retire({ ...plain, ...options }))
    },
    metrics: {
      resolution: Duration.millis(plugin.metrics?.resolutionMs ?? 0),
      lag: Duration.millis(plugin.metrics?.lagMs ?? 0),
      ...(plugin.metrics?.samples === undefined ? {} : { samples: plugin.metrics.samples }),
      ...(plugin.metrics?.latency === undefined ? {} : { latency: plugin.metrics.latency }),
      measure: (ref, options) =>
        call({ operation: "measure", ref }, Measurement, (provider, plain) =>
          provider.metrics?.measure({ ...plain, ref, ...options })
        )
    },
    drift: {
      detect: (ref) =>
        call({ operation: "detect", ref }, Schema.Array(Drift), (provider, plain) =>
          provider.drift?.detect({ ...plain, ref })
        ),
      correct: (ref, fields, mutation) =>
        mutating("correct", ref, mutation, (provider, plain) => provider.drift?.correct({ ...plain, fields }))
    },
    restart: (ref, mutation) => mutating("restart", ref, mutation, (provider, plain) => provider.restart?.(plain)),
    events: {
      since: (ref, cursor, { from }) =>
        call({ operation: "events", ref }, Events, (provider, plain) =>
          provider.events?.since({ ...plain, ref, cursor, from })
        )
    },
    alarms: {
      states: (ref, names) =>
        call({ operation: "alarms", ref }, Schema.Record(Schema.String, AlarmState), (provider, plain) =>
          provider.alarms?.states({ ...plain, ref, names })
        )
    },
    logs: {
      read: (ref, options) =>
        call({ operation: "logs", ref }, LogPage, (provider, plain) =>
          provider.logs?.read({ ...plain, ref, ...options })
        )
    },
    canGoBack: (ref, checkpoint) =>
      call({ operation: "canGoBack", ref }, WayBack, (provider, plain) =>
        provider.canGoBack?.({ ...plain, ref, checkpoint })
      ),
    fence: (place, fence) =>
      call<void>({ operation: "fence", ref: undefined }, undefined, (provider, plain) =>
        provider.fence?.({ ...plain, place, fence })
      )
  }

  return {
    kind,
    capabilities: plugin.capabilities,
    properties: Schema.Unknown,
    checkProperties: plugin.checkProperties ?? (() => []),
    ...(plugin.exclusive === undefined ? {} : { exclusive: plugin.exclusive }),
    plan: (ref, candidate, mutation) =>
      call({ operation: "plan", ref }, StackPlan, (provider, plain, services) =>
        provider.plan({
          ...plain,
          ref,
          candidate,
          ...(mutation === undefined ? {} : { mutation: plainMutation(mutation, services) })
        })
      ),
    stage: (ref, options, mutation) =>
      mutating("stage", ref, mutation, (provider, plain) => provider.stage({ ...plain, ...options })),
    observe: (ref) => observing("observe", ref, (provider, plain) => provider.observe(plain)),
    rollback: (ref, checkpoint, mutation) =>
      mutating("rollback", ref, mutation, (provider, plain) => provider.rollback({ ...plain, checkpoint })),
    destroy: (ref, mutation) =>
      call<void>({ operation: "destroy", ref }, undefined, (provider, plain, services) =>
        provider.destroy({ ...plain, ref, mutation: plainMutation(mutation, services) })
      ),
    ...Object.fromEntries((plugin.groups ?? []).map((group) => [group, groups[group]]))
  }
}

const Events = Schema.Struct({ events: Schema.Array(ProviderEvent), cursor: Schema.NullOr(Schema.String) })
