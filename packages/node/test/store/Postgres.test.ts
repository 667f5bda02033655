import { postgresStore } from "@signalbox/node"
import { DeploymentStoreSuite, LeaseStoreSuite } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { afterAll } from "vitest"
import { startPostgres } from "../support/postgres.ts"

const postgres = await startPostgres()

if (postgres !== undefined) {
  afterAll(postgres.stop)
  const url = postgres.database()
  const layer = postgresStore({ url: Redacted.make(url) })
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`
  DeploymentStoreSuite.suite("Postgres", layer, {
    another: layer,
    probe: (stream) =>
      Effect.sync(() => postgres.psql(url, `SELECT id FROM signalbox_events WHERE stream = ${quoted(stream)} ORDER BY seq`))
  })
  LeaseStoreSuite.suite("Postgres", layer, {
    another: layer,
    probe: (key) =>
      Effect.sync(() => {
        const [fence] = postgres.psql(url, `SELECT fence FROM signalbox_leases WHERE key = ${quoted(key)}`)
        return fence === undefined ? undefined : Number(fence)
      })
  })
}
