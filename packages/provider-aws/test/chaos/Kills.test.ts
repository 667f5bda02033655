/**
 * The small form of `npm run chaos -- aws`, and the judge with invented events.
 */
import type { StackEvent } from "@aws-sdk/client-cloudformation"
import { assert, describe, it } from "vitest"
import { sharedProgram } from "../../../cli/test/sharedProgram.ts"
import { endpoint } from "../emulator.ts"
import { disturbed, duplicates } from "./judge.ts"
import { newRun, world } from "./Kills.ts"

describe.skipIf(endpoint === undefined)("commands that are killed", () => {
  it("leave what the same command finishes; nothing begins twice, and nothing of others changes", async () => {
    const run = newRun(sharedProgram(), 5, 8)
    const tokens = (await Promise.all([world(run, 0), world(run, 1)])).flat()
    assert.deepStrictEqual(run.problems, [])
    assert.isAbove(tokens.length, 0)
    assert.isAtLeast(
      [...run.kills.values()].reduce((sum, kills) => sum + kills, 0),
      8
    )
  })
})

describe("the judge of kills", () => {
  const stack = (status: string, token: string): StackEvent => ({
    StackId: "stack",
    StackName: "the-api",
    EventId: `${status} ${token}`,
    PhysicalResourceId: "stack",
    Timestamp: new Date(0),
    ResourceStatus: status as NonNullable<StackEvent["ResourceStatus"]>,
    ClientRequestToken: token
  })
  const operation = (token: string) => [stack("UPDATE_IN_PROGRESS", token), stack("UPDATE_COMPLETE", token)]

  it("finds an operation that began twice, and one with an unknown token", () => {
    assert.deepStrictEqual(duplicates([...operation("sb-1"), ...operation("theirs-1"), ...operation("sb-2")]), [])
    assert.deepStrictEqual(duplicates([...operation("sb-1"), ...operation("sb-2"), ...operation("sb-1")]), [
      "sb-1 began twice"
    ])
    assert.deepStrictEqual(duplicates(operation("x")), [`an operation has the token "x"`])
  })

  it("finds an operation of others that was cancelled, or did not end", () => {
    assert.deepStrictEqual(disturbed([...operation("theirs-1"), ...operation("sb-1")]), [])
    const cancelled = [
      stack("UPDATE_IN_PROGRESS", "theirs-1"),
      stack("UPDATE_ROLLBACK_IN_PROGRESS", "sb-1"),
      stack("UPDATE_ROLLBACK_COMPLETE", "sb-1")
    ]
    assert.deepStrictEqual(disturbed(cancelled), ["theirs-1 did not end with UPDATE_COMPLETE"])
    assert.deepStrictEqual(
      disturbed([stack("UPDATE_IN_PROGRESS", "theirs-1"), ...operation("sb-1"), ...operation("theirs-1")]),
      ["sb-1 (UPDATE_IN_PROGRESS) disturbed theirs-1"]
    )
  })
})
