import { assert, describe, it } from "vitest"
import { versions } from "./Versions.ts"

describe("two generations on one Postgres", () => {
  it("corrupt nothing and erase nothing", async () => {
    const report = await versions(4)
    // No Postgres is installed; its absence was said.
    if (report === undefined) return
    assert.deepEqual(report.problems, [])
    const { "newer-1": newer, "older-1": older } = report.workers
    assert.isAbove(older!.completed.length, 0)
    assert.isAbove(newer!.completed.length, 0)
    // The older one met what it does not know, and what it may not change.
    assert.isAbove(older!.unknown, 0)
    assert.deepEqual([older!.refused, older!.written], [older!.attempts, 0])
  })
})
