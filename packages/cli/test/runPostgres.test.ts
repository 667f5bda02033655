/**
 * `signalbox run` from folders that share a database and nothing else. Left out, aloud, where no Postgres is installed.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import { type Postgres, startPostgres } from "../../node/test/support/postgres.ts"
import { type Binary, build } from "./binary.ts"
import { until } from "./chaos/processes.ts"
import { start } from "./running.ts"
import { temporary } from "./support.ts"

let binary: Binary
let postgres: Postgres | undefined
const folders = [temporary("here"), temporary("there")] as const
beforeAll(async () => {
  binary = build()
  postgres = await startPostgres()
}, 120_000)
afterAll(async () => {
  await postgres?.stop()
  for (const folder of folders) Fs.rmSync(folder, { recursive: true, force: true })
  binary.remove()
}, 60_000)

it(
  "a command takes its turn in Postgres, from folders that know nothing of each other",
  { timeout: 120_000 },
  async () => {
    const [here, there] = folders
    const env = { SIGNALBOX_DATABASE_URL: postgres!.database(), GITHUB_REPOSITORY: "acme/shop" }
    const first = start(
      binary,
      here,
      ["run", "--correlation-id", "one", "--", "sh", "-c", "echo holding; sleep 100"],
      env
    )
    try {
      await first.says(/holding/)
      const second = start(binary, there, ["run", "--", "echo", "at last"], env)
      await second.says(/waiting/)
      first.child.kill("SIGTERM")
      assert.strictEqual((await first.ended).code, 143)
      assert.deepInclude(await second.ended, { code: 0, stdout: "at last\n" })
      assert.isFalse(Fs.existsSync(Path.join(there, ".signalbox", "signalbox.db")))
    } finally {
      first.child.kill("SIGKILL")
    }
  }
)

it("tells who has the lock, and waits in peace, also where its clock is ahead", { timeout: 120_000 }, async () => {
  const [here, there] = folders
  const url = postgres!.database()
  const env = { SIGNALBOX_DATABASE_URL: url, GITHUB_REPOSITORY: "acme/shop" }
  const clock = Path.join(there, "clock.mjs")
  Fs.writeFileSync(clock, "const now = Date.now; Date.now = () => now() + 20_000")
  const ahead = { ...env, NODE_OPTIONS: `--import ${clock}` }
  const first = start(
    binary,
    here,
    ["run", "--correlation-id", "one", "--", "sh", "-c", "echo holding; sleep 100"],
    env
  )
  try {
    await first.says(/holding/)
    const asked = await binary.run(there, ["can-deploy"], { env: ahead })
    assert.strictEqual(asked.code, 2, asked.stdout)
    assert.include((await binary.run(there, ["lock", "show"], { env: ahead })).stdout, "one")
    const second = start(binary, there, ["run", "--correlation-id", "two", "--", "true"], ahead)
    await second.says(/waiting/)
    const [transactions, endsAt] = [
      "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()",
      "SELECT expires_at FROM signalbox_leases WHERE key LIKE 'lock/%'"
    ].map((sql) => () => Number(postgres!.psql(url, sql)[0])) as [() => number, () => number]
    const [before, end, begun] = [transactions(), endsAt(), performance.now()]
    // As long as it takes to renew the lock.
    assert.isTrue(await until(() => endsAt() > end, 20_000, 500))
    const perSecond = ((transactions() - before) * 1_000) / (performance.now() - begun)
    assert.isBelow(perSecond, 150)
    const freed = await binary.run(there, ["lock", "release", "--force", "--reason", "it hangs"], { env: ahead })
    assert.strictEqual(freed.code, 0, freed.stderr)
    assert.strictEqual((await second.ended).code, 0)
  } finally {
    first.child.kill("SIGKILL")
  }
})
