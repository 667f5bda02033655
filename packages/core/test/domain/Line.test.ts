import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { Actor, escapeUnfit, FreezeSpec, Line, Manifest, unfitIn } from "../../src/domain/index.ts"

const unfit = ["\n", "\r", "\t", "\u0000", "\u001b[31m", "\u007f", "\u009b2J", "\u2028", "\u202e", "\u2066", "\ud800"]
const parts = Arbitrary.array(Arbitrary.schema(Schema.Union([Schema.String, Schema.Literals(unfit)])), { maxLength: 6 })

describe("a line", () => {
  it.each(unfit)("does not hold %j", (text) => {
    assert.isFalse(Schema.is(Line)(`a${text}b`))
    assert.isFalse(Schema.is(Actor)(`a${text}b`))
    assert.match(unfitIn(`a${text}b`) ?? "", /^U\+[0-9A-F]{4}$/)
    const manifest = {
      organization: `a${text}b`,
      project: "b",
      environments: {},
      stacks: [{ name: "a", provider: "b" }]
    }
    assert.isFalse(Schema.decodeUnknownResult(Manifest)(manifest)._tag === "Success")
    const freeze = { name: "a", reason: `a${text}b`, from: "2026-12-24", until: "2026-12-26" }
    assert.isFalse(Schema.decodeUnknownResult(FreezeSpec)(freeze)._tag === "Success")
  })

  it.each(["v1.2.3+build", "Jürgen 漢字 👩‍👩‍👧 ✔", "עברית", "a b"])("holds %s", (text) => {
    assert.isTrue(Schema.is(Line)(text))
    assert.strictEqual(escapeUnfit(text), text)
  })

  it.prop("is what any text becomes when it is shown", [parts], ([texts]) => {
    const text = texts.join("")
    const shown = escapeUnfit(text)
    assert.isUndefined(unfitIn(shown))
    if (unfitIn(text) === undefined) assert.strictEqual(shown, text)
    assert.strictEqual(escapeUnfit(shown), shown)
  })

  it("shows its content", () => {
    assert.strictEqual(escapeUnfit("a\n\u001b[2J\u202eb"), String.raw`a\n\x1b[2J\u202eb`)
  })
})
