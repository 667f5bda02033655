import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Fragment, Statement } from "effect/sql/Statement"
import { type Lease, LeasePurpose } from "../../spi/LeaseStore.ts"
import type {
  DeploymentRow,
  EnvironmentRow,
  EventRow,
  EventRowQuery,
  ExecutionRow,
  ExecutionRowQuery,
  StreamHead
} from "../Encoded.ts"
import type { Dialect } from "./Dialect.ts"

type Row = { readonly [column: string]: unknown }

const text = (value: unknown): string => value as string
const orNull = (value: unknown): string | null => value as string | null
// Postgres returns 64-bit integers as text or bigint; all stored values fit a number.
const int = (value: unknown): number => Number(value)

const eventRow = (row: Row): EventRow => ({
  stream: text(row.stream),
  seq: int(row.seq),
  position: int(row.position),
  id: text(row.id),
  at: int(row.at),
  tag: text(row.tag),
  deploymentId: text(row.deployment_id),
  environment: orNull(row.environment),
  body: text(row.body)
})

const executionRow = (row: Row): ExecutionRow => ({
  stream: text(row.stream),
  deploymentId: text(row.deployment_id),
  environment: text(row.environment),
  kind: text(row.kind),
  status: text(row.status),
  finished: int(row.finished) === 1,
  requestedAt: int(row.requested_at),
  search: text(row.search),
  generation: int(row.generation),
  state: text(row.state)
})

const environmentRow = (row: Row): EnvironmentRow => ({
  deploymentId: text(row.deployment_id),
  environment: text(row.environment),
  version: int(row.version),
  generation: int(row.generation),
  state: text(row.state)
})

const deploymentRow = (row: Row): DeploymentRow => ({
  deploymentId: text(row.deployment_id),
  createdAt: int(row.created_at),
  generation: int(row.generation),
  state: text(row.state)
})

const purposeOf = Schema.decodeSync(Schema.fromJsonString(LeasePurpose))

const leaseOf = (row: Row): Lease => ({
  key: text(row.key),
  holder: text(row.holder),
  owner: text(row.owner),
  fence: int(row.fence),
  acquiredAt: int(row.acquired_at),
  expiresAt: int(row.expires_at),
  ...(row.purpose === null ? {} : { purpose: purposeOf(text(row.purpose)) })
})

const substring = (text: string): string => `%${text.replace(/[\\%_]/g, "\\$&")}%`

/** The queries, each over an index that holds its order. */
export const makeRead = (sql: SqlClient, dialect: Dialect) => {
  const like = sql.literal(dialect.like)
  /**
   * A statement whose plan depends on the values. Postgres plans it again each time: a generic plan may walk the whole
   * log backwards for a rare value.
   */
  const planned = (statement: Statement<Row>): Effect.Effect<ReadonlyArray<Row>, SqlError> =>
    dialect.name === "pg" ? statement.unprepared : statement
  const first =
    <A>(decode: (row: Row) => A) =>
    (rows: ReadonlyArray<Row>): A | undefined =>
      rows[0] === undefined ? undefined : decode(rows[0])

  const execution = (stream: string): Effect.Effect<ExecutionRow | undefined, SqlError> =>
    Effect.map(sql<Row>`SELECT * FROM signalbox_executions WHERE stream = ${stream}`, first(executionRow))
  const deployment = (id: string): Effect.Effect<DeploymentRow | undefined, SqlError> =>
    Effect.map(sql<Row>`SELECT * FROM signalbox_deployments WHERE deployment_id = ${id}`, first(deploymentRow))

  const head = Effect.fnUntraced(function* (stream: string, after: number): Effect.fn.Return<StreamHead, SqlError> {
    const events = yield* sql<Row>`
      SELECT seq, id FROM signalbox_events WHERE stream = ${stream} AND seq >= ${after} ORDER BY seq`
    const continues = after === 0 || Number(events[0]?.seq) === after
    if (!continues) return { ...(yield* head(stream, 0)), continues }
    return {
      seq: Number(events.at(-1)?.seq ?? 0),
      ids: events.map(({ id }) => text(id)),
      continues,
      execution: yield* execution(stream),
      deployment: yield* deployment(stream)
    }
  })

  const eventConditions = (query: EventRowQuery): ReadonlyArray<Fragment> => [
    ...(query.deploymentId === undefined ? [] : [sql`deployment_id = ${query.deploymentId}`]),
    ...(query.environment === undefined ? [] : [sql`environment = ${query.environment}`]),
    ...(query.tags === undefined ? [] : [query.tags.length === 0 ? sql`1 = 0` : sql`tag IN ${sql.in(query.tags)}`]),
    ...(query.since === undefined ? [] : [sql`at >= ${query.since}`]),
    ...(query.until === undefined ? [] : [sql`at <= ${query.until}`]),
    ...(query.text === undefined ? [] : [sql`body ${like} ${substring(query.text)} ESCAPE '\\'`])
  ]

  /** Positions grow with `seq`: searches back from the newest event for the first one that was already seen. */
  const eventsOfStream = (stream: string, query: EventRowQuery) =>
    sql<Row>`SELECT * FROM signalbox_events WHERE ${sql.and([
      sql`stream = ${stream}`,
      ...(query.after <= 0
        ? []
        : [
            sql`seq > COALESCE((SELECT seq FROM signalbox_events WHERE stream = ${stream}
              AND ${sql.literal(dialect.unindexed("position"))} <= ${query.after} ORDER BY seq DESC LIMIT 1), 0)`
          ]),
      ...eventConditions(query)
    ])} ORDER BY seq LIMIT ${query.limit}`

  const eventsOfAll = (query: EventRowQuery) =>
    sql<Row>`SELECT * FROM signalbox_events WHERE ${sql.and([
      sql`position > ${query.after}`,
      sql.literal(dialect.complete),
      ...eventConditions(query)
    ])} ORDER BY position LIMIT ${query.limit}`

  const executionConditions = (query: ExecutionRowQuery): ReadonlyArray<Fragment> => [
    ...(query.deploymentId === undefined ? [] : [sql`deployment_id = ${query.deploymentId}`]),
    ...(query.environment === undefined ? [] : [sql`environment = ${query.environment}`]),
    ...(query.statuses === undefined ? [] : [oneOf("status", query.statuses)]),
    ...(query.kinds === undefined ? [] : [oneOf("kind", query.kinds)]),
    ...(query.finished === undefined ? [] : [sql.literal(query.finished ? "finished = 1" : "finished = 0")]),
    ...(query.since === undefined ? [] : [sql`requested_at >= ${query.since}`]),
    ...(query.until === undefined ? [] : [sql`requested_at <= ${query.until}`]),
    ...(query.text === undefined ? [] : [sql`search LIKE ${substring(query.text)} ESCAPE '\\'`]),
    ...(query.before === undefined
      ? []
      : [sql`(requested_at, stream) < (${query.before.requestedAt}, ${query.before.stream})`])
  ]

  const oneOf = (column: string, values: ReadonlyArray<string>): Fragment =>
    values.length === 0
      ? sql`1 = 0`
      : values.length === 1
        ? sql`${sql(column)} = ${values[0]}`
        : sql`${sql(column)} IN ${sql.in(values)}`

  return {
    head,
    execution,
    deployment,
    events: (query: EventRowQuery): Effect.Effect<ReadonlyArray<EventRow>, SqlError> =>
      Effect.map(
        planned(query.stream === undefined ? eventsOfAll(query) : eventsOfStream(query.stream, query)),
        (rows) => rows.map(eventRow)
      ),
    executions: (query: ExecutionRowQuery): Effect.Effect<ReadonlyArray<ExecutionRow>, SqlError> =>
      Effect.map(
        planned(
          sql<Row>`SELECT * FROM signalbox_executions WHERE ${sql.and([
            sql`1 = 1`,
            ...executionConditions(query)
          ])} ORDER BY requested_at DESC, stream DESC LIMIT ${query.limit}`
        ),
        (rows) => rows.map(executionRow)
      ),
    deployments: Effect.map(sql<Row>`SELECT * FROM signalbox_deployments ORDER BY created_at, deployment_id`, (rows) =>
      rows.map(deploymentRow)
    ),
    environment: (id: string, environment: string): Effect.Effect<EnvironmentRow | undefined, SqlError> =>
      Effect.map(
        sql<Row>`SELECT * FROM signalbox_environments WHERE deployment_id = ${id} AND environment = ${environment}`,
        first(environmentRow)
      ),
    environments: (id: string): Effect.Effect<ReadonlyArray<EnvironmentRow>, SqlError> =>
      Effect.map(
        sql<Row>`SELECT * FROM signalbox_environments WHERE deployment_id = ${id} ORDER BY environment`,
        (rows) => rows.map(environmentRow)
      ),
    newest: Effect.map(
      dialect.name === "pg"
        ? sql<Row>`SELECT position FROM signalbox_events WHERE ${sql.literal(dialect.complete)}
            ORDER BY position DESC LIMIT 1`
        : sql<Row>`SELECT max(position) AS position FROM signalbox_events`,
      (rows) => Number(rows[0]?.position ?? 0)
    ),
    /**
     * Differs whenever a transaction with events was committed on Postgres, also while the feed across streams waits for an
     * older one: a live view of one stream then reads its own events.
     */
    version: Effect.map(
      sql<Row>`SELECT
        (SELECT position FROM signalbox_events WHERE ${sql.literal(dialect.complete)} ORDER BY position DESC LIMIT 1) AS newest,
        (SELECT max(position) FROM signalbox_events) AS last,
        (SELECT count(*) FROM signalbox_events WHERE ${sql.literal(dialect.open)}) AS open`,
      ([row]) => `${String(row?.newest)}/${String(row?.last)}/${String(row?.open)}`
    ),
    lease: (key: string): Effect.Effect<Lease | undefined, SqlError> =>
      Effect.map(sql<Row>`SELECT * FROM signalbox_leases WHERE key = ${key}`, first(leaseOf)),
    leases: Effect.map(sql<Row>`SELECT * FROM signalbox_leases WHERE expires_at > 0 ORDER BY key`, (rows) =>
      rows.map(leaseOf)
    )
  }
}
