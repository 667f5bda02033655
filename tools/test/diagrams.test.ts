import { describe, expect, it } from "vitest"
import { page } from "../../scripts/diagrams.ts"
import { read } from "./repository.ts"

describe("docs/state-machines.md", () => {
  it("shows the tables as they are (node_modules/.bin/node scripts/diagrams.ts draws it again)", () => {
    expect(read("docs/state-machines.md")).toBe(page())
  })
})
