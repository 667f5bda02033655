import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Lease } from "../../spi/LeaseStore.ts"
import type { Commit, EnvironmentRow, ExecutionRow, NewEventRow, AppendOutcome } from "../Encoded.ts"
import type { Dialect } from "./Dialect.ts"
import { makeGroupCommit } from "./groupCommit.ts"
import { oweText } from "./outbox.ts"

const columns = "stream, seq, id, at, tag, deployment_id, environment, body"
const types = ["text", "int", "text", "int", "text", "text", "text", "text"] as const

const valuesOf = (row: NewEventRow) =>
  [row.stream, row.seq, row.id, row.at, row.tag, row.deploymentId, row.environment, row.body] as const

/**
 * One statement that inserts all the events if the stream still ends at `base` and all guards are held: the unique
 * (stream, seq) rejects the second writer.
 */
const insertText = (dialect: Dialect, from: number, events: number, extends_: boolean, guards: number): string => {
  let index = 0
  const parameter = (type: "text" | "int") => dialect.parameter(++index, type)
  const rows = Array.from(
    { length: events },
    (_, ordinal) => `SELECT ${dialect.position.value(from + ordinal)}${types.map(parameter).join(", ")}`
  )
  const conditions = [
    ...(extends_
      ? [`EXISTS (SELECT 1 FROM signalbox_events WHERE stream = ${parameter("text")} AND seq = ${parameter("int")})`]
      : []),
    ...Array.from({ length: guards }, () => `EXISTS (${heldText(dialect, parameter)})`)
  ]
  return `INSERT INTO signalbox_events (${dialect.position.column}${columns})
    ${rows.length === 1 ? rows[0] : `SELECT * FROM (${rows.join(" UNION ALL ")}) AS added`} WHERE ${conditions.join(" AND ") || "1 = 1"}
    ON CONFLICT DO NOTHING RETURNING position`
}

const heldText = (dialect: Dialect, parameter: (type: "text" | "int") => string) =>
  `SELECT 1 FROM signalbox_leases WHERE key = ${parameter("text")} AND fence = ${parameter("int")}` +
  ` AND holder = ${parameter("text")} AND expires_at > ${dialect.now(dialect.name === "pg" ? "" : parameter("int"))}` +
  dialect.lock

export const makeCommit = (sql: SqlClient, dialect: Dialect) => {
  const texts = new Map<string, string>()
  const textFor = (from: number, events: number, extends_: boolean, guards: number): string => {
    const key = `${from} ${events} ${extends_} ${guards}`
    let text = texts.get(key)
    if (text === undefined) {
      text = insertText(dialect, from, events, extends_, guards)
      texts.set(key, text)
    }
    return text
  }
  const held = heldText(dialect, counter(dialect))
  const owe = oweText(dialect)
  const heldParameters = ({ fence, holder, key }: Lease, now: number): ReadonlyArray<unknown> =>
    dialect.name === "pg" ? [key, fence, holder] : [key, fence, holder, now]

  const lostGuard = Effect.fnUntraced(function* (
    guards: ReadonlyArray<Lease>,
    now: number
  ): Effect.fn.Return<Lease | undefined, SqlError> {
    for (const guard of guards) {
      const rows = yield* sql.unsafe(held, heldParameters(guard, now))
      if (rows.length === 0) return guard
    }
    return undefined
  })

  /** Fails with the outcome if it is not `Committed`, so that an enclosing transaction is rolled back. */
  const insert = Effect.fnUntraced(function* (
    { base, events, guards, stream }: Commit,
    now: number
  ): Effect.fn.Return<AppendOutcome, AppendOutcome | SqlError> {
    const positions: Array<number> = []
    for (let from = 0; from < events.length; from += batch) {
      const rows = events.slice(from, from + batch)
      const parameters: Array<unknown> = []
      for (const row of rows) parameters.push(...valuesOf(row))
      if (base + from > 0) parameters.push(stream, base + from)
      for (const guard of guards) parameters.push(...heldParameters(guard, now))
      const inserted = yield* sql.unsafe<{ readonly position: number }>(
        textFor(from, rows.length, base + from > 0, guards.length),
        parameters
      )
      if (inserted.length < rows.length) {
        const guard = yield* lostGuard(guards, now)
        return yield* Effect.fail<AppendOutcome>(guard === undefined ? { _tag: "Stale" } : { _tag: "Lost", guard })
      }
      for (const { position } of inserted) positions.push(Number(position))
    }
    return { _tag: "Committed", positions }
  })

  const writeExecution = (row: ExecutionRow, isNew: boolean): Effect.Effect<unknown, SqlError> =>
    isNew
      ? sql`INSERT INTO signalbox_executions ${sql.insert({
          stream: row.stream,
          deployment_id: row.deploymentId,
          environment: row.environment,
          kind: row.kind,
          status: row.status,
          finished: row.finished ? 1 : 0,
          requested_at: row.requestedAt,
          search: row.search,
          generation: row.generation,
          state: row.state
        })}`
      : sql.unsafe(
          `UPDATE signalbox_executions SET status = ${dialect.parameter(1, "text")},
             finished = ${dialect.parameter(2, "int")}, search = ${dialect.parameter(3, "text")},
             state = ${dialect.parameter(4, "text")}, generation = ${dialect.parameter(5, "int")}
             WHERE stream = ${dialect.parameter(6, "text")}`,
          [row.status, row.finished ? 1 : 0, row.search, row.state, row.generation, row.stream]
        )

  const writeEnvironment = (row: EnvironmentRow): Effect.Effect<ReadonlyArray<unknown>, SqlError> =>
    row.version === 1
      ? sql`INSERT INTO signalbox_environments ${sql.insert({
          deployment_id: row.deploymentId,
          environment: row.environment,
          version: row.version,
          generation: row.generation,
          state: row.state
        })} ON CONFLICT DO NOTHING RETURNING version`
      : sql`UPDATE signalbox_environments SET version = ${row.version}, generation = ${row.generation}, state = ${row.state}
            WHERE deployment_id = ${row.deploymentId} AND environment = ${row.environment}
              AND version = ${row.version - 1} RETURNING version`

  const write = Effect.fnUntraced(function* (
    commit: Commit,
    now: number
  ): Effect.fn.Return<AppendOutcome, AppendOutcome | SqlError> {
    const outcome = yield* insert(commit, now)
    if (commit.owed !== undefined)
      yield* sql.unsafe(owe, [commit.stream, commit.owed.deploymentId, commit.owed.seq, commit.owed.at])
    if (commit.execution !== undefined) yield* writeExecution(commit.execution, commit.base === 0)
    if (commit.deployment !== undefined) {
      yield* sql`INSERT INTO signalbox_deployments ${sql.insert({
        deployment_id: commit.deployment.deploymentId,
        created_at: commit.deployment.createdAt,
        generation: commit.deployment.generation,
        state: commit.deployment.state
      })} ON CONFLICT (deployment_id) DO UPDATE SET state = EXCLUDED.state, generation = EXCLUDED.generation`
    }
    if (commit.environment !== undefined && (yield* writeEnvironment(commit.environment)).length === 0) {
      return yield* Effect.fail<AppendOutcome>({ _tag: "Stale" })
    }
    return outcome
  })

  const isOneStatement = (commit: Commit) =>
    commit.events.length === 1 &&
    commit.owed === undefined &&
    commit.execution === undefined &&
    commit.environment === undefined &&
    commit.deployment === undefined

  const alone = (commit: Commit): Effect.Effect<AppendOutcome, SqlError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.catch(isOneStatement(commit) ? insert(commit, now) : sql.withTransaction(write(commit, now)), (failure) =>
        failure._tag === "SqlError" ? Effect.fail(failure) : Effect.succeed(failure)
      )
    )

  const check = ({ guards }: Commit): Effect.Effect<AppendOutcome, SqlError> =>
    Effect.map(
      Effect.flatMap(Clock.currentTimeMillis, (now) => lostGuard(guards, now)),
      (guard): AppendOutcome => (guard === undefined ? { _tag: "Committed", positions: [] } : { _tag: "Lost", guard })
    )

  // Postgres itself groups simultaneous commits of its connections.
  const commit = dialect.name === "pg" ? alone : makeGroupCommit(sql, alone)
  return { commit: (write: Commit) => (write.events.length === 0 ? check(write) : commit(write)), lostGuard }
}

/** Rows in one INSERT: below the parameter limits of both databases, with few statements to prepare. */
const batch = 100

const counter = (dialect: Dialect) => {
  let index = 0
  return (type: "text" | "int") => dialect.parameter(++index, type)
}
