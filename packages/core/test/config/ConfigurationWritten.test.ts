import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Configuration } from "@signalbox/core/config"
import { isExact } from "../../src/config/WrittenValues.ts"
import { config, providers, stack } from "./configurations.ts"

type Path = Configuration.Written["path"]

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((inside, part) => (inside as Readonly<Record<string | number, unknown>>)[part], value)

/** Checks a configuration in which some scalars are written in another way than their values. */
const check = (
  value: unknown,
  texts: ReadonlyArray<readonly [Path, string]>,
  { more = providers, plain = true }: { readonly more?: typeof providers; readonly plain?: boolean } = {}
) =>
  Configuration.check(value, more, {
    file: "signalbox.config.yaml",
    written: texts.map(([path, text], index) => ({ path, text, line: index + 1, column: 3, plain }))
  })

const env = (values: object) => config({ stacks: [stack("web", { properties: { command: ["node"], env: values } })] })
const inEnv = (name: string): Path => ["stacks", 0, "properties", "env", name]

const free = {
  ...providers.get("local")!,
  properties: Schema.Struct({ anything: Schema.Json })
}

describe("values of a file", () => {
  it("is taken as it is written where a text is expected", () => {
    const texts: ReadonlyArray<readonly [string, unknown, string]> = [
      ["GIT_SHA", 7222500, "72225e2"],
      ["RELEASE", 1.1, "1.10"],
      ["PHONE", 439268, "0439268"],
      ["ACCOUNT", 12345678901234567000, "12345678901234567890"],
      ["FLAGS", 31, "0x1F"],
      ["DEBUG", true, "True"],
      ["SAME", 3000, "3000"]
    ]
    const values = Object.fromEntries(texts.map(([name, value]) => [name, value]))
    const result = check(
      env(values),
      texts.map(([name, , text]) => [inEnv(name), text])
    )
    const { stacks } = Result.getOrThrow(result)
    assert.deepEqual(
      stacks[0].properties["env"] as unknown,
      Object.fromEntries(texts.map(([name, , text]) => [name, text]))
    )
  })

  it("is taken as it is written by the settings of an environment and by names too", () => {
    const value = {
      ...config({ organization: 2024, stacks: [stack("web")] }),
      environments: {
        production: { account: 123456789012, stacks: { web: { properties: { env: { RELEASE: 2 } } } } }
      }
    }
    const override: Path = ["environments", "production", "stacks", "web", "properties", "env", "RELEASE"]
    const manifest = Result.getOrThrow(
      check(value, [
        [["organization"], "2024"],
        [["environments", "production", "account"], "0123456789012"],
        [override, "2.0"]
      ])
    )
    assert.strictEqual(manifest.organization, "2024")
    assert.strictEqual(Object.values(manifest.environments)[0]?.account, "0123456789012")
    assert.strictEqual(at(manifest, override), "2.0")
  })

  it("stays a number where a number is expected, and is still refused where neither fits", () => {
    const value = config({ parallelism: 2, stacks: [stack("web", { properties: { command: ["a"], port: 80 } })] })
    const manifest = Result.getOrThrow(
      check(value, [
        [["parallelism"], "2.0"],
        [["stacks", 0, "properties", "port"], "080"]
      ])
    )
    assert.strictEqual(manifest.parallelism, 2)
    assert.deepEqual(manifest.stacks[0].properties["port"], 80)
    const refused = check(config({ rollback: 1 }), [[["rollback"], "1"]])
    assert.isTrue(
      Result.isFailure(refused) && refused.failure.message.startsWith("signalbox.config.yaml:1:3: rollback:")
    )
  })

  it.each([
    ["could be either", 1.1, "1.10", `Quote it to keep it as it is written: "1.10". As a number, write 1.1.`],
    ["has too many digits", 12345678901234567000, "12345678901234567890", "Quote it to keep it"]
  ])("is refused where it %s", (_, value, text, hint) => {
    const path: Path = ["stacks", 0, "properties", "anything"]
    const result = check(config({ stacks: [stack("web", { properties: { anything: value } })] }), [[path, text]], {
      more: new Map([["local", free]])
    })
    if (Result.isSuccess(result)) throw new Error("accepted")
    const [issue] = result.failure.issues
    assert.include(issue, { path: "stacks[0].properties.anything", line: 1, column: 3 })
    assert.include(issue.message, text)
    assert.include(issue.hint, hint)
  })

  it("is no text in JSON, which has quotes for that", () => {
    const refused = check(env({ RELEASE: 1.1 }), [[inEnv("RELEASE"), "1.10"]], { plain: false })
    if (Result.isSuccess(refused)) throw new Error("accepted")
    assert.strictEqual(refused.failure.issues[0].hint, "Write it as a text, in quotes.")
  })

  it("is refused where a number would lose digits", () => {
    const alpha = (text: string) =>
      check(
        config({ stacks: [stack("web", { gate: { compare: { alpha: Number(text) } } })] }),
        [[["stacks", 0, "gate", "compare", "alpha"], text]],
        { plain: false }
      )
    assert.isTrue(Result.isFailure(alpha("0.05000000000000000277")))
    assert.isTrue(Result.isSuccess(alpha("0.0500")))
  })

  it("gives every issue the line of its value, or of its surroundings", () => {
    const result = Configuration.check(config({ parallelism: 0, stacks: [stack("Web")] }), providers, {
      written: [
        { path: [], line: 1, column: 1 },
        { path: ["parallelism"], line: 7, column: 14 },
        { path: ["stacks", 0], line: 9, column: 5 }
      ]
    })
    if (Result.isSuccess(result)) throw new Error("accepted")
    assert.deepEqual(result.failure.issues.map(({ line, path }) => [path, line]).toSorted(), [
      ["parallelism", 7],
      ["stacks[0].name", 9]
    ])
  })
})

describe("isExact", () => {
  const zeros = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 }))

  it.prop("accepts every way to write a number", [Schema.Finite, zeros, zeros], ([value, before, after]) => {
    const [, sign = "", mantissa = "", power = ""] = /^(-?)([\d.]+)(.*)$/.exec(String(value)) ?? []
    const point = mantissa.includes(".") ? "" : "."
    assert.isTrue(isExact(`${sign}${"0".repeat(before)}${mantissa}${point}${"0".repeat(after)}${power}`, value))
    assert.isTrue(isExact(value.toExponential(), value))
  })

  it.prop("accepts a whole number only with all its digits", [Schema.BigInt], ([value]) => {
    const large = (value * 10_000_000_019n) % 10n ** 30n
    assert.strictEqual(isExact(String(large), Number(large)), large === BigInt(digitsOf(Number(large))))
  })
})

/** The shortest digits that mean the number, written out. */
const digitsOf = (value: number): string => {
  const [mantissa = "", power = "0"] = value.toExponential().split("e")
  const digits = mantissa.replaceAll(/[-.]/g, "")
  return `${value < 0 ? "-" : ""}${digits}${"0".repeat(Math.max(0, Number(power) - digits.length + 1))}`
}
