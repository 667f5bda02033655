import { assert, it } from "vitest"
import { build } from "../../../../cli/test/binary.ts"
import { killed } from "./kills.ts"

it("finishes what was killed, once, without touching what belongs to others", async () => {
  const { capacity, kills } = await killed(build().path, 3, 1)
  assert.isAtLeast(kills, 3)
  assert.isAtLeast(capacity, 2)
})
