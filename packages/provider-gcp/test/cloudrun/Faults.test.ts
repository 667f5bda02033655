import { assert, describe, it } from "vitest"
import { underFaults } from "../chaos/faults.ts"

describe("a service under faults", () => {
  it("comes to the right end, with no change twice, in at most twice the calls", async () => {
    assert.isAtMost(await underFaults(6), 2)
  })
})
