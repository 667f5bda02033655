/**
 * `signalbox run` from folders that share only a database. Skipped with a message if Postgres is not installed.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Postgres, startPostgres } from "../../node/test/support/postgres.ts"
import { type Binary, build } from "./binary.ts"
import { until } from "./chaos/processes.ts"
import { start } from "./running.ts"
import { temporary } from "./support.ts"

const postgres: Postgres | undefined = await startPostgres()

let binary: Binary
const folders = [temporary("here"), temporary("there")] as const
beforeAll(() => void (binary = build()))
afterAll(async () => {
  await postgres?.stop()
  for (const folder of folders) Fs.rmSync(folder, { recursive: true, force: true })
})

const holding = ["run", "--correlation-id", "one", "--", "sh", "-c", "echo holding; sleep 100"]

describe.skipIf(postgres === undefined)("in Postgres", () => {
  it("a command waits for its admission in Postgres, from folders that do not know each other", async () => {
    const [here, there] = folders
    const env = { SIGNALBOX_DATABASE_URL: postgres!.database(), GITHUB_REPOSITORY: "acme/shop" }
    const first = start(binary, here, holding, env)
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
  })

  it("a folder knows its deployment, also in a database that does not know it yet", async () => {
    const cwd = Fs.mkdtempSync(Path.join(folders[0], "configured-"))
    const stacks = [
      { name: "web", provider: "local", properties: { command: ["node", "x.mjs"], artifact: ".", port: 0 } }
    ]
    const config = { organization: "acme", project: "shop", environments: { production: {} }, stacks }
    Fs.writeFileSync(Path.join(cwd, "signalbox.config.json"), JSON.stringify(config))
    const within = (url: string) => {
      const env = { SIGNALBOX_DATABASE_URL: url }
      return async (command: string, ...argv: ReadonlyArray<string>) => {
        const { code, stderr, stdout } = await binary.run(cwd, [command, "--json", ...argv], { env })
        return code === 0 ? JSON.parse(stdout) : [code, JSON.parse(stderr).error.code]
      }
    }
    const one = within(postgres!.database())
    const nowhere = new URL(postgres!.database())
    nowhere.pathname = "/none"
    assert.deepEqual(await within(nowhere.href)("can-deploy", "DX6604E"), [64, "store_misconfigured"])
    const { deploymentId } = await one("init")
    assert.strictEqual((await one("status")).deploymentId, deploymentId)
    assert.deepEqual(await one("init"), [1, "already_initialized"])
    assert.isTrue((await one("can-deploy")).canDeploy)
    const other = within(postgres!.database())
    assert.deepEqual(await other("can-deploy"), [4, "unknown_deployment"])
    assert.deepEqual(await other("init", "--id", "DX6604E"), [1, "already_initialized"])
    assert.strictEqual((await other("init")).deploymentId, deploymentId)
    assert.isTrue((await other("can-deploy")).canDeploy)
    assert.isFalse(Fs.existsSync(Path.join(cwd, ".signalbox")))
    await other("run", "--", "true")
    const state = Fs.readFileSync(Path.join(cwd, ".deployment-state.yaml"), "utf8")
    assert.match(state, /^deployment_status: deployed$/m)
  })

  it("shows the lease holder, and waits quietly, even with a clock that is ahead", async () => {
    const [here, there] = folders
    const url = postgres!.database()
    const env = { SIGNALBOX_DATABASE_URL: url, GITHUB_REPOSITORY: "acme/shop" }
    const clock = Path.join(there, "clock.mjs")
    Fs.writeFileSync(clock, "const now = Date.now; Date.now = () => now() + 20_000")
    const ahead = { ...env, NODE_OPTIONS: `--import ${clock}` }
    const first = start(binary, here, holding, env)
    try {
      await first.says(/holding/)
      const asked = await binary.run(there, ["can-deploy"], { env: ahead })
      assert.strictEqual(asked.code, 2, asked.stdout)
      assert.include((await binary.run(there, ["lock", "show"], { env: ahead })).stdout, "one")
      const second = start(binary, there, ["run", "--correlation-id", "two", "--", "true"], ahead)
      await second.says(/waiting/)
      const [transactions, endsAt] = [
        "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()",
        "SELECT expires_at FROM signalbox_leases WHERE key LIKE 'environment/%'"
      ].map((sql) => () => Number(postgres!.psql(url, sql)[0])) as [() => number, () => number]
      const [before, end, begun] = [transactions(), endsAt(), performance.now()]
      // As long as a renewal of the lease takes.
      assert.isTrue(await until(() => endsAt() > end, 300_000, 500))
      const perSecond = ((transactions() - before) * 1_000) / (performance.now() - begun)
      assert.isBelow(perSecond, 150)
      const freed = await binary.run(there, ["lock", "release", "--force", "--reason", "it hangs"], { env: ahead })
      assert.strictEqual(freed.code, 0, freed.stderr)
      assert.strictEqual((await second.ended).code, 0)
    } finally {
      first.child.kill("SIGKILL")
    }
  })
})
