import { assert, describe, it } from "@effect/vitest"
import { afterAll } from "vitest"
import { temporaryDirectory } from "../support/directory.ts"
import { startPostgres } from "../support/postgres.ts"
import { latency, storm } from "./storm.ts"

const postgres = await startPostgres()
afterAll(() => postgres?.stop())

const small = { executions: 5, kills: 2, awaySeconds: 1, hangs: false }

/** The small form of `storm.ts`. */
describe("a storm of notifications", { concurrent: true }, () => {
  const weather = async (where: string) => {
    const { duplicates, expected, lost, unordered } = await storm({ where, ...small })
    assert.strictEqual(expected, 200)
    assert.strictEqual(lost, 0)
    assert.strictEqual(unordered, 0)
    // A worker that is killed between the answer and its own write sends again, at most what was on its way.
    assert.isAtMost(duplicates.afterKill, 2 * 2 * 2)
  }

  it("loses nothing and keeps the order on SQLite", () => weather(temporaryDirectory(afterAll)), 240_000)

  it("tells a receiver of every failure", async () => {
    const { n } = await latency(temporaryDirectory(afterAll), 3)
    assert.strictEqual(n, 4)
  })

  it.skipIf(postgres === undefined)(
    "loses nothing and keeps the order on Postgres",
    () => weather(postgres!.database()),
    240_000
  )
})
