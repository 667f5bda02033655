import { assert, describe, it } from "@effect/vitest"
import { Configuration } from "@signalbox/core/config"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { substitute } from "../../src/config/Variables.ts"
import { config, good, issuesOf, stack } from "./configurations.ts"

const all = { version: "v2", commit: "4f2a91c", environment: "production" }
const filled = (text: string, variables: Parameters<typeof substitute>[1] = all) => substitute(text, variables).value

/** Texts in which the characters of the syntax are frequent. */
const Tricky = Schema.Array(
  Schema.Union([Schema.Literals(["$", "{", "}", "$${", "${", "${version}", "version"]), Schema.String])
)

describe("variables in properties", () => {
  it("stand anywhere in a text, several times, at any depth, and not in keys", () => {
    const { missing, value } = substitute(
      { image: "repo/${version}-${commit}:${version}", list: [{ "${version}": "in ${environment}" }], n: 1, no: null },
      all
    )
    assert.deepStrictEqual<unknown>(value, {
      image: "repo/v2-4f2a91c:v2",
      list: [{ "${version}": "in production" }],
      n: 1,
      no: null
    })
    assert.strictEqual(missing.size, 0)
  })

  it("stay out of references to outputs, and stand in the names of secrets", () => {
    const references = { a: { $output: "db.${version}" }, b: { $secret: "KEY_${environment}" } }
    assert.deepStrictEqual<unknown>(substitute(references, all).value, {
      a: { $output: "db.${version}" },
      b: { $secret: "KEY_production" }
    })
  })

  it("name what has no value, with the path of its first text", () => {
    const { filled: texts, missing } = substitute(
      { a: ["x", "${commit}"], b: "${commit}${version}" },
      { version: "v2" }
    )
    assert.deepStrictEqual([...missing], [["commit", ["a", 1]]])
    assert.deepStrictEqual(
      texts.map(({ complete, text }) => [text, complete]),
      [
        ["${commit}", false],
        ["${commit}v2", false]
      ]
    )
  })

  it.prop("leave every text without ${ as it is", [Schema.String], ([text]) => {
    const plain = text.replaceAll("${", "")
    assert.strictEqual(filled(plain), plain)
  })

  it.prop("give every escaped text back", [Tricky], ([parts]) => {
    const text = parts.join("")
    assert.strictEqual(filled(text.split("${").join("$${")), text)
  })

  it.prop("are replaced once: what a value contains is not looked into", [Tricky, Schema.String], ([parts, around]) => {
    const value = parts.join("")
    const plain = around.replaceAll("$", "")
    assert.strictEqual(filled(`${plain}\${version}${plain}`, { version: value }), `${plain}${value}${plain}`)
  })

  it.prop("are found missing exactly where a text would keep one", [Tricky], ([parts]) => {
    const text = parts.join("")
    const { missing, value } = substitute(text, { commit: "c", environment: "e" })
    assert.strictEqual(
      missing.has("version"),
      value !== substitute(text, { ...all, commit: "c", environment: "e" }).value
    )
  })
})

describe("variables in a configuration", () => {
  const web = (env: object) => config({ stacks: [stack("web", { properties: { command: ["x"], env } })] })

  it("are issues where they do not exist, with path and suggestion", () => {
    assert.deepStrictEqual(
      issuesOf(web({ A: "${versoin}", B: "open ${", C: "$${fine}", D: "${version}" })).map(
        ({ hint, message, path }) => [path, message, hint]
      ),
      [
        [
          "stacks[0].properties.env.A",
          "names a variable that does not exist",
          "Did you mean ${version}? Write $${ where the text itself has ${."
        ],
        ["stacks[0].properties.env.B", "has a ${ without its }", "Write $${ where the text itself has ${."]
      ]
    )
  })

  it("are checked in the properties of environments too", () => {
    const value = config({
      environments: { production: { stacks: { web: { properties: { env: { A: "${commmit}" } } } } } }
    })
    assert.deepStrictEqual(
      issuesOf(value).map(({ path }) => path),
      ["environments.production.stacks.web.properties.env.A"]
    )
  })

  it("may stand where only their value fits, and what is known is checked", () => {
    const value = (port: string) => config({ stacks: [stack("web", { properties: { command: ["x"], port } })] })
    assert.deepStrictEqual(issuesOf(value("${version}")), [])
    assert.deepStrictEqual(
      issuesOf(value("${environment}")).map(({ path }) => path),
      ["stacks[0].properties.port"]
    )
  })

  it.effect("are filled for a deployment only, and reject it if they have no value", () =>
    Effect.gen(function* () {
      const manifest = good(web({ A: "${commit}" }))
      const request = { environment: "production" as never, version: "v2" }
      const refused = yield* Effect.flip(Configuration.resolveFor({ ...request, kind: "deploy" }, manifest))
      assert.deepStrictEqual(
        [refused.kind, refused.code, refused.info.path],
        ["invalid", "variable_missing", "stacks.web.properties.env.A"]
      )
      const origin = { commit: "4f2a91c" }
      const spec = yield* Configuration.resolveFor({ ...request, origin, kind: "deploy" }, manifest)
      assert.deepStrictEqual<unknown>(spec.stacks[0]!.properties.env, { A: "4f2a91c" })
      const back = yield* Configuration.resolveFor({ ...request, kind: "rollback" }, manifest)
      assert.deepStrictEqual<unknown>(back.stacks[0]!.properties.env, { A: "${commit}" })
    })
  )
})
