import { assert, describe, expect, it } from "vitest"
import { ApiError } from "../../src/testing/index.ts"
import { cloud, deploy, failure, mutation, run, simulated } from "./driver.ts"
import { candidate, image, measuringOf, ref } from "./platform.ts"

simulated()

const lines = ["one", "two", "three", "there is no DATABASE_URL"]
const script = `for (const line of ${JSON.stringify(lines)}) console.error(line); process.exit(1)`

/** The failure of a revision whose process ends. */
const failed = async () => {
  cloud().push(image("v2"), { command: [process.execPath, "-e", script] })
  await deploy("v1")
  const provider = measuringOf(cloud())
  const plan = await run(provider.plan(ref, candidate("v2")))
  return failure(provider.stage(ref, { plan, capacityPercent: 100 }, mutation()))
}

describe("the cause of a revision that fails", () => {
  it("has the last lines that it wrote", async () => {
    const { message, reason } = await failed()
    assert.strictEqual(reason._tag, "Broken")
    expect(message).toContain("failed to start and listen")
    expect(message).toContain("Its last lines: two / three / there is no DATABASE_URL")
  })

  it("has none if they cannot be read", async () => {
    cloud().fault({ method: "ListLogEntries", refuse: new ApiError("PERMISSION_DENIED", "Permission denied.") })
    const { message, reason } = await failed()
    assert.strictEqual(reason._tag, "Broken")
    expect(message).toMatch(/failed to start and listen on the port defined by PORT\.$/)
  })
})
