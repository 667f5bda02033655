import { assert, describe, it } from "@effect/vitest"
import { Configuration } from "@signalbox/core/config"
import { Signalbox } from "@signalbox/core/engine"
import { DeploymentStore, holdsPassword, namesSecret, type Provider, Providers } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { SimulatedProvider } from "@signalbox/core/testing"
import { Effect, Layer, Result } from "effect"
import { config, deployed, gate, manifestOf } from "../support.ts"

const planted = "hunter2-5f1c"

describe("secrets", () => {
  it("are known by their names", () => {
    for (const key of ["password", "DB_PASSWORD", "apiKey", "API_KEY", "github-token", "clientSecret", "credentials"]) {
      assert.isTrue(namesSecret(key), key)
    }
    for (const key of ["tokenEndpoint", "secretary", "passwordPolicy", "key", "port", "monkey"]) {
      assert.isFalse(namesSecret(key), key)
    }
    assert.isTrue(holdsPassword(`postgres://app:${planted}@db.internal/shop`))
    for (const text of ["postgres://app@db.internal/shop", "http://127.0.0.1:8080/a:b@c", "a:b@c"]) {
      assert.isFalse(holdsPassword(text), text)
    }
  })

  it("are rejected in the configuration, and not quoted", () => {
    const { provider } = SimulatedProvider.make()
    const value = config({
      environments: {
        production: { stacks: { db: { properties: { env: { API_KEY: planted } } } } },
        staging: {}
      },
      stacks: [
        {
          name: "db",
          provider: "simulated",
          gate,
          properties: {
            env: { DB_PASSWORD: planted, PORT: "80", TOKEN: { $secret: "DB_TOKEN" } },
            urls: [`postgres://app:${planted}@db/shop`]
          }
        }
      ]
    })
    const checked = Configuration.check(value, new Map([["simulated", provider]]))
    if (Result.isSuccess(checked)) return assert.fail("it was accepted")
    assert.notInclude(checked.failure.message, planted)
    assert.deepStrictEqual(
      checked.failure.issues
        .map(({ path }) => path)
        .filter((path) => path.includes("properties"))
        .toSorted(),
      [
        "environments.production.stacks.db.properties.env.API_KEY",
        "stacks[0].properties.env.DB_PASSWORD",
        "stacks[0].properties.urls[0]"
      ]
    )
  })

  it.effect("in the outputs of a provider get into no event and no state", () => {
    const cloud = SimulatedProvider.make()
    const leaky: Provider = {
      ...cloud.provider,
      stage: (...args) =>
        Effect.map(cloud.provider.stage(...args), (observed) => ({
          ...observed,
          outputs: { ...observed.outputs, adminPassword: planted, url: `http://app:${planted}@127.0.0.1` }
        }))
    }
    const layer = Signalbox.layer.pipe(Layer.provideMerge(layerMemory), Layer.provideMerge(Providers.layer([leaky])))
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      yield* deployed(manifestOf(config(), cloud))
      const events = yield* store.events({ stream: "first" })
      assert.isAbove(events.length, 50)
      assert.notInclude(JSON.stringify(events), planted)
      assert.notInclude(JSON.stringify(yield* store.execution("first" as never)), planted)
    }).pipe(Effect.provide(layer))
  })
})
