/** Shared by the store suites: two openings of one database, bounded waiting. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { DeploymentStore, LeaseStore } from "../../spi/index.ts"

/** The same database, opened a second time. */
export class Another extends Context.Service<Another, Context.Context<DeploymentStore | LeaseStore> | undefined>()(
  "@signalbox/core/testing/suites/storeSuiteStores/Another"
) {}

export type Stores = DeploymentStore | LeaseStore | Another

/** A test: its title, and its body. */
export type Both = readonly [title: string, body: Effect.Effect<unknown, unknown, Stores | Scope.Scope>]

export const other = (
  layer: Layer.Layer<DeploymentStore | LeaseStore, unknown> | undefined
): Layer.Layer<Another, unknown> =>
  layer === undefined ? Layer.succeed(Another, undefined) : Layer.effect(Another, Layer.build(Layer.fresh(layer)))

/** The second opening, or the first if there is no other. */
export const another = Effect.gen(function* () {
  const own = yield* Effect.context<DeploymentStore | LeaseStore>()
  const context = (yield* Another) ?? own
  return {
    context,
    deployments: Context.get(context, DeploymentStore),
    leases: Context.get(context, LeaseStore)
  }
})

/** A lease for a minute. */
export const acquire = (key: string, holder: string) =>
  Effect.flatMap(LeaseStore, (leases) =>
    leases.acquire({ key, holder, owner: `process of ${holder}`, ttl: Duration.minutes(1) })
  )

/** Retries until it succeeds, at most 5 seconds. */
export const eventually = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.retry(effect, Schedule.upTo(Schedule.spaced("10 millis"), { duration: "5 seconds" }))
