import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import * as Yaml from "yaml"
import { NotParsed, type Parsed, positions } from "../../src/config/Parsed.ts"
import { parseJson } from "../../src/config/parseJson.ts"
import { parseYaml } from "../../src/config/parseYaml.ts"

const yaml = (text: string) => parseYaml(Yaml, text)

/** What a text is refused for, with the line and the column. */
const refusal = (parse: (text: string) => Parsed, text: string): readonly [string, number, number] => {
  try {
    parse(text)
  } catch (error) {
    if (!(error instanceof NotParsed)) throw error
    assert.isNotEmpty(error.hint)
    const { column, line } = positions(text)(error.offset)
    return [error.message, line, column]
  }
  throw new Error(`accepted: ${JSON.stringify(text)}`)
}

const written = ({ written }: Parsed): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(written.map(({ path, text }) => [path.join("."), text]))

const lineOf = ({ written }: Parsed, path: string): number | undefined =>
  written.find((one) => one.path.join(".") === path)?.line

const json = Arbitrary.schema(Schema.Json)

describe("parseJson", () => {
  it.prop("reads what JSON.parse reads, however it is spaced", [json, Schema.Literals([0, 1, 3])], ([value, space]) => {
    const text = JSON.stringify(value, null, space)
    assert.deepEqual(parseJson(text).value, JSON.parse(text))
  })

  it.prop(
    "refuses what JSON.parse refuses, and knows a place for it",
    [json, Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 200 })), Schema.Literals(["", ",", "}", "0", '"'])],
    ([value, at, by]) => {
      const whole = JSON.stringify({ value, more: [1.5, true, null, "x"] })
      const text = `${whole.slice(0, at)}${by}${whole.slice(at + 1)}`
      let parsed: unknown
      try {
        parsed = JSON.parse(text)
      } catch {
        assert.isAtLeast(refusal(parseJson, text)[1], 1)
        return
      }
      try {
        assert.deepEqual(parseJson(text).value, parsed)
      } catch (error) {
        // What JSON.parse reads and this does not holds a key twice.
        assert.match((error as Error).message, /is defined twice/)
      }
    }
  )

  it("knows how every number is written, and where", () => {
    const parsed = parseJson(`{ "a": 1.10,\n  "b": ["x", 12345678901234567890, true, null] }`)
    assert.deepEqual(written(parsed), {
      "": undefined,
      a: "1.10",
      b: undefined,
      "b.0": undefined,
      "b.1": "12345678901234567890",
      "b.2": "true",
      "b.3": "null"
    })
    assert.strictEqual(lineOf(parsed, "b.1"), 2)
  })

  it.each([
    [`{ "a": 1,\n  "b": {},\n  "a": 2 }`, "the key a is defined twice", 3, 3],
    [`{ "a": [{ "b": 1, "c": { "d": 1, "d": 1 } }] }`, "the key a[0].c.d is defined twice", 1, 34],
    [`{ "a": 1, "\\u0061": 2 }`, "the key a is defined twice", 1, 11],
    [`{ "__proto__": 1, "__proto__": 2 }`, "the key __proto__ is defined twice", 1, 19],
    [`{ "a": 1 } { "b": 2 }`, "the JSON is not valid", 1, 12],
    [`{ "a": 1 /* no comments */ }`, "the JSON is not valid", 1, 10],
    ["[".repeat(2000), "is nested more than 1000 levels deep", 1, 1002]
  ])("refuses %s", (text, message, line, column) => {
    assert.deepEqual(refusal(parseJson, text), [message, line, column])
  })

  it("keeps __proto__ as an ordinary key, which is refused later", () => {
    assert.deepEqual(Object.keys(parseJson(`{ "__proto__": { "a": 1 } }`).value as object), ["__proto__"])
  })
})

describe("parseYaml", () => {
  it.prop("reads what was written", [json], ([value]) => {
    const text = Yaml.stringify(value)
    assert.deepEqual(yaml(text).value, Yaml.parse(text, { stringKeys: true }))
  })

  it("knows unquoted values, and their places", () => {
    const parsed = yaml(`a: 72225e2\nb:\n  - 0439268\n  - "1.10"\n  - 0x1F\n  - True\n  - text\nc: &x 1.10\nd: *x\n`)
    assert.deepEqual(written(parsed), {
      "": undefined,
      a: "72225e2",
      b: undefined,
      "b.0": "0439268",
      "b.1": undefined,
      "b.2": "0x1F",
      "b.3": "True",
      "b.4": undefined,
      c: "1.10",
      d: "1.10"
    })
    assert.strictEqual(lineOf(parsed, "b.2"), 5)
  })

  it.each([
    ["a: 1\n---\nb: 2\n", "a second YAML document begins here, and only one is read", 2, 1],
    ["---\na: 1\n--- # nothing\n", "a second YAML document begins here, and only one is read", 3, 1],
    ["a: 1\n...\nb: 2\n", "a second YAML document begins here, and only one is read", 3, 1],
    ["a: 1\nb: 2\na: 3\n", "the key a is defined twice", 3, 1],
    ["x:\n  - { b: 1,\n      b: 2 }\n", "the key x[0].b is defined twice", 3, 7],
    ["a: &a { b: 1 }\nc: { <<: *a }\n", "merge keys (<<) are not known", 2, 6],
    ["a: !secret b\n", "the YAML is not valid (tag resolve failed)", 1, 4],
    ["a: !!binary aGk=\n", "the YAML has a tag that is not known", 1, 13],
    ["a: &a [*a]\n", "the YAML uses an alias that cannot be resolved", 1, 8],
    ["? [a]\n: 1\n", "the YAML is not valid (non string key)", 1, 3]
  ])("refuses %s", (text, message, line, column) => {
    assert.deepEqual(refusal(yaml, text), [message, line, column])
  })

  it("ends with aliases of aliases that would grow without end", () => {
    const lines = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(10).slice(0, -2)}]`)
    assert.include(refusal(yaml, `a0: &a0 x\n${lines.join("\n")}\n`)[0], "too large")
  })

  it.each([
    ["# only a comment\n", null],
    ["---\na: 1\n...\n# the end\n", { a: 1 }],
    ["a: &x { b: 1 }\nc: *x\n", { a: { b: 1 }, c: { b: 1 } }],
    ["%YAML 1.1\n---\na: 2020-01-01\n", { a: "2020-01-01" }]
  ])("accepts %s", (text, value) => {
    assert.deepEqual(yaml(text).value, value)
  })
})
