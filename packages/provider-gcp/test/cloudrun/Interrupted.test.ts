import { describe, it } from "vitest"
import { interrupted } from "../chaos/interruptions.ts"

describe("a service whose deployments are interrupted", () => {
  it("gets no second revision of a template, no change twice and no foreign change", () => interrupted(40, 1))
})
