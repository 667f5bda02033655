/**
 * The stores of the Node runtime.
 *
 * @since 0.1.0
 */
import { layerSql } from "@signalbox/core/store"
import type { DeploymentStore, LeaseStore, StoreError } from "@signalbox/core/spi"
import * as Layer from "effect/Layer"
import { join } from "node:path"
import * as Sqlite from "./Sqlite.ts"

/** The name of the embedded database in its folder. @since 0.1.0 */
export const storeFile = "signalbox.db"

/**
 * Both stores in one SQLite file of a folder, without a server. Several processes may use it at once.
 *
 * @since 0.1.0
 */
export const embeddedStore = (options: {
  readonly directory: string
  readonly synchronous?: "full" | "normal"
}): Layer.Layer<DeploymentStore | LeaseStore, StoreError> =>
  Layer.provide(
    layerSql,
    Sqlite.layer({
      filename: join(options.directory, storeFile),
      ...(options.synchronous === undefined ? {} : { synchronous: options.synchronous })
    })
  )
