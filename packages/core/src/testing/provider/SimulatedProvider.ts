/**
 * A provider without a cloud: it keeps everything in memory, takes its time from the `Clock` and fails when a script
 * says so. It is the reference of the Provider port, and the provider in tests of engines and strategies.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Mutation, Observation, ProviderError, StackRef } from "../../spi/index.ts"
import { SimulatedCloud } from "./SimulatedCloud.ts"
import type { SimulatedProvider } from "./SimulatedControls.ts"
import type { SimulatedMetrics } from "./SimulatedMetrics.ts"
import type { Applied } from "./SimulatedOperations.ts"
import { declared, type Mutate, type PlanExtras, portOf, type SimulatedCapabilities } from "./SimulatedPort.ts"
import { observation, settle } from "./SimulatedState.ts"

export type { Fault, LedgerEntry, SimulatedOperation, SimulatedProvider } from "./SimulatedControls.ts"
export type { SimulatedMetrics } from "./SimulatedMetrics.ts"
export type { SimulatedCapabilities } from "./SimulatedPort.ts"
export type { Script } from "./SimulatedState.ts"

/**
 * The properties of the simulated cloud.
 *
 * *Details*: `kind` default `simulated`. All capability groups are on by default (`traffic` is `percent`), except
 * `events`, `fence` and `canGoBack`; `instances` (2) is the full capacity of a release,
 * `healthUnit` (`instance`) what its health counts, `endpoints` (false) whether each release has an address,
 * `requestsPerSecond` (50) the load on each
 * stack, `metrics` how they are measured, `latency` (0) how long each operation takes beside script delays. With `handles`
 * (off), the platform knows no idempotency keys: it finds what was begun only by the name of the operation.
 */
export interface SimulatedOptions {
  readonly kind?: string
  readonly capabilities?: SimulatedCapabilities
  readonly instances?: number
  readonly healthUnit?: "instance" | "release"
  readonly endpoints?: boolean
  readonly requestsPerSecond?: number
  readonly metrics?: SimulatedMetrics
  readonly latencyMillis?: number
  readonly handles?: boolean
  /** What every plan says beside the changes. */
  readonly plan?: PlanExtras
}

const percent = { traffic: "percent", capacity: true, metrics: true, drift: true, restart: true } as const

/**
 * The capabilities of three very different clouds: the shapes that every strategy has to fit.
 */
export const shapes = {
  /** Slow, transactional, without traffic control: like CloudFormation. */
  transactional: { traffic: "none", capacity: false, metrics: false, drift: true, restart: false },
  /** Revisions that share traffic by percent: like Cloud Run. */
  revisions: { traffic: "percent", capacity: true, metrics: true, drift: true, restart: true },
  /** Uploaded versions, one of them live: like Firebase Hosting. */
  hosting: { traffic: "switch", capacity: false, metrics: false, drift: false, restart: false }
} as const satisfies Record<string, SimulatedCapabilities>

/**
 * Creates a simulated provider. Synchronous, so that a test can keep it beside its layers.
 *
 * *Example*
 *
 * ```ts
 * const cloud = SimulatedProvider.make()
 * cloud.script("api", "3.0.0", { errorRate: 0.2 })
 * cloud.fail({ operation: "shift", stack: "api", reason: { _tag: "Throttled", message: "slow down", retryAfterMs: 10 } })
 * const layer = Providers.layer([cloud.provider])
 * ```
 */
export const make = (options: SimulatedOptions = {}): SimulatedProvider => {
  const { endpoints, healthUnit, instances, latencyMillis, metrics, plan, requestsPerSecond } = options
  const kind = options.kind ?? "simulated"
  const { capabilities, groups } = declared({ ...percent, ...options.capabilities })
  const cloud = new SimulatedCloud({ kind, capabilities, instances, healthUnit, endpoints, latencyMillis })
  const { world } = cloud
  let named = 0

  /** The name of the operation: the handle, which is set before anything begins. */
  const nameOf = Effect.fnUntraced(function* ({ handle }: Mutation, now: number) {
    const known = yield* handle.get
    if (known !== null) return known
    const name = `operation-${now}-${++named}`
    yield* handle.set(name)
    return name
  })

  /**
   * Guard, faults, fence, busy; then `apply` (atomic: an interruption comes before or after it), its duration, and
   * `finish`.
   */
  const mutate: Mutate = (operation, ref, mutation, { apply, finish = () => undefined, releaseId }) =>
    Effect.gen(function* () {
      yield* mutation.guard
      const fault = yield* cloud.enter(operation, ref)
      if (fault !== undefined && fault.after !== true) return yield* cloud.failure(operation, ref, fault.reason)
      const { cell, now } = yield* cloud.settled(ref)
      const refused = cloud.admit(operation, ref, cell, mutation)
      if (refused !== undefined) return yield* refused
      const name = options.handles === true ? yield* nameOf(mutation, now) : mutation.idempotencyKey
      if (!cell.done.has(name)) {
        const applied: Applied =
          cell.applied?.key === name ? { changed: false, until: cell.applied.until } : apply(cell, now)
        if (applied.reason !== undefined) return yield* cloud.failure(operation, ref, applied.reason)
        if (applied.changed) {
          cell.applied = { key: name, until: applied.until }
          cell.lastChangedAt = now
          cloud.record(operation, ref, mutation, { at: now, releaseId })
          yield* mutation.progress(cloud.event(ref, now, releaseId, { message: `${operation} began` }))
        }
        if (applied.until > now) {
          cell.operation = {
            id: name,
            description: operation,
            foreign: false,
            startedAt: now,
            until: applied.until
          }
          // A timer may fire a little before the time.
          while ((yield* Clock.currentTimeMillis) < applied.until) {
            yield* Effect.sleep(Math.max(1, applied.until - (yield* Clock.currentTimeMillis)))
          }
        }
        const after = yield* Clock.currentTimeMillis
        settle(world, cell, after)
        const reason = finish(cell, after)
        if (reason !== undefined) {
          cell.applied = null
          yield* mutation.progress(
            cloud.event(ref, after, releaseId, { message: `${operation} failed: ${reason.message}`, failed: true })
          )
          return yield* cloud.failure(operation, ref, reason)
        }
        cell.done.add(name)
        yield* mutation.progress(cloud.event(ref, after, releaseId, { message: `${operation} is done`, done: true }))
      }
      if (fault !== undefined) return yield* cloud.failure(operation, ref, fault.reason)
      return yield* seen(ref)
    })

  const seen = (ref: StackRef): Effect.Effect<Observation, ProviderError> =>
    Effect.map(cloud.settled(ref), ({ cell, now }) => observation(world, cell, now, cloud.outputs(ref)))

  const observe = (ref: StackRef) =>
    cloud.read("observe", ref, (cell, now) => observation(world, cell, now, cloud.outputs(ref)))

  return cloud.controls(portOf(cloud, { groups, mutate, observe, metrics, plan, requestsPerSecond }))
}
