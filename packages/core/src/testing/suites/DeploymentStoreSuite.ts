/**
 * The contract of every deployment store, as tests. Authors of an adapter run this suite on it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { Environment, Execution } from "../../domain/index.ts"
import { DeploymentStore, LeaseStore } from "../../spi/index.ts"
import {
  begun,
  correlationId,
  ids,
  initialized,
  legalHistory,
  moved,
  place,
  requested,
  step,
  written
} from "./storeHistories.ts"
import * as Concurrency from "./DeploymentStoreSuiteConcurrency.ts"
import * as Queries from "./DeploymentStoreSuiteQueries.ts"
import { acquire, another, type Both, eventually, other, type Stores } from "./storeSuiteStores.ts"

/**
 * The options of the suite besides the layer.
 *
 * *Details*: `another` opens the same database again, as another process does; without it, both are the same. `probe`
 * reads the database independently: the ids of the events of a stream in order. `timeoutMillis` bounds each test
 * (default 120,000).
 */
export interface DeploymentStoreSuiteOptions {
  readonly another?: Layer.Layer<DeploymentStore | LeaseStore, unknown>
  readonly probe?: (stream: string) => Effect.Effect<ReadonlyArray<string>, unknown>
  readonly timeoutMillis?: number
}

/**
 * Declares the suite: call it at the top of a test file. The layer is built once, for both stores over one database; the
 * tests run on the real clock.
 *
 * *Example*
 *
 * ```ts
 * DeploymentStoreSuite.suite("sqlite", embeddedStore({ directory }), { another: embeddedStore({ directory }) })
 * ```
 */
export const suite = (
  name: string,
  layer: Layer.Layer<DeploymentStore | LeaseStore, unknown>,
  options: DeploymentStoreSuiteOptions = {}
): void => {
  describe(`${name} keeps the DeploymentStore port`, () => {
    it.layer(Layer.merge(layer, other(options.another)), { excludeTestServices: true })((it) => {
      const check = (title: string, body: Effect.Effect<unknown, unknown, Stores | Scope.Scope>) =>
        it.effect(title, () => body, options.timeoutMillis ?? 120_000)
      for (const [title, body] of [...writing, ...Concurrency.tests, ...Queries.tests]) check(title, body)
      if (options.probe !== undefined) check("keeps in its database what it says it does", probed(options.probe))
    })
  })
}

const writing: ReadonlyArray<Both> = [
  [
    "gives back what was appended, numbered from 1 without gaps",
    Effect.gen(function* () {
      const store = yield* DeploymentStore
      const where = yield* place
      const stream = yield* correlationId
      const first = yield* store.append({ stream: where.deploymentId, expected: 0, events: [initialized(where)] })
      const events = [requested(where, stream, 2_000), moved("started", 2_001)]
      const second = yield* store.append({ stream, expected: 0, events })
      const third = yield* store.append({ stream, expected: 2, events: [step("a", 2_002)] })
      assert.deepStrictEqual(
        [...second, ...third].map(({ seq }) => seq),
        [1, 2, 3]
      )
      assert.deepStrictEqual(yield* written(stream), [...second, ...third])
      assert.deepStrictEqual(yield* written(where.deploymentId), first)
      assert.deepStrictEqual(
        second.map(({ event }) => event),
        events.map(({ event }) => event)
      )
      assert.deepStrictEqual(
        second.map(({ at }) => at),
        [2_000, 2_001]
      )
      assert.deepStrictEqual(
        [...first, ...second].map((event) => [event.deploymentId, event.environment]),
        [[where.deploymentId, null], ...second.map(() => [where.deploymentId, where.environment])]
      )
      const positions = [...first, ...second, ...third].map(({ position }) => position)
      assert.deepStrictEqual(
        positions,
        [...new Set(positions)].sort((left, right) => left - right)
      )
      assert.isAtLeast(yield* store.head, positions.at(-1)!)
    })
  ],
  [
    "leaves out events whose id the stream has already",
    Effect.gen(function* () {
      const { store, stream } = yield* begun
      const events = [step("a", 3_000), step("b", 3_000)]
      assert.deepStrictEqual(ids(yield* store.append({ stream, events })), ["a", "b"])
      assert.deepStrictEqual(yield* store.append({ stream, events }), [])
      const more = yield* store.append({ stream, events: [step("b", 4_000), step("c", 4_000), step("c", 4_001)] })
      assert.deepStrictEqual(
        more.map(({ at, id, seq }) => [id, seq, at]),
        [["c", 5, 4_000]]
      )
      assert.deepStrictEqual(ids(yield* written(stream)), ["requested", "started", "a", "b", "c"])
    })
  ],
  [
    "leaves out events that another process appended",
    Effect.gen(function* () {
      const { store, stream } = yield* begun
      yield* (yield* another).deployments.append({ stream, events: [step("a", 1)] })
      assert.deepStrictEqual(ids(yield* store.append({ stream, events: [step("a", 2), step("b", 2)] })), ["b"])
      assert.deepStrictEqual(ids(yield* written(stream)), ["requested", "started", "a", "b"])
    })
  ],
  [
    "refuses a stream that went on, and writes nothing",
    Effect.gen(function* () {
      const { store, stream, where } = yield* begun
      const again = yield* Effect.flip(store.append({ stream, expected: 0, events: [requested(where, stream, 9)] }))
      assert.deepInclude(again, { _tag: "SequenceConflict", stream, expected: 0, actual: 2 })
      for (const expected of [1, 3]) {
        const conflict = yield* Effect.flip(store.append({ stream, expected, events: [step("a", 3_000)] }))
        assert.deepInclude(conflict, { _tag: "SequenceConflict", stream, expected, actual: 2 })
      }
      assert.strictEqual((yield* written(stream)).length, 2)
    })
  ],
  [
    "refuses a write whose guard is lost, expired or was never held, and writes nothing",
    Effect.gen(function* () {
      const { store, stream } = yield* begun
      const leases = yield* LeaseStore
      const held = yield* acquire(stream, "a")
      const append = (guards: ReadonlyArray<typeof held>, id: string) =>
        store.append({ stream, guards, events: [step(id, 3_000)] })
      assert.deepStrictEqual(ids(yield* append([held], "a")), ["a"])
      const second = yield* acquire(`${stream}/2`, "a")
      assert.deepStrictEqual(ids(yield* append([held, second], "b")), ["b"])
      yield* leases.release(second)
      const lost = yield* Effect.flip(append([held, second], "c"))
      assert.deepInclude(lost, { _tag: "LeaseLost", key: second.key, fence: second.fence })
      assert.strictEqual((yield* Effect.flip(append([{ ...held, fence: held.fence + 1 }], "c")))._tag, "LeaseLost")
      assert.strictEqual((yield* Effect.flip(append([{ ...held, holder: "another" }], "c")))._tag, "LeaseLost")
      assert.strictEqual((yield* Effect.flip(append([{ ...held, key: `${stream}/3` }], "c")))._tag, "LeaseLost")
      const newer = yield* leases.acquire({
        key: stream,
        holder: "b",
        owner: "b",
        ttl: Duration.millis(40),
        evict: held.fence
      })
      assert.strictEqual((yield* Effect.flip(append([held], "c")))._tag, "LeaseLost")
      yield* eventually(Effect.flip(leases.check(newer)))
      assert.strictEqual((yield* Effect.flip(append([newer], "c")))._tag, "LeaseLost")
      assert.strictEqual(
        (yield* Effect.flip(store.append({ stream, guards: [newer], events: [moved("completed", 3_001)] })))._tag,
        "LeaseLost"
      )
      assert.deepStrictEqual(ids(yield* written(stream)), ["requested", "started", "a", "b"])
      assert.strictEqual((yield* store.execution(stream))?.status, "in_progress")
    })
  ],
  [
    "tells a writer that lost its lease so, whatever else is wrong with its write",
    Effect.gen(function* () {
      const { store, stream } = yield* begun
      const leases = yield* LeaseStore
      const held = yield* acquire(stream, "a")
      yield* leases.release(held)
      for (const append of [
        { expected: 7, events: [step("a", 1)] },
        { events: [moved("started", 1, "again")] },
        { events: [moved("started", 1)] },
        { events: [] }
      ]) {
        const error = yield* Effect.flip(store.append({ stream, guards: [held], ...append }))
        assert.strictEqual(error._tag, "LeaseLost")
      }
    })
  ],
  [
    "writes nothing where one event is illegal",
    Effect.gen(function* () {
      const { store, stream, where } = yield* begun
      const before = yield* store.environment(where.deploymentId, where.environment)
      const illegal = yield* Effect.flip(
        store.append({ stream, events: [step("a", 3_000), moved("completed", 3_000), moved("paused", 3_000)] })
      )
      assert.deepInclude(illegal, { _tag: "IllegalTransition", machine: "execution", from: "completed", on: "paused" })
      const environment = yield* Effect.flip(
        store.append({
          stream,
          events: [
            step("a", 3_000),
            { id: "moved", at: 3_000, event: { _tag: "DeploymentTransitioned", on: "destroy_completed" } }
          ]
        })
      )
      assert.deepInclude(environment, { _tag: "IllegalTransition", machine: "deployment" })
      assert.deepStrictEqual(ids(yield* written(stream)), ["requested", "started"])
      assert.strictEqual((yield* store.execution(stream))?.status, "in_progress")
      assert.deepStrictEqual(yield* store.environment(where.deploymentId, where.environment), before)
      assert.deepStrictEqual(ids(yield* store.append({ stream, events: [step("a", 3_001)] })), ["a"])
    })
  ],
  [
    "refuses streams that begin wrongly or are begun twice",
    Effect.gen(function* () {
      const { store, stream, where } = yield* begun
      const fresh = yield* correlationId
      const refused = (stream: string, event: Parameters<typeof store.append>[0]["events"][number]) =>
        Effect.map(Effect.flip(store.append({ stream, events: [event] })), (error) =>
          assert.strictEqual(error._tag, "IllegalTransition")
        )
      yield* refused(fresh, moved("started", 1))
      yield* refused(fresh, requested(where, stream, 1))
      yield* refused(fresh, initialized(where))
      yield* refused(stream, { ...requested(where, stream, 1), id: "requested again" })
      yield* store.append({ stream: where.deploymentId, events: [initialized(where)] })
      yield* refused(where.deploymentId, { ...initialized(where), id: "initialized again" })
      yield* refused(where.deploymentId, step("a", 1))
      assert.deepStrictEqual(yield* written(fresh), [])
      assert.strictEqual(yield* store.execution(fresh), undefined)
      assert.strictEqual((yield* written(where.deploymentId)).length, 1)
    })
  ],
  [
    "stores the states that its events fold to",
    Effect.gen(function* () {
      const store = yield* DeploymentStore
      for (let seed = 1; seed <= 12; seed++) {
        const where = yield* place
        const streams = [yield* correlationId, yield* correlationId]
        for (const stream of streams) {
          const known = yield* store.environment(where.deploymentId, where.environment)
          const history = yield* Effect.flatMap(Random.nextIntBetween(2, 60), (length) =>
            legalHistory(where, stream, length, known)
          ).pipe(Random.withSeed(`${seed} ${streams.indexOf(stream)}`))
          for (let from = 0; from < history.length;) {
            const size = yield* Random.nextIntBetween(1, 6)
            yield* store.append({ stream, events: history.slice(from, from + size) })
            from += size
          }
          let state: Execution.ExecutionState | undefined
          for (const { at, event } of yield* written(stream)) {
            state = Result.getOrThrow(Execution.evolve(state, at, event))
          }
          assert.deepStrictEqual(yield* store.execution(stream), state, `seed ${seed}`)
        }
        let environment: Environment.EnvironmentState | undefined
        for (const { at, event, stream } of yield* store.events({ deploymentId: where.deploymentId })) {
          environment = Result.getOrThrow(Environment.evolve(environment, at, stream, event))
        }
        assert.deepStrictEqual(
          yield* store.environment(where.deploymentId, where.environment),
          environment,
          `seed ${seed}`
        )
      }
    })
  ]
]

const probed = (probe: NonNullable<DeploymentStoreSuiteOptions["probe"]>) =>
  Effect.gen(function* () {
    const { store, stream } = yield* begun
    yield* store.append({ stream, events: [step("a", 3_000), step("a", 3_000), step("b", 3_000)] })
    yield* Effect.flip(store.append({ stream, expected: 1, events: [step("c", 3_000)] }))
    yield* Effect.flip(store.append({ stream, events: [step("d", 3_000), moved("started", 3_000, "again")] }))
    assert.deepStrictEqual([...(yield* probe(stream))], ["requested", "started", "a", "b"])
  })
