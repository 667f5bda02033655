/** Two generations of Signalbox on one store: the older one reads what it does not know, and erases nothing. */
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, describe, it } from "@effect/vitest"
import { eventView } from "@signalbox/core/api"
import {
  CorrelationId,
  DeploymentId,
  DeploymentStore,
  EnvironmentName,
  type Event,
  Execution,
  type NewEvent,
  StackName,
  type StoreError
} from "@signalbox/core/spi"
import { Generation } from "@signalbox/core/store"
import { embeddedStore, postgresStore, storeFile } from "@signalbox/node"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { cpSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterAll } from "vitest"
import { temporaryDirectory } from "../support/directory.ts"
import { startPostgres } from "../support/postgres.ts"

const removals: Array<() => void> = []
afterAll(() => removals.forEach((remove) => remove()))
const temporary = () => temporaryDirectory((remove) => removals.push(remove))

/** A database, and how the test reads and writes it behind the back of the stores. */
interface Database {
  readonly layer: Layer.Layer<DeploymentStore, StoreError>
  readonly sql: (text: string) => ReadonlyArray<string>
}

const embedded = (directory = temporary()): Database => ({
  layer: embeddedStore({ directory }),
  sql: (text) => {
    const database = new DatabaseSync(join(directory, storeFile))
    try {
      return database
        .prepare(text)
        .all()
        .map((row) => Object.values(row).join("|"))
    } finally {
      database.close()
    }
  }
})

const postgres = await startPostgres()
if (postgres !== undefined) afterAll(postgres.stop)
const inPostgres = (): Database => {
  const url = postgres!.database()
  return { layer: postgresStore({ url: Redacted.make(url) }), sql: (text) => postgres!.psql(url, text) }
}

const deploymentId = DeploymentId.make("DX6604E")
const production = EnvironmentName.make("production")
const staging = EnvironmentName.make("staging")
const newer = CorrelationId.make("newer")
const older = CorrelationId.make("older")
const api = StackName.make("api")

const initialized: NewEvent = {
  id: "initialized",
  at: 1,
  event: {
    _tag: "DeploymentInitialized",
    deploymentId,
    organization: "acme",
    project: "shop",
    template: "default",
    environments: [production, staging],
    stacks: [api],
    by: "ada"
  }
}
const requested = (correlationId: CorrelationId, environment: EnvironmentName): NewEvent => ({
  id: "requested",
  at: 2,
  event: {
    _tag: "ExecutionRequested",
    correlationId,
    kind: "deploy",
    deploymentId,
    environment,
    by: "ada",
    deploymentBefore: "initialized",
    stacksBefore: [],
    spec: {
      stacks: [],
      parallelism: 1,
      rollback: true,
      leaseTtl: Duration.seconds(15)
    }
  }
})
const started: NewEvent = { id: "started", at: 3, event: { _tag: "ExecutionTransitioned", on: "started" } }

/** The store as a process of a generation sees it. */
const asOf = (generation: number, { layer }: Database) =>
  Effect.map(Layer.build(Layer.fresh(layer)), (context) => Context.get(context, DeploymentStore)).pipe(
    Effect.provideService(Generation, generation)
  )

const rows = ({ sql }: Database) => [
  ...sql("SELECT stream, seq, id, tag, body FROM signalbox_events WHERE stream <> '' ORDER BY stream, seq"),
  ...sql("SELECT stream, generation, state FROM signalbox_executions ORDER BY stream"),
  ...sql("SELECT environment, generation, state FROM signalbox_environments ORDER BY environment"),
  ...sql("SELECT deployment_id, generation, state FROM signalbox_deployments ORDER BY deployment_id")
]

const kinds = [["SQLite", embedded] as const, ...(postgres === undefined ? [] : [["Postgres", inPostgres] as const])]

describe.each(kinds)("two generations on %s", (_, open) => {
  it.live("share it: what the older one does not know is kept, shown and left alone", () =>
    Effect.gen(function* () {
      const database = open()
      const old = yield* asOf(1, database)
      yield* old.append({ stream: deploymentId, events: [initialized] })
      yield* old.append({ stream: older, events: [requested(older, staging), started] })
      const young = yield* asOf(2, database)
      yield* young.append({ stream: newer, events: [requested(newer, production), started] })
      // A tag and a field of the later generation.
      database.sql(
        `UPDATE signalbox_executions SET state = replace(state, '"by":"ada"', '"by":"ada","mood":"sunny"') WHERE stream = 'newer'`
      )
      database.sql(
        `UPDATE signalbox_events SET tag = 'WeatherObserved', body = '{"_tag":"WeatherObserved","mood":"sunny"}' WHERE stream = 'newer' AND seq = 2`
      )
      const before = rows(database)

      const fresh = yield* asOf(1, database)
      assert.strictEqual((yield* fresh.execution(newer))?.status, "in_progress")
      const events = yield* fresh.events({ stream: newer })
      assert.deepStrictEqual(events[1]?.event, {
        _tag: "Unknown",
        tag: "WeatherObserved",
        body: { mood: "sunny" }
      } satisfies Event)
      const { data, type } = eventView(events[1]!)
      assert.deepStrictEqual({ data, type }, { data: { mood: "sunny" }, type: "WeatherObserved" })
      assert.strictEqual(
        (yield* fresh.events({ deploymentId })).length,
        before.filter((row) => /\{"_tag"/.test(row)).length
      )
      // Neither a change of state, nor an event that changes none, nor another execution in that environment.
      const refused = [
        {
          stream: newer,
          events: [{ ...started, id: "again", event: { _tag: "ExecutionTransitioned", on: "completed" } }]
        },
        { stream: newer, events: [{ id: "x", at: 4, event: { _tag: "TraceExported", spans: 1 } }] },
        { stream: "third", events: [requested(CorrelationId.make("third"), production)] }
      ] as const
      for (const one of refused) {
        const error = yield* Effect.flip(fresh.append(one))
        assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["StoreError", "NewerWriter"])
      }
      assert.deepStrictEqual(rows(database), before)
      // Its own work goes on, also with what it has seen before.
      yield* old.append({ stream: older, events: [{ id: "x", at: 4, event: { _tag: "TraceExported", spans: 1 } }] })
      yield* young.append({ stream: newer, events: [{ id: "x", at: 4, event: { _tag: "TraceExported", spans: 1 } }] })
    }).pipe(Effect.scoped)
  )

  it.live("are locked out by a schema that says so, and by no other", () =>
    Effect.gen(function* () {
      const database = open()
      const first = yield* asOf(1, database)
      yield* first.append({ stream: deploymentId, events: [initialized] })
      database.sql("UPDATE signalbox_schema SET version = 7")
      yield* asOf(1, database)
      database.sql("UPDATE signalbox_schema SET compatible_from = 7")
      // The embedded store opens its file when it is asked for the first time.
      const reading = Effect.flatMap(asOf(1, database), (store) => store.execution(older))
      assert.strictEqual((yield* Effect.flip(reading)).reason, "NewerWriter")
    }).pipe(Effect.scoped)
  )
})

/** Rows of a released version, as they were stored. */
const history = (directory: string): Database => {
  cpSync(join(import.meta.dirname, "..", "histories", "0.1.0", storeFile), join(directory, storeFile))
  return embedded(directory)
}

const columnsOf = (database: DatabaseSync, table: string) =>
  database
    .prepare(`SELECT name FROM pragma_table_info('${table}')`)
    .all()
    .map(({ name }) => String(name))

/** The same rows in Postgres. */
const copied = (directory: string): Effect.Effect<Database, StoreError> =>
  Effect.gen(function* () {
    history(directory)
    const target = inPostgres()
    yield* Effect.scoped(Layer.build(target.layer))
    const database = new DatabaseSync(join(directory, storeFile))
    for (const table of ["events", "executions", "environments", "deployments", "leases"]) {
      const name = `signalbox_${table}`
      const columns = columnsOf(database, name)
      const inserts = database
        .prepare(`SELECT ${columns.join(", ")} FROM ${name}`)
        .all()
        .map((row) => {
          const values = columns.map((column) => {
            const value = row[column]
            return value === null
              ? "NULL"
              : typeof value === "string"
                ? `'${value.replaceAll("'", "''")}'`
                : String(value)
          })
          return `INSERT INTO ${name} (${columns.join(", ")}) VALUES (${values.join(", ")})`
        })
      // A command line holds only so much.
      for (let from = 0; from < inserts.length; from += 20) target.sql(inserts.slice(from, from + 20).join(";"))
    }
    database.close()
    return target
  })

describe("the store of 0.1.0", () => {
  const stores = [
    ["SQLite", (directory: string) => Effect.succeed(history(directory))] as const,
    ...(postgres === undefined ? [] : [["Postgres", copied] as const])
  ]
  it.live.each(stores)("is read by this version from %s, and its states are the folds of its events", ([, open]) =>
    Effect.gen(function* () {
      const database = yield* open(temporary())
      const store = yield* asOf(1, database)
      const { items } = yield* store.executions({ limit: 1_000 })
      assert.isAbove(items.length, 5)
      for (const state of items) {
        const events = yield* store.events({ stream: state.correlationId, limit: 10_000 })
        let folded: Execution.ExecutionState | undefined
        for (const { at, event } of events) {
          assert.notStrictEqual(event._tag, "Unknown")
          folded = Result.getOrThrow(Execution.evolve(folded, at, event))
        }
        assert.deepStrictEqual(JSON.parse(JSON.stringify(folded)), JSON.parse(JSON.stringify(state)))
      }
    }).pipe(Effect.scoped)
  )

  it.live.each(stores)("is read from %s by a version that is older still, which changes nothing", ([, open]) =>
    Effect.gen(function* () {
      const database = yield* open(temporary())
      const before = rows(database)
      const store = yield* asOf(0, database)
      const { items } = yield* store.executions({ limit: 1_000 })
      for (const { correlationId } of items) {
        yield* store.events({ stream: correlationId, limit: 10_000 })
        const append = {
          stream: correlationId,
          events: [{ id: "late", at: 4, event: { _tag: "TraceExported", spans: 1 } }]
        }
        const error = yield* Effect.flip(store.append(append as never))
        assert.strictEqual(error._tag === "StoreError" && error.reason, "NewerWriter")
      }
      assert.deepStrictEqual(rows(database), before)
    }).pipe(Effect.scoped)
  )
})

if (postgres !== undefined) {
  it.live("a live view of one execution goes on while the feed of all waits for another database", () =>
    Effect.gen(function* () {
      const elsewhere = postgres.database()
      const database = inPostgres()
      const writer = yield* asOf(1, database)
      const viewer = yield* asOf(1, database)
      yield* writer.append({ stream: deploymentId, events: [initialized] })
      yield* writer.append({ stream: older, events: [requested(older, staging)] })
      const newest = yield* viewer.head
      // A program that has nothing to do with Signalbox writes in its own database, and does not commit.
      const begun = yield* Deferred.make<void>()
      const foreign = Effect.gen(function* () {
        const sql = yield* PgClient.PgClient
        yield* sql`CREATE TABLE foreign_table (x INT)`
        yield* sql.withTransaction(
          Effect.andThen(
            sql`INSERT INTO foreign_table VALUES (1)`,
            Effect.andThen(Deferred.succeed(begun, undefined), Effect.never)
          )
        )
      }).pipe(Effect.provide(PgClient.layer({ url: Redacted.make(elsewhere) })))
      const holding = yield* Effect.forkChild(foreign)
      yield* Deferred.await(begun)
      const seen = viewer.changes.pipe(
        Stream.mapEffect(() => viewer.events({ stream: older })),
        Stream.filter((events) => events.length === 2),
        Stream.take(1),
        Stream.runDrain,
        Effect.timed
      )
      const viewing = yield* Effect.forkChild(seen)
      yield* writer.append({ stream: older, events: [started] })
      const [took] = yield* Fiber.join(viewing)
      assert.isBelow(Duration.toMillis(took), 3_000)
      assert.strictEqual(yield* viewer.head, newest)
      // Once the other program is done, the feed goes on too.
      yield* Fiber.interrupt(holding)
      yield* Effect.repeat(viewer.head, { until: (head) => head > newest, schedule: Schedule.spaced("20 millis") })
    }).pipe(Effect.scoped)
  )
}
