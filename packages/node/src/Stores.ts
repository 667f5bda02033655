/**
 * The stores of the Node runtime.
 */
import type { DeploymentStore, LeaseStore, StoreError } from "@signalbox/core/spi"
import { layerEncoded, makeSql } from "@signalbox/core/store"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"
import { existsSync, realpathSync } from "node:fs"
import { join, resolve } from "node:path"
import { commandsHere } from "./command/commandsHere.ts"
import * as Sqlite from "./Sqlite.ts"
import { whenThere } from "./whenThere.ts"

/** The name of the embedded database in its folder. */
export const storeFile = "signalbox.db"

/**
 * Both stores in one SQLite file of a folder, without a server. Several processes may use it at once.
 *
 * *Details*: the first write creates the folder and the file (mode 0600). Until then the store is empty, and reading
 * creates nothing. `synchronous`: `full` survives power loss, `normal` only the end of the process (default `full`).
 */
export const embeddedStore = (options: {
  readonly directory: string
  readonly synchronous?: "full" | "normal"
}): Layer.Layer<DeploymentStore | LeaseStore> => {
  const filename = join(options.directory, storeFile)
  const stores = layerEncoded(
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      const client = Sqlite.layer({
        filename,
        ...(options.synchronous === undefined ? {} : { synchronous: options.synchronous })
      })
      const open = yield* onceDone(
        Effect.flatMap(Layer.buildWithScope(client, scope), (context) => Effect.provideContext(makeSql, context))
      )
      return whenThere(
        Effect.sync(() => existsSync(filename)),
        open
      )
    })
  )
  return Layer.merge(
    stores,
    commandsHere(() => folderOf(options.directory))
  )
}

/** The same for every path that leads to this folder, through any links. */
const folderOf = (directory: string): string => {
  try {
    return realpathSync(directory)
  } catch {
    return resolve(directory)
  }
}

/** Does it once; if it failed, the next caller tries again. */
const onceDone = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<Effect.Effect<A, E>> =>
  Effect.map(Semaphore.make(1), (semaphore) => {
    let done: A | undefined
    const attempt = semaphore.withPermit(
      Effect.suspend(() =>
        done === undefined
          ? Effect.tap(effect, (value) => {
              done = value
              return Effect.void
            })
          : Effect.succeed(done)
      )
    )
    return Effect.suspend(() => (done === undefined ? attempt : Effect.succeed(done)))
  })

/**
 * Both stores in a Postgres database, for many hosts. Leases expire by the clock of the server.
 *
 * *Details*: processes notify each other of changes by `NOTIFY`, after the commit and at most once at a time; besides
 * that they poll every 250 ms. `maxConnections` is the limit of this process (default 10); one more listens.
 */
export const postgresStore = (options: {
  readonly url: Redacted.Redacted
  readonly maxConnections?: number
}): Layer.Layer<DeploymentStore | LeaseStore, StoreError> =>
  Layer.merge(
    Layer.unwrap(Effect.map(loadPostgres, ({ layerPostgres }) => layerPostgres(options))),
    commandsHere(() => databaseOf(Redacted.value(options.url)))
  )

/** The database of a URL, without how it is reached. */
export const databaseOf = (url: string): string => {
  if (!URL.canParse(url)) return "postgres"
  const { host, pathname } = new URL(url)
  return `${host}${pathname}`
}

const loadPostgres = Effect.promise(() => import("./layerPostgres.ts"))
