/**
 * The stores over SQL.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type * as Statement from "effect/sql/Statement"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { DeploymentStore } from "../../spi/DeploymentStore.ts"
import { parseLeaseKey } from "../../spi/LeaseKey.ts"
import type { LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import type { Encoded, EncodedLeaseStore } from "../Encoded.ts"
import { keptLonger } from "../keptLonger.ts"
import { layerEncoded } from "../layerEncoded.ts"
import { makeCommit } from "./commit.ts"
import { type Dialect, dialectOf } from "./Dialect.ts"
import { Durability } from "./Durability.ts"
import { migrate } from "./Migrations.ts"
import { makeSqlOutbox } from "./outbox.ts"
import { makeRead } from "./read.ts"
import { storeError } from "./storeError.ts"

/** How often another process's writes are checked. */
const polls = { sqlite: 20, pg: 250 } as const

/**
 * Creates an encoded store over a `SqlClient` of SQLite or Postgres, and brings its tables up to date.
 *
 * *Details*: one event without a state change is one INSERT; with one, INSERT and UPDATE in one transaction. A SQLite
 * client must use one connection and begin its transactions with `BEGIN IMMEDIATE`. Other processes are noticed by
 * polling: `PRAGMA data_version` every 20 ms on SQLite, the newest position every 250 ms on Postgres.
 *
 * A text search reads every event that the other filters leave; SQLite ignores case only for ASCII letters. So do
 * `since`, `until`, `tags`, and `environment` without its deployment. The cost of the other queries does not depend on
 * the length of the log.
 *
 * *Errors*: `Corrupt` if a newer version of Signalbox wrote the tables.
 */
export const makeSql: Effect.Effect<Encoded, StoreError, SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient
  const dialect = dialectOf(sql)
  yield* quietly("open", migrate(sql))
  const { commit, lostGuard } = makeCommit(sql, dialect)
  const outbox = makeSqlOutbox(sql, lostGuard)
  const read = makeRead(sql, dialect)
  return {
    deployments: {
      head: (stream, after) => quietly("append", read.head(stream, after)),
      commit: (write) => quietly("append", commit(write)),
      events: (query) => quietly("events", read.events(query)),
      execution: (stream) => quietly("execution", read.execution(stream)),
      executions: (query) => quietly("executions", read.executions(query)),
      deployment: (id) => quietly("deployment", read.deployment(id)),
      deployments: quietly("deployments", read.deployments),
      environment: (id, environment) => quietly("environment", read.environment(id, environment)),
      environments: (id) => quietly("environments", read.environments(id)),
      newest: quietly("head", read.newest),
      pulses: pulses(sql, dialect, read.version),
      prune: (before, limit) => quietly("prune", prune(sql, dialect, before, limit))
    },
    leases: leases(sql, dialect, read),
    outbox: {
      owed: (query) => quietly("outbox", outbox.owed(query)),
      mark: (stream) => quietly("outbox", outbox.mark(stream)),
      due: (query) => quietly("outbox", outbox.due(query)),
      deliveries: (query) => quietly("outbox", outbox.deliveries(query)),
      commit: (write) => quietly("outbox", outbox.commit(write))
    }
  }
})

/**
 * Both stores over a `SqlClient` of SQLite or Postgres; see `makeSql`.
 */
export const layerSql: Layer.Layer<DeploymentStore | LeaseStore, StoreError, SqlClient> = layerEncoded(makeSql)

/**
 * Classifies failures. A transaction whose connection broke cannot be rolled back, which the client treats as a defect.
 * It is an ordinary failure: the server has rolled back. The statements leave no spans: the trace of a deployment is
 * about its steps.
 */
const quietly = <A, E, R>(
  operation: string,
  effect: Effect.Effect<A, E | SqlError, R>
): Effect.Effect<A, Exclude<E, SqlError> | StoreError, R> =>
  Effect.withTracerEnabled(
    effect.pipe(
      Effect.catchDefect((defect) => (isSqlError(defect) ? Effect.fail(defect) : Effect.die(defect))),
      Effect.mapError((error) => (isSqlError(error) ? storeError(operation)(error) : (error as Exclude<E, SqlError>)))
    ),
    false
  )

const isSqlError = (error: unknown): error is SqlError =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "SqlError"

const pulses = (
  sql: SqlClient,
  dialect: Dialect,
  committed: Effect.Effect<string, SqlError>
): Stream.Stream<void, StoreError> => {
  const version: Effect.Effect<string | number, SqlError> =
    dialect.name === "pg"
      ? committed
      : Effect.map(sql<{ readonly data_version: number }>`PRAGMA data_version`, ([row]) => row?.data_version ?? 0)
  const poll = quietly("changes", version)
  // A database that is unavailable for a while ends no subscription; a read after the next pulse fails with the reason.
  const next = Effect.retry(Effect.delay(poll, polls[dialect.name]), {
    schedule: Schedule.spaced("1 second"),
    while: ({ isRetryable }) => isRetryable
  })
  return Stream.unwrap(
    Effect.map(poll, (start) => {
      const seen = Stream.concat(Stream.succeed(start), Stream.fromEffectRepeat(next))
      return Stream.map(Stream.changes(seen), () => undefined)
    })
  )
}

const prune = (sql: SqlClient, dialect: Dialect, before: number, limit: number): Effect.Effect<number, SqlError> =>
  sql.withTransaction(
    Effect.gen(function* () {
      // An overlapping append must not leave events behind.
      if (dialect.name === "pg") yield* sql`LOCK TABLE signalbox_events IN SHARE ROW EXCLUSIVE MODE`
      const rows = yield* sql<{ readonly stream: string }>`
        SELECT stream FROM signalbox_executions e WHERE finished = 1 AND requested_at < ${before}
        AND (requested_at < ${before - keptLonger}
          OR NOT EXISTS (SELECT 1 FROM signalbox_owed o WHERE o.stream = e.stream AND o.mark < o.seq)
          AND NOT EXISTS (SELECT 1 FROM signalbox_deliveries d
            WHERE d.stream = e.stream AND d.status IN ('queued', 'scheduled')))
        ORDER BY requested_at, stream LIMIT ${limit}`
      if (rows.length === 0) return 0
      const streams = sql.in(rows.map(({ stream }) => stream))
      if (dialect.name === "sqlite") yield* keepPosition(sql, streams)
      yield* sql`DELETE FROM signalbox_events WHERE stream IN ${streams}`
      yield* sql`DELETE FROM signalbox_executions WHERE stream IN ${streams}`
      yield* sql`DELETE FROM signalbox_owed WHERE stream IN ${streams}`
      yield* sql`DELETE FROM signalbox_deliveries WHERE stream IN ${streams}`
      return rows.length
    })
  )

/**
 * The newest event stays without stream and content when it is pruned, and the one that stayed before it is deleted.
 */
const keepPosition = (sql: SqlClient, streams: Statement.ArrayHelper): Effect.Effect<unknown, SqlError> =>
  Effect.andThen(
    sql`DELETE FROM signalbox_events WHERE stream = '' AND position < (SELECT max(position) FROM signalbox_events)`,
    sql`UPDATE signalbox_events SET stream = '', seq = position, deployment_id = '', environment = NULL, body = '{}'
        WHERE position = (SELECT max(position) FROM signalbox_events) AND stream IN ${streams}`
  )

const leases = (sql: SqlClient, dialect: Dialect, read: ReturnType<typeof makeRead>): EncodedLeaseStore => {
  const now: Effect.Effect<number, SqlError> =
    dialect.name === "pg"
      ? Effect.map(sql<{ readonly now: number }>`SELECT ${sql.literal(dialect.now(""))} AS now`, ([row]) =>
          Number(row?.now)
        )
      : Clock.currentTimeMillis
  return {
    get: (key) =>
      quietly(
        "lease",
        Effect.flatMap(read.lease(key), (lease) => Effect.map(now, (time) => ({ lease, now: time })))
      ),
    list: quietly(
      "leases",
      Effect.flatMap(read.leases, (all) => Effect.map(now, (time) => ({ leases: all, now: time })))
    ),
    swap: (before, after) => {
      const row = {
        holder: after.holder,
        owner: after.owner,
        fence: after.fence,
        acquired_at: after.acquiredAt,
        expires_at: after.expiresAt,
        purpose: after.purpose === undefined ? null : JSON.stringify(after.purpose)
      }
      const statement =
        before === undefined
          ? sql`INSERT INTO signalbox_leases ${sql.insert({ key: after.key, ...row })}
                ON CONFLICT DO NOTHING RETURNING key`
          : sql`UPDATE signalbox_leases SET ${sql.update(row)}
                WHERE key = ${after.key} AND fence = ${before.fence} AND expires_at = ${before.expiresAt} RETURNING key`
      // Who sends notifications matters as little after a loss of power as what was sent.
      const forProcess = dialect.name === "sqlite" && parseLeaseKey(after.key)?._tag === "Notify"
      return quietly(
        "lease",
        Effect.map(
          forProcess ? Effect.provideService(sql.withTransaction(statement), Durability, "process") : statement,
          (rows) => rows.length > 0
        )
      )
    }
  }
}
