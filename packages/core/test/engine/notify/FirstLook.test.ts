import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { layer } from "../../../src/engine/notify/layer.ts"
import { unattendedSince } from "../../../src/engine/notify/index.ts"
import { DeploymentStore, notificationSetup, type NotificationSetup } from "../../../src/spi/index.ts"
import { layerMemory } from "../../../src/store/index.ts"
import { makeMemoryReceiver } from "../../../src/testing/notifier/MemoryReceiver.ts"

const own = "DX6604E"
const setup: NotificationSetup = notificationSetup({
  settings: { channels: { ops: { kind: "memory" } } },
  kinds: new Map([["memory", { check: () => [], make: () => Effect.succeed(makeMemoryReceiver().notifier) }]]),
  deploymentId: own
})

/** How often a process that asks since when something waits has read the outbox. */
const readsOf = (
  read: Effect.Effect<NotificationSetup | undefined>,
  { asked, isLocal = false }: { readonly asked: string; readonly isLocal?: boolean }
) =>
  Effect.gen(function* () {
    let reads = 0
    const store = yield* DeploymentStore
    const counted = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.suspend(() => {
        reads++
        return effect
      })
    const counting = Layer.succeed(DeploymentStore, {
      ...store,
      outbox: {
        ...store.outbox,
        owed: (query) => counted(store.outbox.owed(query)),
        due: (query) => counted(store.outbox.due(query))
      }
    })
    yield* Effect.provide(unattendedSince(asked), layer(read, { isLocal }).pipe(Layer.provideMerge(counting)))
    return reads
  }).pipe(Effect.provide(Layer.fresh(layerMemory)))

describe("a look into the outbox", () => {
  it.live("is made once by a process: what is owed, and what is due", () =>
    Effect.map(readsOf(Effect.succeed(setup), { asked: own }), (reads) => assert.strictEqual(reads, 2))
  )

  it.live("is not made in a shared store if no channels are configured", () =>
    Effect.map(readsOf(Effect.undefined, { asked: own }), (reads) => assert.strictEqual(reads, 0))
  )

  it.live("is made before the configuration is read if the store is local", () =>
    Effect.map(readsOf(Effect.die("the configuration was read"), { asked: own, isLocal: true }), (reads) =>
      assert.strictEqual(reads, 2)
    )
  )

  it.live("is made again only for another deployment", () =>
    Effect.map(readsOf(Effect.succeed(setup), { asked: "DOTHER1" }), (reads) => assert.strictEqual(reads, 4))
  )
})
