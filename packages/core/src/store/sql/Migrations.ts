/**
 * What is stored, by version. A released version is never changed; a new one is added at the end, also for an event tag or a
 * field that needs no statement: the number of migrations is the generation of what a process writes.
 */
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { StoreError } from "../../spi/StoreError.ts"
import { storeError } from "./storeError.ts"

/** `compatibleFrom` is the oldest version whose processes go on working with the tables as they are after this one. */
interface Migration {
  readonly compatibleFrom: number
  readonly sqlite: ReadonlyArray<string>
  readonly pg: ReadonlyArray<string>
}

const states = (json: "TEXT", int: "INTEGER" | "BIGINT"): ReadonlyArray<string> => [
  `CREATE TABLE signalbox_executions (
    stream TEXT PRIMARY KEY,
    deployment_id TEXT NOT NULL,
    environment TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    finished INTEGER NOT NULL,
    requested_at ${int} NOT NULL,
    search TEXT NOT NULL,
    generation ${int} NOT NULL,
    state ${json} NOT NULL
  )`,
  "CREATE INDEX signalbox_executions_latest ON signalbox_executions (requested_at, stream)",
  "CREATE INDEX signalbox_executions_place ON signalbox_executions (deployment_id, environment, requested_at, stream)",
  "CREATE INDEX signalbox_executions_deployment ON signalbox_executions (deployment_id, requested_at, stream)",
  "CREATE INDEX signalbox_executions_environment ON signalbox_executions (environment, requested_at, stream)",
  "CREATE INDEX signalbox_executions_status ON signalbox_executions (status, requested_at, stream)",
  "CREATE INDEX signalbox_executions_active ON signalbox_executions (requested_at, stream) WHERE finished = 0",
  `CREATE TABLE signalbox_environments (
    deployment_id TEXT NOT NULL,
    environment TEXT NOT NULL,
    version ${int} NOT NULL,
    generation ${int} NOT NULL,
    state ${json} NOT NULL,
    PRIMARY KEY (deployment_id, environment)
  )`,
  `CREATE TABLE signalbox_deployments (
    deployment_id TEXT PRIMARY KEY,
    created_at ${int} NOT NULL,
    generation ${int} NOT NULL,
    state ${json} NOT NULL
  )`,
  `CREATE TABLE signalbox_leases (
    key TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    owner TEXT NOT NULL,
    fence ${int} NOT NULL,
    acquired_at ${int} NOT NULL,
    expires_at ${int} NOT NULL,
    purpose TEXT
  )`
]

const outbox = (int: "INTEGER" | "BIGINT"): ReadonlyArray<string> => [
  `CREATE TABLE signalbox_owed (
    stream TEXT PRIMARY KEY,
    deployment_id TEXT NOT NULL,
    seq ${int} NOT NULL,
    mark ${int} NOT NULL,
    at ${int} NOT NULL
  )`,
  "CREATE INDEX signalbox_owed_at ON signalbox_owed (at) WHERE mark < seq",
  `CREATE TABLE signalbox_deliveries (
    id TEXT PRIMARY KEY,
    stream TEXT NOT NULL,
    deployment_id TEXT NOT NULL,
    seq ${int} NOT NULL,
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts ${int} NOT NULL,
    next_at ${int} NOT NULL,
    created_at ${int} NOT NULL,
    updated_at ${int} NOT NULL,
    body TEXT NOT NULL,
    receipt TEXT,
    error TEXT
  )`,
  "CREATE INDEX signalbox_deliveries_due ON signalbox_deliveries (next_at) WHERE next_at > 0",
  "CREATE INDEX signalbox_deliveries_stream ON signalbox_deliveries (stream, channel)",
  "CREATE INDEX signalbox_deliveries_created ON signalbox_deliveries (created_at, seq, id)"
]

export const migrations: ReadonlyArray<Migration> = [
  {
    compatibleFrom: 1,
    sqlite: [
      // Without AUTOINCREMENT, which costs a fifth of an append; `prune` keeps the largest position instead.
      `CREATE TABLE signalbox_events (
        position INTEGER PRIMARY KEY,
        stream TEXT NOT NULL,
        seq INTEGER NOT NULL,
        id TEXT NOT NULL,
        at INTEGER NOT NULL,
        tag TEXT NOT NULL,
        deployment_id TEXT NOT NULL,
        environment TEXT,
        body TEXT NOT NULL
      )`,
      "CREATE UNIQUE INDEX signalbox_events_stream ON signalbox_events (stream, seq)",
      "CREATE INDEX signalbox_events_deployment ON signalbox_events (deployment_id, position)",
      ...states("TEXT", "INTEGER")
    ],
    pg: [
      // `position` is the transaction's id and a number within it, see `Dialect.ts`. `position_base` keeps it growing
      // when a dump is restored into a server with smaller transaction ids.
      "ALTER TABLE signalbox_schema ADD COLUMN position_base BIGINT NOT NULL DEFAULT 0",
      `CREATE TABLE signalbox_events (
        stream TEXT NOT NULL,
        seq BIGINT NOT NULL,
        position BIGINT NOT NULL,
        id TEXT NOT NULL,
        at BIGINT NOT NULL,
        tag TEXT NOT NULL,
        deployment_id TEXT NOT NULL,
        environment TEXT,
        body TEXT NOT NULL,
        PRIMARY KEY (stream, seq)
      )`,
      "CREATE UNIQUE INDEX signalbox_events_position ON signalbox_events (position)",
      "CREATE INDEX signalbox_events_deployment ON signalbox_events (deployment_id, position)",
      ...states("TEXT", "BIGINT")
    ]
  },
  // What is owed, deliveries, and the event `NotificationAcknowledged`.
  { compatibleFrom: 1, sqlite: outbox("INTEGER"), pg: outbox("BIGINT") }
]

interface SchemaVersion {
  readonly version: number
  readonly compatibleFrom: number
}

const readVersion = (sql: SqlClient): Effect.Effect<SchemaVersion, SqlError> =>
  Effect.gen(function* () {
    const [table] = yield* sql.onDialectOrElse({
      // Not to_regclass, whose answer may be cached from before the migrator that this one waited for.
      pg: () =>
        sql<{ readonly found: unknown }>`SELECT 1 AS found FROM pg_class
          WHERE relname = 'signalbox_schema' AND pg_table_is_visible(oid)`,
      orElse: () =>
        sql<{ readonly found: unknown }>`SELECT 1 AS found FROM sqlite_schema WHERE name = 'signalbox_schema'`
    })
    if (table === undefined) return { version: 0, compatibleFrom: 0 }
    const [row] = yield* sql<{ readonly version: number; readonly compatible_from: number }>`
      SELECT version, compatible_from FROM signalbox_schema`
    return { version: Number(row?.version ?? 0), compatibleFrom: Number(row?.compatible_from ?? 0) }
  })

/**
 * Brings the tables up to date. Reads only where they are already, or where a newer version has added to them; fails
 * (`NewerWriter`) where it has changed what this version reads.
 */
export const migrate = (
  sql: SqlClient,
  wanted: ReadonlyArray<Migration> = migrations
): Effect.Effect<void, StoreError> =>
  Effect.gen(function* () {
    const { compatibleFrom, version } = yield* readVersion(sql)
    if (compatibleFrom > wanted.length) {
      return yield* new StoreError({
        operation: "open",
        reason: "NewerWriter",
        detail: `the store has version ${version} and needs version ${compatibleFrom} or later; this is ${wanted.length}`
      })
    }
    if (version < wanted.length) yield* sql.withTransaction(upgrade(sql, wanted))
    yield* sql.onDialectOrElse({ pg: () => raisePositions(sql), orElse: () => Effect.void })
  }).pipe(Effect.catchTag("SqlError", (error) => Effect.fail(storeError("open")(error))))

const upgrade = (sql: SqlClient, wanted: ReadonlyArray<Migration>): Effect.Effect<void, SqlError> =>
  Effect.gen(function* () {
    // Postgres: one migrator at a time; SQLite holds the write lock since BEGIN IMMEDIATE.
    yield* sql.onDialectOrElse({
      pg: () => sql`SELECT pg_advisory_xact_lock(7374646478)`,
      orElse: () => Effect.void
    })
    const { version } = yield* readVersion(sql)
    if (version === 0) {
      yield* sql`CREATE TABLE signalbox_schema (version INTEGER NOT NULL, compatible_from INTEGER NOT NULL)`
      yield* sql`INSERT INTO signalbox_schema (version, compatible_from) VALUES (0, 0)`
    }
    const missing = wanted.slice(version)
    for (const migration of missing) {
      const statements = sql.onDialectOrElse({ pg: () => migration.pg, orElse: () => migration.sqlite })
      yield* Effect.forEach(statements, (statement) => sql.unsafe(statement), { discard: true })
    }
    // Another migrator may have come first, with a later version.
    const last = missing.at(-1)
    if (last === undefined) return
    yield* sql`UPDATE signalbox_schema SET version = ${wanted.length}, compatible_from = ${last.compatibleFrom}`
  })

const raisePositions = (sql: SqlClient): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`
    UPDATE signalbox_schema SET position_base = position_base + behind.by
    FROM (
      SELECT max(e.position) / 1024 + 1 - pg_snapshot_xmax(pg_current_snapshot())::text::bigint - max(s.position_base) AS by
      FROM signalbox_events e, signalbox_schema s
    ) behind
    WHERE behind.by > 0`)
