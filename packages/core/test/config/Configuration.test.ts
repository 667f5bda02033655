import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import { Configuration, defineConfig, output, secret } from "@signalbox/core/config"
import {
  ApprovalSpec,
  CanaryStep,
  EnvironmentSpec,
  FreezeSpec,
  GateSpec,
  Manifest,
  RequiredDeployment,
  StackSpec,
  StrategySpec
} from "@signalbox/core/spi"
import { config, good, issuesOf, paths, providers, stack } from "./configurations.ts"

describe("Configuration.check", () => {
  it("decodes a configuration and fills in the defaults", () => {
    const manifest = good(
      defineConfig({
        ...config(),
        stacks: [
          {
            name: "web",
            provider: "local",
            strategy: { type: "canary", steps: [{ weight: 10, bake: "2 seconds" }] },
            properties: { command: ["node"], env: { TOKEN: secret("TOKEN") } }
          }
        ]
      })
    )
    assert.strictEqual(manifest.parallelism, 4)
    assert.strictEqual(Duration.toMillis(manifest.leaseTtl), 15_000)
    assert.strictEqual(manifest.stacks[0].strategy.type, "canary")
  })

  it("takes stacks of an irreversible kind for irreversible, for the reason of the kind or their own", () => {
    const template = providers.get("template")!
    const job = { ...template, capabilities: { ...template.capabilities, irreversible: "a job cannot be undone" } }
    const stacks = [
      stack("web"),
      stack("migrate", { provider: "job" }),
      stack("seed", { provider: "job", irreversible: "it fills the tables" })
    ]
    const checked = Configuration.check(config({ stacks }), new Map([...providers, ["job", job]]))
    assert.deepStrictEqual(
      Result.getOrThrow(checked).stacks.map(({ irreversible }) => irreversible),
      [undefined, "a job cannot be undone", "it fills the tables"]
    )
  })

  it("reports all mistakes at once, each with a path, the expected value and a hint", () => {
    const issues = issuesOf({
      organization: "acme",
      projct: "shop",
      parallelism: 0,
      environments: { Prod: {}, production: { regoin: "eu", stacks: { wbe: {} } } },
      stacks: [
        stack("web", {
          strategy: { type: "canary", steps: [{ weight: 200, bake: "5 minuts" }, { weight: "x" }] },
          gate: { responseTime: "p99", minSamples: 1.5 },
          dependsOn: ["databse"]
        }),
        stack("database", { provider: "lcoal", timeout: "90 days" })
      ]
    })
    assert.sameMembers(
      issues.map(({ path }) => path),
      [
        "projct",
        "project",
        "parallelism",
        "environments.Prod",
        "environments.production.regoin",
        "environments.production.stacks.wbe",
        "stacks[0].strategy.steps[0].weight",
        "stacks[0].strategy.steps[0].bake",
        "stacks[0].strategy.steps[1].weight",
        "stacks[0].gate.responseTime",
        "stacks[0].gate.minSamples",
        "stacks[0].dependsOn[0]",
        "stacks[1].provider",
        "stacks[1].timeout"
      ]
    )
    for (const issue of issues) {
      assert.isNotEmpty(issue.message)
      assert.isNotEmpty(issue.expected)
      assert.isNotEmpty(issue.hint)
    }
    const hint = (path: string) => issues.find((issue) => issue.path === path)?.hint
    assert.strictEqual(hint("projct"), `Did you mean "project"?`)
    assert.strictEqual(hint("stacks[1].provider"), `Did you mean "local"?`)
    assert.strictEqual(hint("stacks[0].dependsOn[0]"), `Did you mean "database"?`)
    assert.strictEqual(hint("environments.production.regoin"), `Did you mean "region"?`)
  })

  it("has words for every key", () => {
    const bad = (fields: object) => Object.fromEntries(Object.keys(fields).map((key) => [key, [[]]]))
    const issues = issuesOf({
      ...bad(Manifest.fields),
      environments: {
        production: bad(EnvironmentSpec.fields),
        staging: { stacks: { a: { gate: bad(GateSpec.fields) } } }
      },
      stacks: [
        bad(StackSpec.fields),
        ...StrategySpec.members.map(({ fields }, index) => ({
          name: `a${index}`,
          provider: "local",
          strategy: { ...bad(fields), type: fields.type.literal }
        })),
        {
          name: "b",
          provider: "local",
          gate: bad(GateSpec.fields),
          strategy: { type: "canary", steps: [bad(CanaryStep.fields)] }
        },
        { name: "c", provider: "local", strategy: { type: "blue_green", approval: bad(ApprovalSpec.fields) } }
      ],
      requires: [bad(RequiredDeployment.fields)],
      freezes: [[], ...FreezeSpec.members.map(({ fields }) => bad(fields))]
    })
    assert.isAbove(issues.length, 60)
    for (const { message, path } of issues) assert.notInclude(message, "a valid value", path)
  })

  it("names the circle", () => {
    const [issue] = issuesOf(
      config({
        stacks: [stack("a", { dependsOn: ["b"] }), stack("b", { dependsOn: ["c"] }), stack("c", { dependsOn: ["a"] })]
      })
    )
    assert.include(issue!.message, "a → b → c → a")
    assert.deepStrictEqual(paths(config({ stacks: [stack("a", { dependsOn: ["a"] })] })), ["stacks[0].dependsOn[0]"])
  })

  it("refuses two stacks of one name", () => {
    assert.deepStrictEqual(paths(config({ stacks: [stack("a"), stack("a")] })), ["stacks[1].name"])
  })

  it.each([
    ["an unknown stack", output("databas", "url"), /no stack/],
    ["an output that is not declared", output("database", "uri"), /no such output|no output/],
    ["a stack that it does not depend on", output("other", "url"), /does not depend/],
    ["itself", output("web", "url"), /own output/],
    ["something malformed", { $output: "database" }, /form/],
    ["more than an output", { $output: "database.url", x: 1 }, /form/]
  ])("refuses a reference to %s", (_, reference, message) => {
    const [issue, ...others] = issuesOf(
      config({
        stacks: [
          stack("database"),
          stack("other"),
          stack("web", { dependsOn: ["database"], properties: { command: ["x"], env: { DB: reference } } })
        ]
      })
    )
    assert.strictEqual(issue?.path, "stacks[2].properties.env.DB")
    assert.match(issue!.message, message)
    assert.isEmpty(others)
  })

  it("accepts references through other stacks, and does not hold their shape against the properties", () => {
    const manifest = good(
      config({
        stacks: [
          stack("database"),
          stack("api", { dependsOn: ["database"] }),
          stack("web", {
            dependsOn: ["api"],
            properties: {
              command: ["x", output("api", "url")],
              port: output("database", "url"),
              env: { DB: output("database", "url") }
            }
          })
        ]
      })
    )
    assert.strictEqual(manifest.stacks.length, 3)
  })

  it("accepts any output of a provider whose stacks name their outputs themselves", () => {
    good(
      config({
        stacks: [
          stack("base", { provider: "template" }),
          stack("web", { dependsOn: ["base"], properties: { command: ["x"], env: { A: output("base", "Whatever") } } })
        ]
      })
    )
  })

  it.each([
    ["site", "canary", false],
    ["site", "rolling", false],
    ["site", "blue_green", true],
    ["template", "blue_green", false],
    ["template", "all_at_once", true],
    ["local", "rolling", true]
  ])("%s with %s: %s", (kind, type, possible) => {
    const found = paths(config({ stacks: [stack("a", { provider: kind, strategy: { type } })] }))
    assert.deepStrictEqual(found, possible ? [] : ["stacks[0].strategy.type"])
    const overridden = config({
      environments: { production: { stacks: { a: { strategy: { type } } } } },
      stacks: [stack("a", { provider: kind })]
    })
    assert.deepStrictEqual(paths(overridden), possible ? [] : ["environments.production.stacks.a.strategy.type"])
  })

  it("checks properties in each environment and points to where they are written", () => {
    assert.deepStrictEqual(
      paths(
        config({
          environments: { staging: {}, production: { stacks: { a: { properties: { port: 70_000 } } } } },
          stacks: [stack("a", { properties: { command: "node", pot: 1 } })]
        })
      ),
      ["stacks[0].properties.pot", "stacks[0].properties.command", "environments.production.stacks.a.properties.port"]
    )
    good(
      config({
        environments: { production: { stacks: { a: { properties: { command: ["node"] } } } } },
        stacks: [stack("a", { properties: {} })]
      })
    )
  })

  it("never quotes a value of the properties, nor of an unknown key", () => {
    const hidden = "hunter2-hunter2"
    const result = Configuration.check(
      config({
        password: hidden,
        stacks: [
          stack("a", {
            token: hidden,
            properties: { command: hidden, port: hidden, key: hidden, env: { A: { b: hidden } } }
          })
        ]
      }),
      providers
    )
    assert.isTrue(Result.isFailure(result))
    assert.notInclude(JSON.stringify(result), hidden)
    if (Result.isFailure(result)) assert.notInclude(result.failure.message, hidden)
  })

  it("refuses secrets in the options of a plug-in, which are stored, and does not repeat them", () => {
    const value = config({
      plugins: [
        "@acme/fine",
        { plugin: "@acme/cloud", options: { profile: "production", nested: { apiToken: "hunter2" } } },
        { name: "@acme/store", spiVersion: 1, options: { urls: ["https://ada:hunter2@example.com"] } }
      ]
    })
    assert.deepStrictEqual(paths(value), ["plugins[1].options.nested.apiToken", "plugins[2].options.urls[0]"])
    assert.notInclude(JSON.stringify(issuesOf(value)), "hunter2")
  })

  it("refuses the password of a store", () => {
    const store = (url: string) => paths(config({ store: url }))
    assert.deepStrictEqual(store("postgres://ada:hunter2@db.example.com/signalbox"), ["store"])
    assert.deepStrictEqual(store("signalbox"), ["store"])
    assert.isDefined(good(config({ store: "postgres://ada@db.example.com:5432/signalbox" })))
  })

  it.each([
    ["nothing", undefined],
    ["null", null],
    ["a text", "x"],
    ["a list", []],
    ["a function", () => ({})],
    ["a promise", Promise.resolve({})],
    ["an empty object", {}],
    [
      "a throwing getter",
      {
        get organization(): string {
          throw new Error("secret")
        }
      }
    ]
  ])("refuses %s", (_, value) => {
    assert.isNotEmpty(issuesOf(value))
  })

  it.each([
    ["undefined", { command: ["x"], env: { URL: undefined } }, ".env.URL"],
    ["undefined in a list", { command: ["x", undefined] }, ".command[1]"],
    // oxlint-disable-next-line no-sparse-arrays -- Such a list is what it is about.
    ["a list with a hole", { command: ["x", , "y"] }, ".command[1]"],
    ["a list with keys besides", { command: Object.assign(["x"], { more: 1 }) }, ".command"],
    ["a symbol as a key", { command: ["x"], [Symbol("a")]: 1 }, ""],
    ["a symbol", { command: ["x"], env: { A: Symbol("a") } }, ".env.A"],
    ["a function", { command: ["x"], env: { A: () => "a" } }, ".env.A"],
    ["a bigint", { command: ["x"], port: 80n }, ".port"],
    ["NaN", { command: ["x"], port: Number.NaN }, ".port"],
    ["infinity", { command: ["x"], port: Number.POSITIVE_INFINITY }, ".port"],
    ["half a character", { command: ["x"], env: { A: "\ud800" } }, ".env.A"],
    [
      "keys of a prototype",
      Object.assign(Object.create(Object.assign(Object.create(null), { a: 1 })), { command: ["x"] }),
      ""
    ],
    ["__proto__ as a key", JSON.parse(`{ "command": ["x"], "__proto__": { "port": 1 } }`), ".__proto__"]
  ])("drops nothing silently: %s", (_, properties, where) => {
    assert.include(paths(config({ stacks: [stack("a", { properties })] })), `stacks[0].properties${where}`)
  })

  it("refuses a configuration that contains itself", () => {
    const circular: Record<string, unknown> = { command: ["x"] }
    circular.env = circular
    assert.include(paths(config({ stacks: [stack("a", { properties: circular })] })), "stacks[0].properties.env")
  })

  it("shows the first issue first, with the file", () => {
    const result = Configuration.check(config({ parallelism: -1, rollback: 3 }), providers, {
      file: "signalbox.config.ts"
    })
    assert.isTrue(Result.isFailure(result))
    if (Result.isFailure(result)) {
      assert.match(
        result.failure.message,
        /^signalbox\.config\.ts: parallelism: expected a whole number of at least 1, got/
      )
      assert.strictEqual(result.failure.info.path, "parallelism")
    }
  })

  it("merges the gate of an environment into the manifest's", () => {
    const manifest = good(
      config({
        environments: { production: { stacks: { a: { gate: { maxErrorCount: 1 } } } } },
        stacks: [stack("a", { gate: { minSamples: 7 } })]
      })
    )
    const gate = Object.values(manifest.environments)[0]!.stacks["a" as never]!.gate!
    assert.strictEqual(gate.minSamples, 7)
    assert.strictEqual(gate.maxErrorCount, 1)
    assert.strictEqual(gate.consecutivePasses, 3)
  })
})
