/** Writers that meet in a deployment store, as tests; part of `DeploymentStoreSuite`. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { StoredEvent } from "../../domain/index.ts"
import { DeploymentStore, LeaseStore } from "../../spi/index.ts"
import { begun, correlationId, ids, moved, place, requested, step, written } from "./storeHistories.ts"
import { acquire, another, type Both, eventually } from "./storeSuiteStores.ts"

export const tests: ReadonlyArray<Both> = [
  [
    "numbers the events of concurrent writers without gaps and loses none",
    Effect.gen(function* () {
      const { store, stream } = yield* begun
      const two = (yield* another).deployments
      yield* Effect.forEach(
        Array.from({ length: 8 }, (_, writer) => writer),
        (writer) =>
          Effect.forEach(
            Array.from({ length: 12 }, (_, n) => n),
            (n) => (writer % 2 === 0 ? store : two).append({ stream, events: [step(`${writer}.${n}`, 3_000)] })
          ),
        { concurrency: "unbounded" }
      )
      const events = yield* written(stream)
      assert.deepStrictEqual(
        events.map(({ seq }) => seq),
        events.map((_, index) => index + 1)
      )
      assert.strictEqual(new Set(ids(events)).size, 2 + 8 * 12)
      const positions = events.map(({ position }) => position)
      assert.deepStrictEqual(
        positions,
        [...positions].sort((left, right) => left - right)
      )
      for (let writer = 0; writer < 8; writer++) {
        const own = ids(events).filter((id) => id.startsWith(`${writer}.`))
        assert.deepStrictEqual(
          own,
          Array.from({ length: 12 }, (_, n) => `${writer}.${n}`)
        )
      }
    })
  ],
  [
    "judges each of many writes by itself that come at once",
    Effect.gen(function* () {
      const leases = yield* LeaseStore
      const runs = yield* Effect.replicateEffect(begun, 12)
      const writes = yield* Effect.forEach(runs, ({ store, stream }, n) =>
        Effect.gen(function* () {
          const lease = yield* acquire(stream, "a")
          if (n % 3 === 1) yield* leases.release(lease)
          const on = n % 3 === 2 ? "resumed" : "paused"
          return store.append({ stream, guards: [lease], events: [step("a", 3_000), moved(on, 3_000)] })
        })
      )
      const results = yield* Effect.forEach(writes, (write) => Effect.result(write), { concurrency: "unbounded" })
      const outcomes = results.map((result) => (Result.isSuccess(result) ? result.success.length : result.failure._tag))
      assert.deepStrictEqual(
        outcomes,
        runs.map((_, n) => [2, "LeaseLost", "IllegalTransition"][n % 3])
      )
      for (const [n, { store, stream }] of runs.entries()) {
        assert.strictEqual((yield* written(stream)).length, n % 3 === 0 ? 4 : 2)
        assert.strictEqual((yield* store.execution(stream))?.status, n % 3 === 0 ? "paused" : "in_progress")
      }
    })
  ],
  [
    "lets one of those win who expect the same sequence number",
    Effect.gen(function* () {
      const { store, stream } = yield* begun
      const two = (yield* another).deployments
      const results = yield* Effect.forEach(
        Array.from({ length: 8 }, (_, writer) => writer),
        (writer) =>
          Effect.result(
            (writer % 2 === 0 ? store : two).append({ stream, expected: 2, events: [step(`${writer}`, 3_000)] })
          ),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(results.filter(Result.isSuccess).length, 1)
      for (const result of results) {
        if (Result.isFailure(result)) assert.strictEqual(result.failure._tag, "SequenceConflict")
      }
      assert.strictEqual((yield* written(stream)).length, 3)
    })
  ],
  [
    "loses no change of an environment that two executions change at once",
    Effect.gen(function* () {
      const first = yield* begun
      const { store, where } = first
      const two = (yield* another).deployments
      const second = yield* correlationId
      yield* store.append({ stream: second, events: [requested(where, second, 2_100), moved("started", 2_101)] })
      const change = (writer: typeof store, stream: string, stack: "network" | "api") =>
        Effect.forEach(
          Array.from({ length: 10 }, (_, n) => n),
          (n) =>
            writer.append({
              stream,
              events: [
                {
                  id: `${n}`,
                  at: 3_000 + n,
                  event: { _tag: "OutputsRecorded", stack: stack as never, outputs: { [`${stack}`]: n } }
                }
              ]
            })
        )
      yield* Effect.all([change(store, first.stream, "network"), change(two, second, "api")], {
        concurrency: "unbounded"
      })
      const environment = yield* store.environment(where.deploymentId, where.environment)
      assert.deepStrictEqual(
        environment?.stacks.slice(0, 2).map(({ outputs }) => outputs),
        [{ network: 9 }, { api: 9 }]
      )
    })
  ],
  [
    "hides no event from a reader that continues from the last position, with 8 writers",
    Effect.gen(function* () {
      const store = yield* DeploymentStore
      const two = (yield* another).deployments
      const where = yield* place
      const start = yield* store.head
      const streams = yield* Effect.replicateEffect(correlationId, 8)
      const total = 8 * 16
      const seen: Array<StoredEvent> = []
      const reader = yield* Effect.forkChild(
        Effect.gen(function* () {
          let after = start
          while (seen.length < total) {
            const page = yield* two.events({ deploymentId: where.deploymentId, after, limit: 7 })
            seen.push(...page)
            after = page.at(-1)?.position ?? after
            yield* Effect.sleep(1)
          }
        })
      )
      yield* Effect.forEach(
        streams,
        (stream, index) =>
          Effect.gen(function* () {
            const writer = index % 2 === 0 ? store : two
            yield* writer.append({ stream, events: [requested(where, stream, 2_000 + index)] })
            for (let n = 1; n < 16; n++) yield* writer.append({ stream, events: [step(`${n}`, 3_000)] })
          }),
        { concurrency: "unbounded" }
      )
      yield* Effect.timeout(Fiber.join(reader), "15 seconds")
      assert.strictEqual(new Set(seen.map(({ id, stream }) => `${stream} ${id}`)).size, total)
      for (const stream of streams) {
        const seqs = seen.filter((event) => event.stream === stream).map(({ seq }) => seq)
        assert.deepStrictEqual(
          seqs,
          Array.from({ length: 16 }, (_, n) => n + 1)
        )
      }
    })
  ],
  [
    "pulses when this process or another appended",
    Effect.gen(function* () {
      const { store, stream } = yield* begun
      const two = (yield* another).deployments
      let pulses = 0
      yield* Effect.forkScoped(Stream.runForEach(store.changes, () => Effect.sync(() => pulses++)))
      yield* eventually(Effect.suspend(() => (pulses > 0 ? Effect.void : Effect.fail("no pulse yet"))))
      for (const [index, writer] of [store, two, store, two].entries()) {
        const before = pulses
        yield* writer.append({ stream, events: [step(`p${index}`, 3_000)] })
        yield* eventually(Effect.suspend(() => (pulses > before ? Effect.void : Effect.fail("no pulse"))))
      }
    })
  ]
]
