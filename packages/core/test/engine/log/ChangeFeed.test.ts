import { assert, describe, it } from "@effect/vitest"
import { DeploymentId, DeploymentStore, StoreError } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { Clock, Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { changeFeed, lastingChanges } from "../../../src/engine/log/ChangeFeed.ts"
import { settle } from "../support.ts"

/** How long a wait lasts, in steps of 5 ms. */
const lasts = (until: number | undefined) =>
  Effect.gen(function* () {
    const wait = yield* changeFeed
    // The first pulse of a store says that it can be followed.
    yield* settle
    yield* wait()
    const begun = yield* Clock.currentTimeMillis
    const waiting = yield* Effect.forkChild(wait(until === undefined ? undefined : begun + until))
    while (
      (yield* Effect.andThen(
        settle,
        Effect.sync(() => waiting.pollUnsafe())
      )) === undefined
    ) {
      yield* TestClock.adjust("5 millis")
    }
    yield* Fiber.join(waiting)
    return (yield* Clock.currentTimeMillis) - begun
  }).pipe(Effect.scoped)

describe("a wait for news", () => {
  it.effect.each([
    ["no time", undefined, 1_000],
    ["a time that is far", 60_000, 1_000],
    ["a time that is near", 300, 300],
    ["a time that has just come", 0, 10],
    ["a time that is past", -20_000, 250]
  ] as const)("until %s", ([, until, millis]) =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* lasts(until), millis)
    }).pipe(Effect.provide(layerMemory))
  )

  it.effect("ends as soon as something happens", () =>
    Effect.gen(function* () {
      const store = yield* DeploymentStore
      const wait = yield* changeFeed
      yield* settle
      yield* wait()
      const waiting = yield* Effect.forkChild(wait())
      yield* settle
      assert.isUndefined(waiting.pollUnsafe())
      const id = DeploymentId.make("DX6604E")
      const event = {
        _tag: "DeploymentInitialized",
        deploymentId: id,
        organization: "acme",
        project: "shop",
        template: "default",
        environments: [],
        stacks: [],
        by: "ada"
      } as const
      yield* store.append({ stream: id, events: [{ id: "init", at: 0, event }] })
      yield* settle
      assert.isDefined(waiting.pollUnsafe())
    }).pipe(Effect.scoped, Effect.provide(layerMemory))
  )
})

describe("lasting changes", () => {
  it.effect("go on after an outage", () =>
    Effect.gen(function* () {
      const store = yield* DeploymentStore
      const away = new StoreError({ operation: "changes", reason: "Unavailable", detail: "no route" })
      let followed = 0
      const changes = Stream.suspend(() =>
        Stream.concat(Stream.succeed(undefined), ++followed < 3 ? Stream.fail(away) : Stream.never)
      )
      const pulses = yield* Effect.forkChild(
        lastingChanges({ ...store, changes }).pipe(Stream.take(3), Stream.runCount)
      )
      yield* settle
      assert.strictEqual(followed, 1)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* Fiber.join(pulses), 3)
    }).pipe(Effect.provide(layerMemory))
  )
})
