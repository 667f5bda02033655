/**
 * The contract of every outbox, as tests. Authors of a store run this suite on it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { CorrelationId } from "../../domain/Ids.ts"
import { DeploymentStore, type DeliveryState, type LeaseStore } from "../../spi/index.ts"
import { sampleMessage } from "../notifier/sampleMessages.ts"
import { correlationId, moved, place, requested } from "./storeHistories.ts"
import { acquire, another, type Both, other, type Stores } from "./storeSuiteStores.ts"

/** The options of the suite besides the layer; see `DeploymentStoreSuite`. */
export interface OutboxSuiteOptions {
  readonly another?: Layer.Layer<DeploymentStore | LeaseStore, unknown>
  readonly timeoutMillis?: number
}

/**
 * Declares the suite: call it at the top of a test file. The tests run on the real clock.
 *
 * *Example*
 *
 * ```ts
 * OutboxSuite.suite("memory", layerMemory)
 * ```
 */
export const suite = (
  name: string,
  layer: Layer.Layer<DeploymentStore | LeaseStore, unknown>,
  options: OutboxSuiteOptions = {}
): void => {
  describe(`${name} keeps the outbox`, () => {
    it.layer(Layer.merge(layer, other(options.another)), { excludeTestServices: true })((it) => {
      const check = (title: string, body: Effect.Effect<unknown, unknown, Stores | Scope.Scope>) =>
        it.effect(title, () => body, options.timeoutMillis ?? 60_000)
      for (const [title, body] of tests) check(title, body)
    })
  })
}

const delivery = (stream: string, id: string, more: Partial<DeliveryState> = {}): DeliveryState => ({
  id: `${stream}/${id}`,
  stream,
  deploymentId: "DX6604E",
  seq: 1,
  channel: `ops-${stream}`,
  status: "queued",
  attempts: 0,
  nextAt: 1_000,
  createdAt: 1_000,
  updatedAt: 1_000,
  why: "default",
  message: sampleMessage("failed", { stream }),
  receipt: null,
  error: null,
  ...more
})

const owing = Effect.gen(function* () {
  const store = yield* DeploymentStore
  const id = yield* correlationId
  yield* store.append({ stream: id, events: [requested(yield* place, id, 1_000)], owes: true })
  return { id, outbox: store.outbox, lease: yield* acquire(`notify/${id}`, id) }
})

const tests: ReadonlyArray<Both> = [
  [
    "owes what was appended, in the same write, until the mark has passed it",
    Effect.gen(function* () {
      const { id, lease, outbox } = yield* owing
      const elsewhere = (yield* another).deployments.outbox
      const own = Effect.map(elsewhere.owed({ limit: 10_000 }), (all) => all.filter(({ stream }) => stream === id))
      assert.deepStrictEqual(
        (yield* own).map(({ mark, seq }) => ({ mark, seq })),
        [{ mark: 0, seq: 1 }]
      )
      yield* outbox.write({ guards: [lease], mark: { stream: id, from: 0, to: 1 }, deliveries: [] })
      assert.deepStrictEqual(yield* own, [])
      assert.strictEqual((yield* elsewhere.mark(id))?.mark, 1)
    })
  ],
  [
    "owes nothing of events that owe nothing",
    Effect.gen(function* () {
      const store = yield* DeploymentStore
      const id = yield* correlationId
      yield* store.append({ stream: id, events: [requested(yield* place, id, 1_000)] })
      assert.isUndefined(yield* store.outbox.mark(id))
    })
  ],
  [
    "writes deliveries and the mark together, and neither if the mark has moved",
    Effect.gen(function* () {
      const { id, lease, outbox } = yield* owing
      const write = (name: string) =>
        outbox.write({
          guards: [lease],
          mark: { stream: id, from: 0, to: 1 },
          deliveries: [delivery(id, name)]
        })
      assert.strictEqual(yield* write("a"), "Committed")
      assert.strictEqual(yield* write("b"), "Stale")
      assert.deepStrictEqual(
        (yield* outbox.deliveries({ stream: id })).map((one) => one.id),
        [`${id}/a`]
      )
    })
  ],
  [
    "refuses a write under a lease that is held no more",
    Effect.gen(function* () {
      const { id, lease, outbox } = yield* owing
      const { leases } = yield* another
      yield* leases.release(lease)
      const lost = yield* Effect.flip(outbox.write({ guards: [lease], deliveries: [delivery(id, "a")] }))
      assert.strictEqual(lost._tag, "LeaseLost")
      assert.deepStrictEqual(yield* outbox.deliveries({ stream: id }), [])
    })
  ],
  [
    "gives a delivery back as it was written, and replaces it",
    Effect.gen(function* () {
      const { id, lease, outbox } = yield* owing
      const first = delivery(id, "a", { receipt: { ts: "1.2", channel: "C1" } })
      yield* outbox.write({ guards: [lease], deliveries: [first] })
      assert.deepStrictEqual(yield* outbox.deliveries({ id: first.id }), [first])
      const second = { ...first, status: "sent", attempts: 2, nextAt: 0, updatedAt: 2_000 } as const
      yield* outbox.write({ guards: [lease], deliveries: [second] })
      assert.deepStrictEqual(yield* (yield* another).deployments.outbox.deliveries({ stream: id }), [second])
    })
  ],
  [
    "finds due deliveries of some channels and deployments, the earliest first",
    Effect.gen(function* () {
      const { id, lease, outbox } = yield* owing
      const rows = [
        delivery(id, "late", { nextAt: 3_000 }),
        delivery(id, "early", { nextAt: 2_000 }),
        delivery(id, "never", { nextAt: 0 }),
        delivery(id, "other", { nextAt: 1_500, channel: `other-${id}` })
      ]
      yield* outbox.write({ guards: [lease], deliveries: rows })
      const both = [`ops-${id}`, `other-${id}`]
      const due = (until: number, channels: ReadonlyArray<string> = both, deploymentId?: string) =>
        Effect.map(outbox.due({ until, channels, deploymentId, limit: 100 }), (all) =>
          all.map((one) => one.id.slice(id.length + 1))
        )
      assert.deepStrictEqual(yield* due(5_000), ["other", "early", "late"])
      assert.deepStrictEqual(yield* due(2_000), ["other", "early"])
      const folded = { until: 5_000, channels: both, statuses: ["folded"] as const, limit: 100 }
      assert.deepStrictEqual(yield* outbox.due(folded), [])
      assert.lengthOf(yield* outbox.due({ ...folded, statuses: ["folded", "queued"] }), 3)
      assert.lengthOf(yield* outbox.due({ ...folded, statuses: ["queued"], limit: 2 }), 2)
      assert.deepStrictEqual(yield* due(5_000, [`ops-${id}`]), ["early", "late"])
      assert.deepStrictEqual(yield* due(5_000, []), [])
      assert.deepStrictEqual(yield* due(5_000, both, "DX6604E"), ["other", "early", "late"])
      assert.deepStrictEqual(yield* due(5_000, both, "D000000"), [])
    })
  ],
  [
    "reads deliveries by status, channel and deployment, the oldest or the newest first",
    Effect.gen(function* () {
      const { id, lease, outbox } = yield* owing
      const rows = [1, 2, 3].map((n) =>
        delivery(id, `n${n}`, {
          seq: n,
          createdAt: n,
          status: n === 2 ? "dead" : "sent",
          channel: `c-${id}`,
          deploymentId: n === 3 ? `D${id}` : "DX6604E"
        })
      )
      yield* outbox.write({ guards: [lease], deliveries: rows })
      const ids = (query: Parameters<typeof outbox.deliveries>[0]) =>
        Effect.map(outbox.deliveries(query), (all) => all.map((one) => one.seq))
      assert.deepStrictEqual(yield* ids({ channel: `c-${id}` }), [1, 2, 3])
      assert.deepStrictEqual(yield* ids({ channel: `c-${id}`, newestFirst: true, limit: 2 }), [3, 2])
      assert.deepStrictEqual(yield* ids({ stream: id, statuses: ["dead"] }), [2])
      assert.deepStrictEqual(yield* ids({ deploymentId: `D${id}` }), [3])
      assert.deepStrictEqual(yield* ids({ deploymentId: "DX6604E", channel: `c-${id}` }), [1, 2])
    })
  ],
  [
    "keeps an execution as long as its notifications are owed or to be sent, and 30 days longer at most",
    Effect.gen(function* () {
      const store = yield* DeploymentStore
      const where = yield* place
      const day = 24 * 60 * 60_000
      const finished = Effect.fnUntraced(function* (at: number) {
        const id = yield* correlationId
        const events = [requested(where, id, at), moved("started", at + 1), moved("completed", at + 2)]
        yield* store.append({ stream: id, events, owes: true })
        return id
      })
      const isThere = (id: CorrelationId) => Effect.map(store.execution(id), (state) => state !== undefined)
      const id = yield* finished(40 * day)
      const older = yield* finished(9 * day)
      yield* store.prune(40 * day)
      assert.deepStrictEqual([yield* isThere(id), yield* isThere(older)], [true, false])
      yield* store.prune(41 * day)
      assert.isTrue(yield* isThere(id))
      const lease = yield* acquire(`notify/${id}`, id)
      const row = delivery(id, "a")
      yield* store.outbox.write({
        guards: [lease],
        mark: { stream: id, from: 0, to: 3 },
        deliveries: [row]
      })
      yield* store.prune(41 * day)
      assert.isTrue(yield* isThere(id))
      yield* store.outbox.write({ guards: [lease], deliveries: [{ ...row, status: "sent", nextAt: 0 }] })
      yield* store.prune(41 * day)
      assert.isFalse(yield* isThere(id))
      assert.deepStrictEqual(yield* store.outbox.deliveries({ stream: id }), [])
    })
  ],
  [
    "lets writes to many streams succeed at the same time",
    Effect.gen(function* () {
      const all = yield* Effect.replicateEffect(owing, 20)
      yield* Effect.forEach(
        all,
        ({ id, lease, outbox }) =>
          outbox.write({
            guards: [lease],
            mark: { stream: id, from: 0, to: 1 },
            deliveries: [delivery(id, "a"), delivery(id, "b")]
          }),
        { concurrency: "unbounded" }
      )
      for (const { id, outbox } of all) assert.strictEqual((yield* outbox.deliveries({ stream: id })).length, 2)
    })
  ]
]
