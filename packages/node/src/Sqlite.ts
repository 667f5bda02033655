/**
 * A SQL client over `node:sqlite`: only what Signalbox needs, until `@effect/sql-sqlite-node` exists for this version
 * of Effect.
 */
import { Durability } from "@signalbox/core/store"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import { accessSync, closeSync, constants, existsSync, openSync } from "node:fs"
import { dirname } from "node:path"
import { makeStateFolder } from "./makeStateFolder.ts"
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite"
import { pathToFileURL } from "node:url"

/**
 * The file, and its options.
 *
 * *Details*: the folder and the file (mode 0600) are created with the first statement, not with the layer; if `create`
 * is false (default true), a missing file fails as `ConnectionError` and nothing is created. `synchronous` `full`
 * survives power loss, `normal` only the end of the process (default `full`). A statement waits up to `busyTimeout`
 * milliseconds (default 10,000) for writers of other processes, without blocking this one. `setup` holds more
 * statements for the new connection.
 */
export interface SqliteOptions {
  readonly filename: string
  readonly synchronous?: "full" | "normal"
  readonly create?: boolean
  readonly busyTimeout?: number
  readonly setup?: ReadonlyArray<string>
}

/** How many statements are kept prepared. */
const prepared = 256

/**
 * The client, on one connection: WAL, foreign keys, `BEGIN IMMEDIATE`.
 */
export const make = (
  options: SqliteOptions
): Effect.Effect<SqlClient.SqlClient, never, Scope.Scope | Reactivity.Reactivity> =>
  Effect.gen(function* () {
    let database: DatabaseSync | undefined
    yield* Effect.addFinalizer(() => Effect.sync(() => database?.close()))
    const statements = new Map<string, StatementSync>()

    const statementFor = (db: DatabaseSync, text: string): StatementSync => {
      let statement = statements.get(text)
      if (statement === undefined) {
        statement = db.prepare(text)
        if (statements.size >= prepared) statements.delete(statements.keys().next().value!)
        statements.set(text, statement)
      }
      return statement
    }

    const attempt = <A>(operation: string, run: () => A): Effect.Effect<A, SqlError> => {
      const deadline = performance.now() + (options.busyTimeout ?? 10_000)
      const once: Effect.Effect<A, SqlError> = Effect.suspend(() => {
        try {
          return Effect.succeed(run())
        } catch (cause) {
          return isBusy(cause) && database?.isTransaction !== true && performance.now() < deadline
            ? Effect.andThen(pause, once)
            : Effect.fail(sqlError(operation, cause))
        }
      })
      return once
    }

    const connection: Effect.Effect<Sqlite, SqlError> = Effect.suspend(() =>
      database === undefined
        ? Effect.map(
            attempt("connect", () => open(options)),
            (opened) => {
              database = opened
              return sqlite
            }
          )
        : Effect.succeed(sqlite)
    )

    const all = (text: string, params: ReadonlyArray<unknown>) =>
      attempt("execute", () => statementFor(database!, text).all(...(params as ReadonlyArray<SQLInputValue>)))
    const unprepared = (text: string, params: ReadonlyArray<unknown>) =>
      attempt("execute", () => database!.prepare(text).all(...(params as ReadonlyArray<SQLInputValue>)))
    const values = (rows: ReadonlyArray<object>) => rows.map((row) => Object.values(row) as ReadonlyArray<unknown>)
    const transformed = (
      rows: ReadonlyArray<object>,
      transform: (<A extends object>(rows: ReadonlyArray<A>) => ReadonlyArray<A>) | undefined
    ) => (transform === undefined ? rows : transform(rows))

    const sqlite: Sqlite = {
      isTransaction: () => database?.isTransaction === true,
      execute: (text, params, transform) => Effect.map(all(text, params), (rows) => transformed(rows, transform)),
      executeRaw: all,
      executeValues: (text, params) => Effect.map(all(text, params), values),
      executeValuesUnprepared: (text, params) => Effect.map(unprepared(text, params), values),
      executeUnprepared: (text, params, transform) =>
        Effect.map(unprepared(text, params), (rows) => transformed(rows, transform)),
      executeStream: (text, params, transform) =>
        Stream.unwrap(Effect.map(all(text, params), (rows) => Stream.fromIterable(transformed(rows, transform))))
    }

    const acquirers = SqlClient.makeSqliteAcquirers({
      connection,
      semaphore: Semaphore.makeUnsafe(1),
      isTransaction: (conn) => conn.isTransaction()
    })
    const synchronous = (level: string) => Effect.sync(() => database!.exec(`PRAGMA synchronous = ${level}`))

    return yield* SqlClient.make({
      ...acquirers,
      // A connection that is acquired for one transaction; what it sets ends before another one follows.
      transactionAcquirer: Effect.gen(function* () {
        const acquired = yield* acquirers.transactionAcquirer
        if (options.synchronous !== "normal" && (yield* Durability) === "process") {
          yield* Effect.acquireRelease(synchronous("normal"), () => synchronous("full"))
        }
        return acquired
      }),
      compiler: Statement.makeCompilerSqlite(),
      driver: "signalbox-sqlite",
      spanAttributes: [["db.system.name", "sqlite"]],
      prepareTransactionControls: true,
      beginTransaction: "BEGIN IMMEDIATE",
      releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`
    })
  })

/**
 * The client as a layer.
 */
export const layer = (options: SqliteOptions): Layer.Layer<SqlClient.SqlClient> =>
  Layer.effect(SqlClient.SqlClient, make(options)).pipe(Layer.provide(Reactivity.layer))

interface Sqlite extends Connection {
  readonly isTransaction: () => boolean
}

const open = ({ create = true, filename, setup = [], synchronous = "full" }: SqliteOptions): DatabaseSync => {
  if (filename !== ":memory:" && !existsSync(filename)) {
    if (!create) throw Object.assign(new Error(`${filename} does not exist`), { code: "ENOENT" })
    makeFolder(dirname(filename))
    // SQLite gives its other files the same mode.
    closeSync(openSync(filename, "a", 0o600))
  }
  if (isSealed(filename)) {
    return new DatabaseSync(new URL(`?immutable=1`, pathToFileURL(filename)), { readOnly: true })
  }
  // Long enough for a usual commit of another process; longer waits must not block this one.
  const database = new DatabaseSync(filename, { timeout: 5 })
  try {
    database.exec("PRAGMA journal_mode = WAL")
    database.exec(`PRAGMA synchronous = ${synchronous}`)
    database.exec("PRAGMA foreign_keys = ON")
    for (const statement of setup) database.exec(statement)
    return database
  } catch (cause) {
    database.close()
    throw cause
  }
}

const makeFolder = (folder: string): void => {
  try {
    makeStateFolder(folder)
  } catch (error) {
    // On a read-only file system, Node reports ENOENT; whether its parent is writable tells why.
    let parent = folder
    while (!existsSync(parent)) parent = dirname(parent)
    accessSync(parent, constants.W_OK)
    throw error
  }
}

/**
 * Whether nothing can be written beside the file and no process has it open. SQLite could then not create the files
 * that it needs to share it.
 */
const isSealed = (filename: string): boolean => {
  if (filename === ":memory:" || existsSync(`${filename}-wal`)) return false
  try {
    accessSync(dirname(filename), constants.W_OK)
    return false
  } catch {
    return true
  }
}

const codeOf = (cause: unknown): number =>
  typeof cause === "object" && cause !== null && "errcode" in cause ? Number(cause.errcode) & 0xff : 0

/** SQLITE_BUSY or SQLITE_LOCKED. */
const isBusy = (cause: unknown): boolean => codeOf(cause) === 5 || codeOf(cause) === 6

/** With Node's timers: a test clock must not stop a statement. */
const pause = Effect.callback<void>((resume) => {
  const timer = setTimeout(() => resume(Effect.void), 1 + Math.random() * 9)
  return Effect.sync(() => clearTimeout(timer))
})

const sqlError = (operation: string, cause: unknown): SqlError =>
  new SqlError({
    reason: classifySqliteError(cause, {
      message: cause instanceof Error ? cause.message : "the database failed",
      operation
    })
  })
