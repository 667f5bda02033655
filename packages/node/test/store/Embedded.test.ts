import { embeddedStore, storeFile } from "@signalbox/node"
import { DeploymentStoreSuite, LeaseStoreSuite } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterAll } from "vitest"
import { temporaryDirectory } from "../support/directory.ts"

for (const synchronous of ["full", "normal"] as const) {
  const directory = temporaryDirectory(afterAll)
  const read = <A>(query: (database: DatabaseSync) => A) =>
    Effect.sync(() => {
      const database = new DatabaseSync(join(directory, storeFile), { readOnly: true })
      try {
        return query(database)
      } finally {
        database.close()
      }
    })
  DeploymentStoreSuite.suite(`the embedded store, ${synchronous},`, embeddedStore({ directory, synchronous }), {
    another: embeddedStore({ directory, synchronous }),
    probe: (stream) =>
      read((database) =>
        database
          .prepare("SELECT id FROM signalbox_events WHERE stream = ? ORDER BY seq")
          .all(stream)
          .map(({ id }) => String(id)))
  })
  LeaseStoreSuite.suite(`the embedded store, ${synchronous},`, embeddedStore({ directory, synchronous }), {
    another: embeddedStore({ directory, synchronous }),
    probe: (key) =>
      read((database) => {
        const row = database.prepare("SELECT fence FROM signalbox_leases WHERE key = ?").get(key)
        return row === undefined ? undefined : Number(row.fence)
      })
  })
}
