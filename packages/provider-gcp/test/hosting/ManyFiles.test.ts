import { assert, describe, it } from "vitest"
import { build } from "../../../cli/test/binary.ts"
import { uploaded } from "../chaos/uploads.ts"

describe("a site of many files", { timeout: 900_000 }, () => {
  it("is uploaded to its end by another command, each file once", async () => {
    const { after, before } = await uploaded(build().path, 300)
    assert.isAbove(before, 0)
    assert.isAbove(after, 0)
  })
})
