import { describe, it } from "vitest"
import { build } from "../../../cli/test/binary.ts"
import { backend } from "./kills/backend.ts"
import { killed } from "./kills/kills.ts"
import { firebaseSite } from "./kills/site.ts"

describe("a command that is killed", { concurrent: true, timeout: 900_000 }, () => {
  it("leaves no second revision, no second execution and no foreign change behind", async () => {
    await killed(backend, { program: build().path, kills: 4, seed: 1 })
  })

  it("leaves no second release, no unfinished version and no foreign change behind", async () => {
    await killed(firebaseSite, { program: build().path, kills: 4, seed: 1 })
  })
})
