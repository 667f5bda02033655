import { assert, describe, it } from "@effect/vitest"
import {
  CorrelationId,
  DeploymentId,
  DeploymentStore,
  EnvironmentName,
  LeaseStore,
  type NewEvent
} from "@signalbox/core/spi"
import { layerSql } from "@signalbox/core/store"
import { embeddedStore, postgresStore, Sqlite, storeFile } from "@signalbox/node"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterAll } from "vitest"
import { temporaryDirectory } from "../support/directory.ts"
import { smallVolume } from "../support/volume.ts"

const stream = CorrelationId.make("run-1")

const requested: NewEvent = {
  id: "requested",
  at: 1,
  event: {
    _tag: "ExecutionRequested",
    correlationId: stream,
    kind: "deploy",
    deploymentId: DeploymentId.make("DX6604E"),
    environment: EnvironmentName.make("production"),
    by: "test",
    deploymentBefore: "initialized",
    stacksBefore: [],
    spec: { stacks: [], parallelism: 1, rollback: true, leaseTtl: Duration.seconds(15) }
  }
}

const said = (id: string, reason = ""): NewEvent => ({
  id,
  at: 2,
  event: { _tag: "CommandIssued", command: "pause", by: "test", reason }
})

const root = temporaryDirectory(afterAll)

const fresh = (name: string): string => {
  const directory = join(root, name)
  mkdirSync(directory)
  return directory
}

const begin = Effect.flatMap(DeploymentStore, (store) => store.append({ stream, events: [requested] }))

const sqlite = (options: Sqlite.SqliteOptions) => Layer.provide(layerSql, Sqlite.layer(options))

const edit = (directory: string, sql: string) => {
  const database = new DatabaseSync(join(directory, storeFile))
  database.exec(sql)
  database.close()
}

describe("the embedded store", () => {
  it.live("reports a full disk, keeps what was written, and nothing of what was not", () => {
    const directory = fresh("full")
    const volume = smallVolume(directory)
    return Effect.gen(function* () {
      yield* begin
      const store = yield* DeploymentStore
      const leases = yield* LeaseStore
      let written = 1
      const fill = Effect.suspend(() => store.append({ stream, events: [said(`${written}`, "x".repeat(5_000))] }))
      const error = yield* Effect.flip(Effect.forever(Effect.tap(fill, () => Effect.sync(() => written++))))
      assert.deepInclude(error, { _tag: "StoreError", reason: "Full", operation: "append" })
      assert.isAbove(written, 1)
      assert.strictEqual((yield* store.events({ stream })).length, written)
      const acquire = leases.acquire({ key: "x".repeat(9_000), holder: "h", owner: "o", ttl: Duration.minutes(1) })
      assert.deepInclude(yield* Effect.flip(acquire), { _tag: "StoreError", reason: "Full" })
      assert.deepStrictEqual(yield* leases.list, [])
    }).pipe(
      Effect.provide(sqlite({ filename: join(directory, storeFile), setup: volume.setup })),
      Effect.ensuring(Effect.sync(volume.unmount))
    )
  })

  it.live("reads without write permission, and tells writers so", () => {
    const directory = fresh("read-only")
    const volume = smallVolume(directory)
    return Effect.gen(function* () {
      yield* Effect.provide(begin, embeddedStore({ directory }))
      volume.makeReadOnly()
      yield* Effect.gen(function* () {
        const store = yield* DeploymentStore
        assert.strictEqual((yield* store.execution(stream))?.status, "queued")
        assert.strictEqual((yield* store.events({ stream })).length, 1)
        const error = yield* Effect.flip(store.append({ stream, events: [said("a")] }))
        assert.deepInclude(error, { _tag: "StoreError", reason: "ReadOnly" })
      }).pipe(Effect.provide(embeddedStore({ directory })))
      const elsewhere = embeddedStore({ directory: join(directory, "new") })
      assert.deepInclude(yield* Effect.flip(Effect.provide(begin, elsewhere)), {
        _tag: "StoreError",
        reason: "ReadOnly"
      })
    }).pipe(Effect.ensuring(Effect.sync(volume.unmount)))
  })

  it.live("reports a file that is not a store", () => {
    const directory = fresh("garbage")
    writeFileSync(join(directory, storeFile), "this is not a database ".repeat(500))
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      assert.deepInclude(yield* Effect.flip(store.head), { _tag: "StoreError", reason: "Corrupt" })
      assert.deepInclude(yield* Effect.flip(begin), { _tag: "StoreError", reason: "Corrupt" })
    }).pipe(Effect.provide(embeddedStore({ directory })))
  })

  it.live("leaves alone what a newer version wrote", () => {
    const directory = fresh("newer")
    return Effect.gen(function* () {
      yield* Effect.provide(begin, embeddedStore({ directory }))
      edit(directory, "UPDATE signalbox_schema SET version = 99, compatible_from = 98")
      const error = yield* Effect.flip(Effect.provide(begin, embeddedStore({ directory })))
      assert.deepInclude(error, { _tag: "StoreError", reason: "NewerWriter" })
      assert.include(error.message, "98")
    })
  })

  it.live("names the state or event that cannot be read", () => {
    const directory = fresh("corrupt")
    return Effect.gen(function* () {
      yield* Effect.provide(begin, embeddedStore({ directory }))
      for (const [state, body] of [
        ["{", "]"],
        ["{}", '{"_tag":"Unheard"}']
      ]) {
        edit(
          directory,
          `UPDATE signalbox_executions SET state = '${state}'; UPDATE signalbox_events SET body = '${body}'`
        )
        yield* Effect.gen(function* () {
          const store = yield* DeploymentStore
          const fails = <A, E extends { readonly message: string }>(read: Effect.Effect<A, E>) =>
            Effect.map(Effect.flip(read), (error) => {
              assert.deepInclude<object>(error, { _tag: "StoreError", reason: "Corrupt" })
              assert.include(error.message, stream)
            })
          yield* fails(store.execution(stream))
          yield* fails(store.executions({}))
          yield* fails(store.events({}))
          yield* fails(store.append({ stream, events: [said("a")] }))
        }).pipe(Effect.provide(embeddedStore({ directory })))
      }
    })
  })

  it.live("waits for another writer without blocking its process, and not forever", () => {
    const directory = fresh("busy")
    const filename = join(directory, storeFile)
    return Effect.gen(function* () {
      yield* begin
      const store = yield* DeploymentStore
      const other = new DatabaseSync(filename)
      other.exec("BEGIN IMMEDIATE")
      const started = performance.now()
      let ticks = 0
      const ticker = setInterval(() => ticks++, 10)
      const error = yield* Effect.flip(store.append({ stream, events: [said("a")] }))
      clearInterval(ticker)
      assert.deepInclude(error, { _tag: "StoreError", reason: "Unavailable", isRetryable: true })
      assert.isAtLeast(performance.now() - started, 300)
      assert.isAbove(ticks, 1)
      setTimeout(() => {
        other.exec("COMMIT")
        other.close()
      }, 60)
      const again = Effect.retry(store.append({ stream, events: [said("a")] }), {
        while: (one) => one._tag === "StoreError" && one.isRetryable
      })
      assert.strictEqual((yield* again).length, 1)
    }).pipe(Effect.provide(sqlite({ filename, busyTimeout: 300 })))
  })

  it.live("fails if it must not create the file", () => {
    const filename = join(root, "absent", storeFile)
    return Effect.map(Effect.flip(Effect.provide(begin, sqlite({ filename, create: false }))), (error) =>
      assert.deepInclude(error, { _tag: "StoreError", reason: "Unavailable" })
    )
  })
})

describe("the Postgres store", () => {
  it.live("reports that no server answers", () =>
    Effect.map(
      Effect.flip(
        Effect.provide(begin, postgresStore({ url: Redacted.make("postgres://signalbox:secret@127.0.0.1:1/none") }))
      ),
      (error) => {
        assert.deepInclude(error, { _tag: "StoreError", reason: "Unavailable" })
        assert.notInclude(JSON.stringify(error), "secret")
      }
    )
  )
})
