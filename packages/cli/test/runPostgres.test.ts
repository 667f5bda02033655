/**
 * `signalbox run` from folders that share a database and nothing else. Left out, aloud, where no Postgres is installed.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import { type Postgres, startPostgres } from "../../node/test/support/postgres.ts"
import { type Binary, build } from "./binary.ts"
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
