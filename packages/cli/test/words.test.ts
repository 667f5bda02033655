import { assert, describe, it } from "vitest"
import { timeOf } from "../src/commands/coordinating.ts"
import { disagreement } from "../src/live/disagreement.ts"
import { ordinal } from "../src/live/queue.ts"
import { plain, printable, printableJson } from "../src/live/words.ts"

describe("words", () => {
  it("counts places", () => {
    assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 101, 112].map(ordinal), [
      "1st",
      "2nd",
      "3rd",
      "4th",
      "11th",
      "12th",
      "13th",
      "21st",
      "101st",
      "112th"
    ])
  })

  it("takes times with their offset, and nothing else", () => {
    assert.strictEqual(timeOf("2026-11-21T10:30:00+01:00")._tag, "Some")
    for (const wrong of ["2026-11-21", "2026-11-21T10:30:00", "1", "yesterday", ""]) {
      assert.strictEqual(timeOf(wrong)._tag, "None", wrong)
    }
  })

  it.each([
    ["deployed", ["deployed", "deployed"], undefined],
    ["deployed", ["deployed", "failed"], "the deployment is deployed, but b is failed"],
    ["partial", ["deployed", "failed"], "partial because of b"],
    ["failed", ["deployed", "deployed"], "the deployment is failed, but all its stacks are deployed"],
    ["failed", ["deployed", "failed"], undefined],
    ["destroyed", ["destroyed", "deployed"], "the deployment is destroyed, but b is deployed"],
    ["deploying", ["deploying", "not_deployed"], undefined]
  ] as const)("%s with stacks %j", (status, stacks, note) => {
    const named = stacks.map((one, index) => ({ name: "ab"[index]!, status: one }))
    assert.strictEqual(disagreement({ status, stacks: named }, "configured"), note)
  })

  it("does not refer to providers that cannot be asked", () => {
    const unknown = { status: "unknown", stacks: [] }
    assert.match(disagreement(unknown, "configured") ?? "", /not known; look with: signalbox health$/)
    assert.match(disagreement(unknown, "bare") ?? "", /not known; no provider can be asked without a configuration/)
  })
})

describe("what others wrote", () => {
  const hostile = "a\u001b[2J\u001b[31mred\u001b[39m\nerror: forged\u009b1A\u202eb\u2028c\u0007"

  it("is one line that shows its content", () => {
    assert.strictEqual(plain(hostile), String.raw`a\x1b[2Jred error: forged\x9b1A\u202eb\u2028c\x07`)
  })

  it("commands no terminal: a line keeps our colours, and no other sequence", () => {
    assert.strictEqual(
      printable(`\u001b[31m${hostile}\u001b[39m`),
      `\u001b[31m${String.raw`a\x1b[2J`}\u001b[31mred\u001b[39m${String.raw`\nerror: forged\x9b1A\u202eb\u2028c\x07`}\u001b[39m`
    )
  })

  it("is the same in JSON, without a character that a terminal obeys", () => {
    const value = { hostile, family: "👩‍👩‍👧", name: "Jürgen" }
    const json = printableJson(JSON.stringify(value, null, 2))
    assert.deepEqual(JSON.parse(json), value)
    assert.notMatch(json, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e]/)
    assert.include(json, "Jürgen")
  })
})
