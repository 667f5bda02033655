import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { assert, describe, it } from "vitest"

const main = fileURLToPath(new URL("main.ts", import.meta.url))

describe.skipIf(process.env["SIGNALBOX_TEST_AWS"] === undefined)("the example of CloudFormation", () => {
  it("deploys, goes back from a failure, rolls back and destroys", async () => {
    const { stderr, stdout } = await promisify(execFile)(process.execPath, [main])
    const said = stdout + stderr
    assert.include(said, "create Orders (AWS::DynamoDB::Table)")
    assert.include(said, "Ready (AWS::CloudFormation::WaitCondition)")
    assert.include(said, "DX6604E")
  })
})
