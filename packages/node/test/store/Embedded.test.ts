import { assert, describe, it } from "@effect/vitest"
import { CorrelationId, DeploymentStore, LeaseStore } from "@signalbox/core/spi"
import { DeploymentStoreSuite, LeaseStoreSuite, OutboxSuite } from "@signalbox/core/testing"
import { embeddedStore, storeFile } from "@signalbox/node"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { existsSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterAll } from "vitest"
import { temporaryDirectory } from "../support/directory.ts"

for (const synchronous of ["full", "normal"] as const) {
  const directory = temporaryDirectory(afterAll)
  const read = <A>(query: (database: DatabaseSync) => A) =>
    Effect.sync(() => {
      const database = new DatabaseSync(join(directory, storeFile), { readOnly: true })
      try {
        return query(database)
      } finally {
        database.close()
      }
    })
  DeploymentStoreSuite.suite(`the embedded store, ${synchronous},`, embeddedStore({ directory, synchronous }), {
    another: embeddedStore({ directory, synchronous }),
    probe: (stream) =>
      read((database) =>
        database
          .prepare("SELECT id FROM signalbox_events WHERE stream = ? ORDER BY seq")
          .all(stream)
          .map(({ id }) => String(id))
      )
  })
  LeaseStoreSuite.suite(`the embedded store, ${synchronous},`, embeddedStore({ directory, synchronous }), {
    another: embeddedStore({ directory, synchronous }),
    probe: (key) =>
      read((database) => {
        const row = database.prepare("SELECT fence FROM signalbox_leases WHERE key = ?").get(key)
        return row === undefined ? undefined : Number(row.fence)
      })
  })
}

{
  const directory = temporaryDirectory(afterAll)
  OutboxSuite.suite("the embedded store", embeddedStore({ directory }), { another: embeddedStore({ directory }) })
}

const filesIn = (directory: string) => (existsSync(directory) ? readdirSync(directory) : undefined)

describe("the embedded store that is not there yet", () => {
  const directory = join(temporaryDirectory(afterAll), "nested", ".signalbox")

  it.live("is empty, and reading makes nothing", () =>
    Effect.gen(function* () {
      const store = yield* DeploymentStore
      const leases = yield* LeaseStore
      const id = CorrelationId.make("nobody")
      assert.deepStrictEqual(yield* store.deployments, [])
      assert.deepStrictEqual(yield* store.executions({}), { items: [] })
      assert.deepStrictEqual(yield* store.events({}), [])
      assert.strictEqual(yield* store.execution(id), undefined)
      assert.strictEqual(yield* store.head, 0)
      assert.strictEqual(yield* store.prune(1), 0)
      assert.strictEqual(yield* leases.get("key"), undefined)
      assert.deepStrictEqual(yield* leases.list, [])
      const pulses = yield* Stream.runCount(Stream.take(store.changes, 1))
      assert.strictEqual(pulses, 1)
      assert.strictEqual(
        (yield* Effect.flip(
          store.append({
            stream: id,
            expected: 0,
            events: [{ id: "a", at: 1, event: { _tag: "ExecutionTransitioned", on: "started" } }]
          })
        ))._tag,
        "IllegalTransition"
      )
      assert.strictEqual(filesIn(directory), undefined)
    }).pipe(Effect.provide(embeddedStore({ directory })))
  )

  it.live("is made by the first write, for its owner only, and others notice", () =>
    Effect.gen(function* () {
      const other = yield* Layer.build(Layer.fresh(embeddedStore({ directory })))
      const pulses = yield* Queue.unbounded<void>()
      yield* Effect.forkScoped(
        Stream.runForEach(Context.get(other, DeploymentStore).changes, () => Queue.offer(pulses, undefined))
      )
      yield* Queue.take(pulses)
      const leases = yield* LeaseStore
      yield* leases.acquire({ key: "k", holder: "h", owner: "o", ttl: Duration.minutes(1) })
      for (const file of filesIn(directory) ?? []) {
        assert.strictEqual(statSync(join(directory, file)).mode & 0o777, 0o600, file)
      }
      assert.strictEqual(statSync(directory).mode & 0o777, 0o700)
      yield* Effect.timeout(Queue.take(pulses), "5 seconds")
      assert.strictEqual((yield* Context.get(other, LeaseStore).get("k"))?.holder, "h")
    }).pipe(Effect.scoped, Effect.provide(embeddedStore({ directory })))
  )
})
