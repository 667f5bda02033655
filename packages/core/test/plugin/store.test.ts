import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { effectStore, layerPlugin } from "@signalbox/core/plugin"
import { DeploymentStore, LeaseStore } from "@signalbox/core/spi"
import { makeMemory } from "@signalbox/core/store"
import { DeploymentStoreSuite, LeaseStoreSuite, OutboxSuite } from "@signalbox/core/testing"

const context = { directory: ".", stateDirectory: ".signalbox" }

DeploymentStoreSuite.suite(
  "a store of a plug-in",
  layerPlugin(
    effectStore(() => Effect.sync(makeMemory)),
    "memory://",
    context
  )
)
LeaseStoreSuite.suite(
  "a store of a plug-in",
  layerPlugin(
    effectStore(() => Effect.sync(makeMemory)),
    "memory://",
    context
  )
)

OutboxSuite.suite(
  "a store of a plug-in",
  layerPlugin(
    effectStore(() => Effect.sync(makeMemory)),
    "memory://",
    context
  )
)

describe("a store of a plug-in", () => {
  it.effect("fails with the reason of the plug-in's error", () =>
    Effect.gen(function* () {
      const { load } = effectStore(() => Effect.sync(makeMemory))
      const broken = {
        load: async () => ({
          ...(await load("memory://", context)),
          deployments: () => Promise.reject({ reason: "Unavailable", detail: "no route" }),
          leases: () => Promise.reject(new TypeError("odd"))
        })
      }
      const [away, odd] = yield* Effect.provide(
        Effect.all([
          Effect.flip(Effect.flatMap(DeploymentStore, (store) => store.deployments)),
          Effect.flip(Effect.flatMap(LeaseStore, (store) => store.list))
        ]),
        layerPlugin(broken, "memory://", context)
      )
      assert.deepInclude(away, { operation: "deployments", reason: "Unavailable", detail: "no route" })
      assert.deepInclude(odd, { operation: "leases", reason: "Unexpected", detail: "odd" })
    })
  )

  it.effect("is closed with its layer", () =>
    Effect.gen(function* () {
      let closed = 0
      const store = effectStore(() =>
        Effect.acquireRelease(Effect.sync(makeMemory), () =>
          Effect.sync(() => {
            closed++
          })
        )
      )
      yield* Effect.provide(Effect.asVoid(DeploymentStore), layerPlugin(store, "memory://", context))
      assert.strictEqual(closed, 1)
    })
  )
})
