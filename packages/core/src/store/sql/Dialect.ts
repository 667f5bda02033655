/**
 * Where SQLite and Postgres differ.
 *
 * *Details*: SQLite assigns positions itself, one above the largest, because its transactions commit one after the
 * other. So that none is reused, `prune` keeps the newest event as a row without stream and content. In Postgres,
 * transactions overlap, and sequence numbers become visible out of order, so that a reader that continues from the last
 * position would miss events. There, the position is the id of the writing transaction and a number within it (10
 * bits), and only positions below the oldest transaction in progress are read across streams: everything below is
 * complete. The price: such a read waits for every writing transaction of the server, including other programs'.
 *
 * Leases expire by the clock of the Effect runtime on SQLite (one host) and by the server's on Postgres (many hosts).
 */
import type { SqlClient } from "effect/sql/SqlClient"

export interface Dialect {
  readonly name: "sqlite" | "pg"
  /** `?` or `$1`, with the cast where the type cannot be inferred. */
  readonly parameter: (index: number, type: "text" | "int") => string
  /** The time in milliseconds; `parameter` is this process's time. */
  readonly now: (parameter: string) => string
  /** Columns and values that give an event its position; `ordinal` counts within the statement. */
  readonly position: { readonly column: string; readonly value: (ordinal: number) => string }
  /** What keeps a lease row unchanged until the transaction ends. */
  readonly lock: string
  /** Keeps the planner from using the index of `position`. */
  readonly unindexed: (column: string) => string
  /** Condition for complete positions. */
  readonly complete: string
  /** Positions that other transactions may still come before. */
  readonly open: string
  readonly like: string
}

const base = "(SELECT position_base FROM signalbox_schema)"

const sqlite: Dialect = {
  name: "sqlite",
  parameter: () => "?",
  now: (parameter) => parameter,
  position: { column: "", value: () => "" },
  lock: "",
  unindexed: (column) => `+${column}`,
  complete: "stream <> ''",
  open: "1 = 0",
  like: "LIKE"
}

const boundary = `(pg_snapshot_xmin(pg_current_snapshot())::text::bigint + ${base}) * 1024`

const pg: Dialect = {
  name: "pg",
  parameter: (index, type) => `$${index}::${type === "int" ? "bigint" : "text"}`,
  now: () => "(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
  position: {
    column: "position, ",
    value: (ordinal) => `(pg_current_xact_id()::text::bigint + ${base}) * 1024 + ${ordinal}, `
  },
  lock: " FOR SHARE",
  unindexed: (column) => `(${column} + 0)`,
  complete: `position < ${boundary}`,
  open: `position >= ${boundary}`,
  like: "ILIKE"
}

export const dialectOf = (sql: SqlClient): Dialect => sql.onDialectOrElse({ pg: () => pg, orElse: () => sqlite })
