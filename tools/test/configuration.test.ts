import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as Spec from "../../packages/core/src/domain/Spec.ts"
import { FreezeSpec } from "../../packages/core/src/domain/freeze/FreezeSpec.ts"
import { fact } from "../../packages/core/src/config/KeyFacts.ts"
import { Properties as CloudFormationProperties } from "../../packages/provider-aws/src/cloudformation/Properties.ts"
import { Properties as LocalProperties } from "../../packages/provider-local/src/Properties.ts"
import { read } from "./repository.ts"

interface Described {
  readonly fields: Readonly<Record<string, Schema.Constraint>>
}

const [recurring, calendar] = FreezeSpec.members
const strategy = (type: string) => Spec.StrategySpec.members.find(({ fields }) => fields.type.literal === type)!

/** Each table of the page, named in a comment above it, with its schema and the required keys. */
const tables: Readonly<Record<string, { readonly schema: Described; readonly required: object }>> = {
  manifest: {
    schema: Spec.Manifest,
    required: {
      organization: "acme",
      project: "shop",
      environments: { production: {} },
      stacks: [{ name: "web", provider: "local" }]
    }
  },
  stack: { schema: Spec.StackSpec, required: { name: "web", provider: "local" } },
  environment: { schema: Spec.EnvironmentSpec, required: {} },
  rolling: { schema: strategy("rolling"), required: { type: "rolling" } },
  blue_green: { schema: strategy("blue_green"), required: { type: "blue_green" } },
  canary: { schema: strategy("canary"), required: { type: "canary" } },
  step: { schema: Spec.CanaryStep, required: { weight: 10 } },
  approval: { schema: Spec.ApprovalSpec, required: {} },
  gate: { schema: Spec.GateSpec, required: {} },
  compare: { schema: Spec.CompareSpec, required: {} },
  metrics: {
    schema: Spec.MetricsSpec,
    required: { source: "prometheus", url: "http://prometheus:9090", queries: { requests: "a", errors: "b" } }
  },
  requirement: { schema: Spec.RequiredDeployment, required: { deployment: "DX6604E" } },
  recurring: { schema: recurring, required: { name: "weekend", cron: "0 18 * * 5", duration: "62 hours" } },
  calendar: { schema: calendar, required: { name: "holidays", from: "2026-12-24", until: "2026-12-26" } }
}

/** Keys that expect something else here than keys of that name elsewhere. */
const others: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  environment: { stacks: "overrides" },
  compare: { minSamples: "comparedSamples" },
  requirement: { environment: "environmentName" },
  recurring: { name: "freezeName", environments: "frozenEnvironments" },
  calendar: { name: "freezeName", environments: "frozenEnvironments" }
}

interface Row {
  readonly key: string
  readonly expects: string
  readonly default: string
  readonly example: string
}

const bare = (cell: string): string => cell.replace(/^`(.*)`$/, "$1")

/** The rows of the table below `<!-- name -->`. */
const rowsOf = (page: string, name: string): ReadonlyArray<Row> => {
  const [, table = ""] = new RegExp(`<!-- ${name} -->\\n\\n((?:\\|.*\\n)+)`).exec(page) ?? []
  return table
    .trim()
    .split("\n")
    .slice(2)
    .map((line) => {
      const [, key = "", , expects = "", preset = "", example = ""] = line.split(/(?<!\\)\|/).map((cell) => cell.trim())
      return { key: bare(key), expects: expects.replaceAll("\\|", "|"), default: bare(preset), example: bare(example) }
    })
}

const decode = (schema: Described, value: object): unknown =>
  Schema.decodeUnknownSync(schema as never)(value, { onExcessProperty: "error" })

/** The defaults of a table must match what decoding fills in. */
const expectDefaults = (schema: Described, required: object, rows: ReadonlyArray<Row>) => {
  const given = rows.filter((row) => row.default !== "required" && row.default !== "–")
  const written = Object.fromEntries(given.map((row) => [row.key, JSON.parse(row.default)]))
  expect(decode(schema, { ...required, ...written })).toEqual(decode(schema, required))
  for (const { default: preset, key } of rows) {
    const filled = Object.keys(decode(schema, required) as object)
    if (preset === "–") expect(filled, key).not.toContain(key)
    else expect(filled, key).toContain(key)
    if (preset === "required") expect(Object.keys(required), key).toContain(key)
  }
}

describe("docs/configuration.md", () => {
  const page = read("docs/configuration.md")

  it.each(Object.entries(tables))("%s: has every key, with its default", (name, { required, schema }) => {
    const rows = rowsOf(page, name)
    expect(rows.map(({ key }) => key)).toEqual(
      Object.keys(schema.fields).filter((key) => key !== "type" && key !== "lockstep")
    )
    expectDefaults(schema, required, rows)
  })

  it("override: has every key", () => {
    const all = {
      enabled: true,
      region: "eu-west-1",
      account: "1",
      strategy: { type: "rolling" },
      gate: {},
      metrics: { source: "s", url: "u", queries: {} },
      properties: {}
    }
    const override = (value: object) => () => decode(Spec.EnvironmentSpec, { stacks: { web: value } })
    expect(rowsOf(page, "override").map(({ key }) => key)).toEqual(Object.keys(all))
    expect(override(all)).not.toThrow()
    for (const key of Object.keys(Spec.StackSpec.fields)) {
      if (!(key in all)) expect(override({ ...all, [key]: 1 }), key).toThrow("excess property")
    }
  })

  it.each([...Object.keys(tables), "override"])("%s: expects what the program says that it expects", (name) => {
    for (const { example, expects, key } of rowsOf(page, name)) {
      const words = fact(others[name]?.[key] ?? key)
      expect({ key, expects, example }).toEqual({ key, expects: words.expected, example: words.example })
    }
  })
})

describe("docs/provider-local.md", () => {
  const page = read("docs/provider-local.md")

  it("has every property, with its default", () => {
    const rows = rowsOf(page, "properties")
    expect(rows.map(({ key }) => key)).toEqual(
      Object.keys(LocalProperties.fields).flatMap((key) =>
        key === "readiness" ? ["readiness.path", "readiness.timeout", "readiness.interval"] : [key]
      )
    )
    const required = { command: ["node", "server.mjs"] }
    const plain = rows.filter(({ key }) => !key.includes("."))
    expectDefaults(LocalProperties, required, plain)
    const readiness = Object.fromEntries(
      rows
        .filter(({ key }) => key.startsWith("readiness."))
        .map((row) => [row.key.replace("readiness.", ""), JSON.parse(row.default)])
    )
    expect(decode(LocalProperties, { ...required, readiness })).toEqual(decode(LocalProperties, required))
  })

  it("has examples that are right", () => {
    for (const { example, key } of rowsOf(page, "properties")) {
      const [first = "", second] = key.split(".")
      const value: unknown = second === undefined ? JSON.parse(example) : { [second]: JSON.parse(example) }
      expect(() => decode(LocalProperties, { command: ["node"], [first]: value }), key).not.toThrow()
    }
  })
})

describe("docs/aws-cloudformation.md", () => {
  const rows = rowsOf(read("docs/aws-cloudformation.md"), "properties")

  it("has every property, with its default", () => {
    expect(rows.map(({ key }) => key)).toEqual(Object.keys(CloudFormationProperties.fields))
    expectDefaults(CloudFormationProperties, {}, rows)
  })

  it("has examples that are right", () => {
    for (const { example, key } of rows) {
      expect(() => decode(CloudFormationProperties, { [key]: JSON.parse(example) }), key).not.toThrow()
    }
  })
})
