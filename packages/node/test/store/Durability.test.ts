import { assert, it } from "@effect/vitest"
import { Durability } from "@signalbox/core/store"
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import { join } from "node:path"
import { afterAll } from "vitest"
import * as Sqlite from "../../src/Sqlite.ts"
import { temporaryDirectory } from "../support/directory.ts"

const [normal, full] = [1, 2]

it.live("waits for the disk, except in a transaction that only has to survive the process", () =>
  Effect.gen(function* () {
    const sql = yield* SqlClient
    const level = Effect.map(
      sql.withTransaction(sql<{ readonly synchronous: number }>`PRAGMA synchronous`),
      ([row]) => row?.synchronous
    )
    const inProcess = Effect.provideService(level, Durability, "process")
    assert.deepStrictEqual([yield* level, yield* inProcess, yield* level], [full, normal, full])
    const both = yield* Effect.all([inProcess, level, inProcess, level], { concurrency: "unbounded" })
    assert.deepStrictEqual(both, [normal, full, normal, full])
    yield* Effect.exit(sql.withTransaction(Effect.fail("given up")).pipe(Effect.provideService(Durability, "process")))
    assert.strictEqual(yield* level, full)
  }).pipe(Effect.provide(Sqlite.layer({ filename: join(temporaryDirectory(afterAll), "signalbox.db") })))
)
