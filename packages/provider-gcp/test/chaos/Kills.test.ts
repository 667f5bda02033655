import { describe, it } from "vitest"
import { build } from "../../../cli/test/binary.ts"
import { killed } from "./kills.ts"

describe("a command that is killed", { timeout: 900_000 }, () => {
  it("leaves no second revision, no second execution and no foreign change behind", async () => {
    await killed(build().path, 6, 1)
  })
})
