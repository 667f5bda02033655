import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Configuration, defineConfig, output, secret } from "@signalbox/core/engine"
import {
  ApprovalSpec,
  CanaryStep,
  type Capabilities,
  EnvironmentSpec,
  FreezeSpec,
  GateSpec,
  Manifest,
  type Provider,
  RequiredDeployment,
  StackSpec,
  StrategySpec
} from "@signalbox/core/spi"

const provider = (kind: string, capabilities: Partial<Capabilities>): Provider => ({
  kind,
  capabilities: {
    spiVersion: 1,
    traffic: "percent",
    capacity: true,
    metrics: true,
    drift: false,
    restart: false,
    outputs: ["url"],
    ...capabilities
  },
  properties: Schema.Struct({
    command: Schema.Array(Schema.String),
    port: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65535 }))),
    env: Schema.optionalKey(
      Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Struct({ $secret: Schema.String })]))
    )
  }),
  plan: () => Effect.die("unused"),
  stage: () => Effect.die("unused"),
  observe: () => Effect.die("unused"),
  rollback: () => Effect.die("unused"),
  destroy: () => Effect.die("unused")
})

const providers = new Map([
  ["local", provider("local", {})],
  ["site", provider("site", { traffic: "switch", capacity: false })],
  ["template", provider("template", { traffic: "none", capacity: false, outputs: ["*"] })]
])

const stack = (name: string, more: object = {}) => ({
  name,
  provider: "local",
  properties: { command: ["node", "main.js"] },
  ...more
})

const config = (more: object = {}) => ({
  organization: "acme",
  project: "shop",
  environments: { staging: {}, production: { region: "eu-west-1" } },
  stacks: [stack("database"), stack("web", { dependsOn: ["database"] })],
  ...more
})

const issuesOf = (value: unknown) => {
  const result = Configuration.check(value, providers)
  return Result.isFailure(result) ? result.failure.issues : []
}
const paths = (value: unknown) => issuesOf(value).map(({ path }) => path)
const good = (value: unknown) => Result.getOrThrow(Configuration.check(value, providers))

describe("Configuration.check", () => {
  it("decodes a configuration and fills in what was left out", () => {
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

  it("reports everything that is wrong at once, each with a path, what was expected and a hint", () => {
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

  it("never quotes a value of the properties, nor of a key that nobody knows", () => {
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

  it("lays a gate in an environment over that of the manifest", () => {
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

describe("Configuration.check of freezes", () => {
  const weekend = { name: "weekend", cron: "0 18 * * 5", duration: "62 hours", timezone: "Europe/Berlin" }
  const holidays = { name: "holidays", from: "2026-12-24", until: "2026-12-26" }
  const frozen = (...freezes: ReadonlyArray<unknown>) => issuesOf(config({ freezes }))

  it("accepts both kinds", () => {
    const { freezes } = good(config({ freezes: [weekend, { ...holidays, environments: ["production"] }] }))
    assert.deepStrictEqual(
      freezes.map(({ name, timezone }) => [name, timezone]),
      [
        ["weekend", "Europe/Berlin"],
        ["holidays", "UTC"]
      ]
    )
  })

  it.each([
    ["a misspelt zone", { ...weekend, timezone: "Europe/Berln" }, ".timezone", `Did you mean "Europe/Berlin"?`],
    ["a city alone", { ...weekend, timezone: "berlin" }, ".timezone", `Did you mean "Europe/Berlin"?`],
    ["an offset", { ...weekend, timezone: "+02:00" }, ".timezone", "knows when clocks are changed"],
    ["a cron with seconds", { ...weekend, cron: "0 0 18 * * 5" }, ".cron", "Write for example cron"],
    ["a cron that cannot be read", { ...weekend, cron: "0 25 * * *" }, ".cron", "Write for example cron"],
    ["a day that never comes", { ...weekend, cron: "0 0 30 2 *" }, ".cron", "that its months have"],
    ["no cron", { name: "a", duration: "1 hour" }, ".cron", "Write for example cron"],
    ["a misspelt key", { ...holidays, untill: "2026-12-27" }, ".untill", `Did you mean "until"?`],
    ["windows without a break", { ...weekend, duration: "7 days" }, ".duration", "Make it shorter"],
    ["a duration that is too long", { ...weekend, duration: "31 days" }, ".duration", "Write for example duration"],
    ["an end before the beginning", { ...holidays, until: "2025-12-26" }, ".until", "correct the year"],
    ["a date that no calendar has", { ...holidays, from: "2026-02-30" }, ".from", "Write for example from"],
    ["a time with an offset", { ...holidays, from: "2026-12-24T18:00Z" }, ".from", "name the zone in timezone"],
    ["both kinds at once", { ...weekend, from: "2026-12-24" }, ".from", "Make two freezes of it"],
    ["neither kind", { name: "a" }, "", "Give it cron and duration"],
    ["something else", "weekend", "", "Write for example freezes"],
    ["no environment", { ...weekend, environments: [] }, ".environments", "Write for example environments"],
    ["an environment that is not there", { ...weekend, environments: ["prodution"] }, ".environments[0]", "production"],
    ["an environment that is none", { ...weekend, environments: [7] }, ".environments[0]", "production"]
  ])("refuses %s", (_, freeze, path, hint) => {
    const [issue, ...others] = frozen(freeze)
    assert.strictEqual(issue?.path, `freezes[0]${path}`)
    assert.include(issue!.hint, hint)
    assert.isNotEmpty(issue!.expected)
    assert.isEmpty(others)
  })

  it("says what is wrong with a cron without quoting it", () => {
    const said = (cron: string) => frozen({ ...weekend, cron })[0]?.message
    assert.strictEqual(said("0 18 * *"), "has 4 fields in the place of five")
    assert.strictEqual(said("0 18 * * hunter2"), "cannot be read: expected a positive integer as the weekday")
    assert.strictEqual(said("0 18 32 * *"), "cannot be read: expected a value between 1 and 31 as the day of the month")
    assert.strictEqual(said("0 18 * 0 5"), "cannot be read: expected a value between 1 and 12 as the month")
    assert.strictEqual(said("0 0 31 2,4 *"), "matches no day of any year")
  })

  it("refuses two freezes of one name", () => {
    assert.deepStrictEqual(
      frozen(weekend, { ...holidays, name: "weekend" }).map(({ path }) => path),
      ["freezes[1].name"]
    )
  })

  it("reports all that is wrong with them at once", () => {
    assert.sameMembers(
      frozen({ ...weekend, cron: "x", timezone: "x" }, { ...holidays, until: "soon", environments: ["x"] }).map(
        ({ path }) => path
      ),
      ["freezes[0].cron", "freezes[0].timezone", "freezes[1].until", "freezes[1].environments[0]"]
    )
  })

  it.each([
    ["freeze", [weekend], "freezes"],
    ["require", [{ deployment: "DX6604E" }], "requires"],
    ["queu", "fifo", "queue"]
  ])("suggests what %s was meant to be", (key, value, meant) => {
    assert.deepStrictEqual(
      issuesOf(config({ [key]: value })).map(({ hint, path }) => [path, hint]),
      [[key, `Did you mean "${meant}"?`]]
    )
  })
})

describe("Configuration.check of what coordinates deployments", () => {
  it("leaves the queue to the command where nothing is said of it", () => {
    assert.isUndefined(good(config()).queue)
    assert.strictEqual(good(config({ queue: "latest_wins" })).queue, "latest_wins")
  })

  it("accepts deployments that have to be there first", () => {
    const requires = [{ deployment: "DX6604E" }, { deployment: "D000001", environment: "shared" }]
    assert.deepStrictEqual(JSON.stringify(good(config({ requires })).requires), JSON.stringify(requires))
  })

  it.each([
    [{ queue: "latest_win" }, "queue", `Did you mean "latest_wins"?`],
    [{ queue: true }, "queue", `Write for example queue: "fifo".`],
    [{ requires: ["DX6604E"] }, "requires[0]", `{ "deployment": "DX6604E" }`],
    [{ requires: [{ deployment: "shop" }] }, "requires[0].deployment", `Write for example deployment: "DX6604E".`],
    [{ requires: [{ deployment: "DX6604E", env: "a" }] }, "requires[0].env", "known keys"],
    [{ requires: [{ deployment: "DX6604E", environment: "A" }] }, "requires[0].environment", `"production"`]
  ])("refuses %j", (more, path, hint) => {
    const [issue, ...others] = issuesOf(config(more))
    assert.strictEqual(issue?.path, path)
    assert.include(issue!.hint, hint)
    assert.isEmpty(others)
  })
})

describe("Configuration.resolve", () => {
  const manifest = good(
    config({
      environments: {
        production: {
          region: "eu-west-1",
          stacks: {
            web: { properties: { env: { B: "2" } }, strategy: { type: "blue_green" } },
            old: { enabled: false }
          }
        }
      },
      stacks: [
        stack("database"),
        stack("old"),
        stack("web", { dependsOn: ["database"], properties: { command: ["x"], env: { A: "1", B: "1" } } })
      ]
    })
  )

  it.effect("lays the environment over the manifest", () =>
    Effect.gen(function* () {
      const spec = yield* Configuration.resolve(manifest, "production")
      const web = spec.stacks.find(({ name }) => name === "web")!
      assert.deepStrictEqual(web.properties, { command: ["x"], env: { A: "1", B: "2" } })
      assert.strictEqual(web.strategy.type, "blue_green")
      assert.strictEqual(spec.region, "eu-west-1")
      assert.isFalse(spec.stacks.find(({ name }) => name === "old")!.enabled)
    })
  )

  it.effect("narrows to stacks and replaces the strategy", () =>
    Effect.gen(function* () {
      const web = manifest.stacks[2]!.name
      const spec = yield* Configuration.resolve(manifest, "production", { stacks: [web], strategy: "canary" })
      assert.strictEqual(spec.stacks.length, 1)
      assert.strictEqual(spec.stacks[0]!.strategy.type, "canary")
    })
  )

  it.effect("refuses what is not there", () =>
    Effect.gen(function* () {
      const environment = yield* Effect.flip(Configuration.resolve(manifest, "prodution"))
      assert.strictEqual(environment.kind, "invalid")
      assert.strictEqual(environment.hint, `Did you mean "production"?`)
      const missing = yield* Effect.flip(Configuration.resolve(manifest, "production", { stacks: ["wep" as never] }))
      assert.strictEqual(missing.kind, "not_found")
      const off = yield* Effect.flip(Configuration.resolve(manifest, "production", { stacks: ["old" as never] }))
      assert.strictEqual(off.code, "stack_disabled")
    })
  )
})
