/**
 * The outbox over SQL.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Lease } from "../../spi/LeaseStore.ts"
import type {
  DeliveryRow,
  DeliveryRowQuery,
  DueRowQuery,
  OutboxCommit,
  OutboxOutcome,
  OwedRow,
  OwedRowQuery
} from "../EncodedOutbox.ts"
import type { Dialect } from "./Dialect.ts"
import { Durability } from "./Durability.ts"

type Row = { readonly [column: string]: unknown }

const owedRow = (row: Row): OwedRow => ({
  stream: row.stream as string,
  deploymentId: row.deployment_id as string,
  seq: Number(row.seq),
  mark: Number(row.mark),
  at: Number(row.at)
})

const deliveryRow = (row: Row): DeliveryRow => ({
  id: row.id as string,
  stream: row.stream as string,
  deploymentId: row.deployment_id as string,
  seq: Number(row.seq),
  channel: row.channel as string,
  kind: row.kind as string,
  status: row.status as string,
  attempts: Number(row.attempts),
  nextAt: Number(row.next_at),
  createdAt: Number(row.created_at),
  updatedAt: Number(row.updated_at),
  body: row.body as string,
  receipt: row.receipt as string | null,
  error: row.error as string | null
})

const columns = (row: DeliveryRow) => ({
  id: row.id,
  stream: row.stream,
  deployment_id: row.deploymentId,
  seq: row.seq,
  channel: row.channel,
  kind: row.kind,
  status: row.status,
  attempts: row.attempts,
  next_at: row.nextAt,
  created_at: row.createdAt,
  updated_at: row.updatedAt,
  body: row.body,
  receipt: row.receipt,
  error: row.error
})

/** One statement of an append that owes. */
export const oweText = (dialect: Dialect): string => {
  const parameters = (["text", "text", "int", "int"] as const).map((type, index) => dialect.parameter(index + 1, type))
  return `INSERT INTO signalbox_owed (stream, deployment_id, seq, at, mark) VALUES (${parameters.join(", ")}, 0)
    ON CONFLICT (stream) DO UPDATE SET seq = EXCLUDED.seq,
      at = CASE WHEN signalbox_owed.mark < signalbox_owed.seq THEN signalbox_owed.at ELSE EXCLUDED.at END`
}

/** The reads and the guarded write. `lostGuard` finds a guard that is not held. */
export const makeSqlOutbox = (
  sql: SqlClient,
  lostGuard: (guards: ReadonlyArray<Lease>, now: number) => Effect.Effect<Lease | undefined, SqlError>
) => {
  const owed = ({ deploymentId, limit }: OwedRowQuery): Effect.Effect<ReadonlyArray<OwedRow>, SqlError> =>
    Effect.map(
      sql<Row>`SELECT * FROM signalbox_owed WHERE ${sql.and([
        sql`mark < seq`,
        ...(deploymentId === undefined ? [] : [sql`deployment_id = ${deploymentId}`])
      ])} ORDER BY at LIMIT ${limit}`,
      (rows) => rows.map(owedRow)
    )

  const due = ({
    channels,
    deploymentId,
    limit,
    statuses,
    until
  }: DueRowQuery): Effect.Effect<ReadonlyArray<DeliveryRow>, SqlError> =>
    Effect.map(
      sql<Row>`SELECT * FROM signalbox_deliveries WHERE ${sql.and([
        sql`next_at > 0`,
        sql`next_at <= ${until}`,
        ...(channels === undefined ? [] : [channels.length === 0 ? sql`1 = 0` : sql`channel IN ${sql.in(channels)}`]),
        ...(statuses === undefined ? [] : [sql`status IN ${sql.in(statuses)}`]),
        ...(deploymentId === undefined ? [] : [sql`deployment_id = ${deploymentId}`])
      ])} ORDER BY next_at, created_at, seq, id LIMIT ${limit}`,
      (rows) => rows.map(deliveryRow)
    )

  const deliveries = (query: DeliveryRowQuery): Effect.Effect<ReadonlyArray<DeliveryRow>, SqlError> =>
    Effect.map(
      sql<Row>`SELECT * FROM signalbox_deliveries WHERE ${sql.and([
        sql`1 = 1`,
        ...(query.id === undefined ? [] : [sql`id = ${query.id}`]),
        ...(query.deploymentId === undefined ? [] : [sql`deployment_id = ${query.deploymentId}`]),
        ...(query.stream === undefined ? [] : [sql`stream = ${query.stream}`]),
        ...(query.channel === undefined ? [] : [sql`channel = ${query.channel}`]),
        ...(query.statuses === undefined || query.statuses.length === 0
          ? []
          : [sql`status IN ${sql.in(query.statuses)}`])
      ])} ORDER BY ${sql.literal(
        query.newestFirst === true ? "created_at DESC, seq DESC, id DESC" : "created_at, seq, id"
      )} LIMIT ${query.limit}`,
      (rows) => rows.map(deliveryRow)
    )

  const put = (rows: ReadonlyArray<DeliveryRow>) =>
    Effect.forEach(
      rows,
      (row) =>
        sql`INSERT INTO signalbox_deliveries ${sql.insert(columns(row))}
          ON CONFLICT (id) DO UPDATE SET status = EXCLUDED.status, attempts = EXCLUDED.attempts,
            next_at = EXCLUDED.next_at, updated_at = EXCLUDED.updated_at, body = EXCLUDED.body,
            receipt = EXCLUDED.receipt, error = EXCLUDED.error`,
      { discard: true }
    )

  const write = Effect.fnUntraced(function* (
    { deliveries: rows, guards, mark }: OutboxCommit,
    now: number
  ): Effect.fn.Return<OutboxOutcome, OutboxOutcome | SqlError> {
    const guard = yield* lostGuard(guards, now)
    if (guard !== undefined) return yield* Effect.fail<OutboxOutcome>("Lost")
    if (mark !== undefined) {
      const moved = yield* sql<Row>`UPDATE signalbox_owed SET mark = ${mark.to}, at = ${now}
        WHERE stream = ${mark.stream} AND mark = ${mark.from} RETURNING mark`
      if (moved.length === 0) return yield* Effect.fail<OutboxOutcome>("Stale")
    }
    yield* put(rows)
    return "Committed"
  })

  return {
    owed,
    due,
    deliveries,
    mark: (stream: string): Effect.Effect<OwedRow | undefined, SqlError> =>
      Effect.map(sql<Row>`SELECT * FROM signalbox_owed WHERE stream = ${stream}`, ([row]) =>
        row === undefined ? undefined : owedRow(row)
      ),
    commit: (commit: OutboxCommit): Effect.Effect<OutboxOutcome, SqlError> =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.catch(Effect.provideService(sql.withTransaction(write(commit, now)), Durability, "process"), (failure) =>
          typeof failure === "string" ? Effect.succeed(failure) : Effect.fail(failure)
        )
      )
  }
}
