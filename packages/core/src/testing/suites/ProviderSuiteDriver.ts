/**
 * The vocabulary of `ProviderSuite`'s checks: a provider, its probe, and helpers for both.
 */
import { assert } from "@effect/vitest"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type {
  AlarmState,
  Candidate,
  Mutation,
  Observation,
  Provider,
  ProviderEvent,
  Release,
  StackPlan,
  StackRef
} from "../../spi/index.ts"
import { ProviderError } from "../../spi/index.ts"
import { testMutation } from "../provider/testMutation.ts"

/**
 * Looks at the platform without the provider, so that an adapter cannot confirm itself.
 *
 * *Details*: `traffic` is the share in percent of each version that answers (within `tolerance`, default 1 percent
 * point); `capacity` counts the instances of each version, without versions that have none. `effects` counts how often
 * the effect of one idempotency key occurred, if the platform reports it; `instances` names what runs (processes, pods), for
 * a provider that restarts.
 */
export interface ProviderProbe {
  readonly traffic: Effect.Effect<Readonly<Record<string, number>>>
  readonly capacity: Effect.Effect<Readonly<Record<string, number>>>
  readonly effects?: (idempotencyKey: string) => Effect.Effect<number>
  readonly instances?: Effect.Effect<ReadonlyArray<string>>
  readonly tolerance?: number
}

/**
 * A provider under test with everything that the suite needs to know of it. Created for each test.
 *
 * *Details*: `ref` names a stack that does not exist yet. There are four candidates: `v1` and `v2` start, `broken` does
 * not, and `slow` takes at least half a second to start. `classify` lists platform failures to provoke, with the reason
 * that the adapter must report for each. `another` makes an adapter of the same platform that remembers nothing, as
 * another process has: each command is one. `change` gives the artifact of a candidate other content, which the probe
 * must not report as that candidate's version. `tamper` changes a field behind the provider, for one that finds drift:
 * one of at least two `fields`, by the names that it reports. `forget` takes a release that is not live away from the
 * platform, for one with `canGoBack`. `live` brings `v1` live without the provider, for one that declares `adopts`.
 * `alarm` brings an alarm of the platform into a state and returns its name, for one with alarms. `write` makes an
 * instance of the stable release, always the same one, write a line, for one with logs. `clock` is the one of its metrics,
 * for a platform whose clock can be turned forward instead of waiting.
 */
export interface ProviderHarness {
  readonly provider: Provider
  readonly ref: StackRef
  readonly candidates: {
    readonly v1: Candidate
    readonly v2: Candidate
    readonly broken: Candidate
    readonly slow: Candidate
  }
  readonly probe: ProviderProbe
  readonly another: Effect.Effect<Provider>
  readonly change?: (candidate: Which) => Effect.Effect<void>
  readonly tamper?: { readonly fields: ReadonlyArray<string>; readonly change: (field: string) => Effect.Effect<void> }
  readonly forget?: (release: Release) => Effect.Effect<void>
  readonly live?: Effect.Effect<void>
  readonly alarm?: (state: AlarmState) => Effect.Effect<string>
  readonly write?: (text: string) => Effect.Effect<void>
  readonly clock?: Clock.Clock
}

export type Which = keyof ProviderHarness["candidates"]

export interface Truth {
  readonly traffic: Readonly<Record<string, number>>
  readonly capacity: Readonly<Record<string, number>>
}

export const reasonOf = (error: unknown): string =>
  error instanceof ProviderError ? error.reason._tag : `no ProviderError: ${String(error)}`

/** Retries until it holds, for at most 10 seconds. */
export const eventually = (
  condition: Effect.Effect<boolean, ProviderError>,
  what: string
): Effect.Effect<void, ProviderError> =>
  Effect.gen(function* () {
    for (let attempt = 0; attempt < 500; attempt++) {
      if (yield* condition) return
      yield* Effect.sleep(20)
    }
    assert.fail(`waited in vain until ${what}`)
  })

export class Driver {
  readonly harness: ProviderHarness
  readonly nothing: Truth = { traffic: {}, capacity: {} }
  /** By idempotency key, as the log keeps them by step. */
  readonly handles = new Map<string, string | null>()
  /** The progress that was reported. */
  readonly told: Array<ProviderEvent> = []
  #keys = 0

  constructor(harness: ProviderHarness) {
    this.harness = harness
  }

  get provider(): Provider {
    return this.harness.provider
  }

  get ref() {
    return this.harness.ref
  }

  get candidates() {
    return this.harness.candidates
  }

  /** The lease is lost. */
  get lost(): ProviderError {
    return new ProviderError({
      provider: this.provider.kind,
      operation: "guard",
      stackName: this.ref.stack,
      reason: { _tag: "Fenced", message: "the lease is lost", fence: 2 }
    })
  }

  get observe(): Effect.Effect<Observation, ProviderError> {
    return this.provider.observe(this.ref)
  }

  get truth(): Effect.Effect<Truth> {
    return Effect.all({ traffic: this.harness.probe.traffic, capacity: this.harness.probe.capacity })
  }

  /** Exactly once, if the platform reports it: no effect at all would mean that the key got lost. */
  tookEffectOnce(key: string): Effect.Effect<void> {
    const { effects } = this.harness.probe
    return effects === undefined
      ? Effect.void
      : Effect.map(effects(key), (count) => assert.strictEqual(count, 1, `effects of ${key}`))
  }

  mutation(
    options: { readonly key?: string; readonly fence?: number; readonly guard?: Mutation["guard"] } = {}
  ): Mutation {
    const { key = `suite-${++this.#keys}`, ...given } = options
    const progress: Mutation["progress"] = (event) => Effect.sync(() => void this.told.push(event))
    return testMutation(key, { progress, ...given, handles: this.handles })
  }

  /** One of each mutation. */
  mutations(plan: StackPlan, options: { readonly fence?: number; readonly guard?: Mutation["guard"] }) {
    const { provider, ref } = this
    const mutation = () => this.mutation(options)
    const releaseId = plan.candidate.id
    return [
      provider.stage(ref, { plan, capacityPercent: 100 }, mutation()),
      provider.rollback(ref, plan.checkpoint, mutation()),
      provider.destroy(ref, mutation()),
      ...(provider.traffic === undefined
        ? []
        : [
            provider.traffic.shift(ref, { releaseId, percent: 100 }, mutation()),
            provider.traffic.retire(ref, { keep: releaseId, capacityPercent: 0 }, mutation())
          ]),
      ...(provider.drift === undefined ? [] : [provider.drift.correct(ref, ["traffic"], mutation())]),
      ...(provider.restart === undefined ? [] : [provider.restart(ref, mutation())])
    ]
  }

  plan(which: Which): Effect.Effect<StackPlan, ProviderError> {
    return this.provider.plan(this.ref, this.candidates[which])
  }

  stage(which: Which, options: { readonly fence?: number; readonly capacityPercent?: number } = {}) {
    return Effect.flatMap(this.plan(which), (plan) =>
      Effect.map(
        this.provider.stage(
          this.ref,
          { plan, capacityPercent: options.capacityPercent ?? 100 },
          this.mutation(options)
        ),
        (seen) => ({ plan, seen })
      )
    )
  }

  /** Brings a candidate in and makes it the stable release. */
  deploy(which: Which): Effect.Effect<Release, ProviderError> {
    return Effect.gen({ self: this }, function* () {
      const { plan } = yield* this.stage(which)
      const traffic = this.provider.traffic
      if (traffic !== undefined) {
        yield* traffic.shift(this.ref, { releaseId: plan.candidate.id, percent: 100 }, this.mutation())
        yield* traffic.retire(this.ref, { keep: plan.candidate.id, capacityPercent: 0 }, this.mutation())
      }
      return plan.candidate
    })
  }

  /** The probe sees exactly these shares. */
  serves(shares: Partial<Record<Which, number>>): Effect.Effect<void> {
    return Effect.map(this.harness.probe.traffic, (traffic) => {
      const tolerance = this.harness.probe.tolerance ?? 1
      const wanted = new Map(
        Object.entries(shares).map(([which, share]) => [this.candidates[which as Which].version, share])
      )
      for (const version of new Set([...wanted.keys(), ...Object.keys(traffic)])) {
        assert.closeTo(traffic[version] ?? 0, wanted.get(version) ?? 0, tolerance, `share of ${version}`)
      }
    })
  }

  /** Only this release exists, for the provider and for the probe. */
  isStable(which: Which, release: Release) {
    return Effect.gen({ self: this }, function* () {
      const seen = yield* this.observe
      assert.strictEqual(seen.stable?.id, release.id)
      assert.strictEqual(seen.candidate, null)
      assert.deepStrictEqual(
        seen.traffic.filter(({ percent }) => percent > 0),
        [{ releaseId: release.id, percent: 100 }]
      )
      yield* this.serves({ [which]: 100 })
      assert.deepStrictEqual(Object.keys((yield* this.truth).capacity), [this.candidates[which].version])
    })
  }

  /** Waits until there are signs of that release. */
  underWay(releaseId: string) {
    return eventually(
      Effect.map(this.observe, ({ candidate, health }) => candidate?.id === releaseId || releaseId in health),
      `${releaseId} is being brought in`
    )
  }

  /** Calls, and interrupts the call once it is in progress. */
  cut<A>(call: Effect.Effect<A, ProviderError>, releaseId: string) {
    return Effect.gen({ self: this }, function* () {
      const fiber = yield* Effect.forkChild(call)
      yield* this.underWay(releaseId)
      yield* Fiber.interrupt(fiber)
    })
  }
}
