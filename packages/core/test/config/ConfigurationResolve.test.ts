import { describe as described } from "@signalbox/core/text"
import { assert, describe, it } from "@effect/vitest"
import { Configuration } from "@signalbox/core/config"
import * as Effect from "effect/Effect"
import { config, good, paths, providers, stack } from "./configurations.ts"

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

  it.effect("gives each stack its region and account: in the environment, its own, or the environment's", () =>
    Effect.gen(function* () {
      const value = good(
        config({
          environments: {
            production: { region: "eu-west-1", account: "1", stacks: { web: { region: "us-east-1", account: "2" } } },
            staging: { region: "eu-west-1" }
          },
          stacks: [stack("database"), stack("cdn", { region: "us-east-1" }), stack("web", { account: "3" })]
        })
      )
      const places = (environment: string) =>
        Effect.map(Configuration.resolve(value, environment), ({ stacks }) =>
          stacks.map(({ account, region }) => [region, account])
        )
      assert.deepStrictEqual(yield* places("production"), [
        ["eu-west-1", "1"],
        ["us-east-1", "1"],
        ["us-east-1", "2"]
      ])
      assert.deepStrictEqual(yield* places("staging"), [
        ["eu-west-1", undefined],
        ["us-east-1", undefined],
        ["eu-west-1", "3"]
      ])
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

  it.effect("rejects unknown things", () =>
    Effect.gen(function* () {
      const environment = yield* Effect.flip(Configuration.resolve(manifest, "prodution"))
      assert.strictEqual(environment.kind, "invalid")
      assert.strictEqual(described(environment.info).hint, `Did you mean "production"?`)
      const missing = yield* Effect.flip(Configuration.resolve(manifest, "production", { stacks: ["wep" as never] }))
      assert.strictEqual(missing.kind, "not_found")
      const off = yield* Effect.flip(Configuration.resolve(manifest, "production", { stacks: ["old" as never] }))
      assert.strictEqual(off.code, "stack_disabled")
    })
  )
})

describe("Configuration.checkRequest", () => {
  const manifest = good(config())
  const request = { kind: "deploy", environment: "production", manifest } as Parameters<
    typeof Configuration.checkRequest
  >[0]
  const refused = (changes: Partial<typeof request>, bare = false) =>
    Effect.map(
      Effect.flip(Configuration.checkRequest({ ...request, ...changes }, { bare, providers })),
      ({ code, info, kind }) => [kind, code, info.path]
    )
  const web = manifest.stacks[1]!

  it.effect("gives what a request works from", () =>
    Effect.gen(function* () {
      const one = { ...request, kind: "deploy-stack", stacks: [web.name], strategy: "canary" } as const
      const spec = yield* Configuration.checkRequest(one, { bare: false, providers })
      assert.deepStrictEqual(
        spec.stacks.map(({ name, strategy }) => `${name} ${strategy.type}`),
        ["web canary"]
      )
    })
  )

  it.effect("refuses what can never be done", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* refused({}, true), ["invalid", "configuration_missing", "configuration"])
      const stackMissing = ["invalid", "stack_missing", "stacks"]
      assert.deepStrictEqual(yield* refused({ kind: "destroy-stack" }), stackMissing)
      const both = manifest.stacks.map(({ name }) => name)
      assert.deepStrictEqual(yield* refused({ kind: "deploy-stack", stacks: both }), stackMissing)
      const site = good(config({ stacks: [stack("web", { provider: "site" })] }))
      const unsupported = yield* refused({ manifest: site, strategy: "canary" })
      assert.deepStrictEqual(unsupported, ["invalid", "strategy_unsupported", "stacks.web.strategy"])
    })
  )

  it.effect("lets a command run without a configuration, and without its providers", () =>
    Configuration.checkRequest({ ...request, kind: "run" }, { bare: true, providers: new Map() })
  )
})

describe("dependencies", () => {
  const dependent = (dependsOn: unknown) => config({ stacks: [stack("api"), stack("db"), stack("web", { dependsOn })] })

  it("are names, or objects that say whether they are in lockstep", () => {
    const edges = ["db", { stack: "api", lockstep: true }]
    const web = good(dependent(edges)).stacks[2]!
    assert.deepStrictEqual<unknown>([web.dependsOn, web.lockstep], [["db", "api"], ["api"]])
    const plain = good(dependent([{ stack: "db" }, { stack: "api", lockstep: false }])).stacks[2]!
    assert.deepStrictEqual<unknown>([plain.dependsOn, plain.lockstep], [["db", "api"], undefined])
  })

  it("are checked in both forms, and lockstep is written with its dependency", () => {
    assert.deepStrictEqual(paths(dependent([{ stack: "apj" }])), ["stacks[2].dependsOn[0]"])
    assert.deepStrictEqual(paths(dependent([{ stack: "api", lockstp: true }])), ["stacks[2].dependsOn[0].lockstp"])
    assert.deepStrictEqual(paths(dependent([{ stack: "web" }])), ["stacks[2].dependsOn[0]"])
    assert.deepStrictEqual(paths(config({ stacks: [stack("api"), stack("web", { lockstep: ["api"] })] })), [
      "stacks[1].lockstep"
    ])
  })
})
