import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { assert, describe, it } from "vitest"
import type { Summary } from "./Summary.ts"

const main = fileURLToPath(new URL("main.ts", import.meta.url))

describe("the demo", () => {
  it("drops no request, rolls back by its gate, and ends in the wanted state", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [main, "--json"])
    const summary = JSON.parse(stdout) as Summary
    assert.isAbove(summary.requests, 100)
    assert.strictEqual(summary.dropped, 0)
    assert.strictEqual(summary.connectionErrors, 0)
    assert.strictEqual(summary.errorsOfOthers, 0)
    assert.isAbove(summary.errorsOfCandidate, 0)
    assert.isNotNull(summary.rollbackMs)
    assert.isTrue(summary.stableAgain)
  })
})
