import { describeCause } from "@signalbox/core/text"
import { assert, describe, it } from "@effect/vitest"
import { Configuration } from "@signalbox/core/config"
import { Monitor, Signalbox } from "@signalbox/core/engine"
import {
  CorrelationId,
  type DeploymentId,
  DeploymentStore,
  StackName,
  type StackRef,
  StoreError
} from "@signalbox/core/spi"
import type { SimulatedProvider } from "@signalbox/core/testing"
import { Clock, Duration, Effect, Exit, Stream } from "effect"
import { TestClock } from "effect/testing"
import { config, deployed, drive, gate, manifestOf, pass, production, requestOf, world } from "../support.ts"

const second = CorrelationId.make("second")
const one = (more: object = {}) => config({ stacks: [{ name: "api", provider: "simulated", gate, ...more }] })
const refOf = (deploymentId: DeploymentId): StackRef => ({
  deploymentId,
  environment: production,
  stack: StackName.make("api"),
  properties: {}
})

const eventsOf = (id: CorrelationId) =>
  Effect.flatMap(DeploymentStore, (store) => store.events({ stream: id, limit: 10_000 }))
const toldIn = (id: CorrelationId) =>
  Effect.map(eventsOf(id), (events) =>
    events.flatMap(({ event }) => (event._tag === "AlertRaised" ? [event.kind] : []))
  )
const seenIn = (id: CorrelationId) =>
  Effect.map(eventsOf(id), (events) =>
    events.flatMap(({ event }) =>
      event._tag === "ProgressReported" && event.source === "monitor"
        ? [event.cause === undefined ? event.message : describeCause(event.cause)]
        : []
    )
  )

describe("an execution", () => {
  it.effect("raises its own stall and end, once each", () => {
    const { cloud, layer } = world()
    cloud.script("api", "2.0.0", { stageMillis: 20 * 60_000 })
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(one(), cloud)
      const deploymentId = yield* deployed(manifest)
      yield* box.executions.submit(requestOf(manifest, deploymentId, second, { version: "2.0.0" }))
      const state = yield* drive(yield* Effect.forkChild(box.executions.run(second)), { limit: 1_800, tick: 1_000 })
      assert.strictEqual(state.status, "completed")
      assert.deepStrictEqual(yield* toldIn(second), ["stalled", "recovered", "succeeded"])
      const store = yield* DeploymentStore
      assert.deepStrictEqual(
        (yield* store.execution(second))!.alerts!.map(({ kind }) => kind),
        ["stalled", "recovered", "succeeded"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("reports its providers' own events once, although a monitor does too", () => {
    const { cloud, layer } = world({ capabilities: { events: true } })
    cloud.script("api", "2.0.0", { stageMillis: 3 * 60_000 })
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(one(), cloud)
      const deploymentId = yield* deployed(manifest)
      yield* box.executions.submit(requestOf(manifest, deploymentId, second, { version: "2.0.0" }))
      const running = yield* Effect.forkChild(box.executions.run(second))
      const watching = yield* Effect.forkChild(Effect.scoped(Monitor.watch(second)))
      yield* drive(running, { limit: 1_200, tick: 1_000 })
      yield* drive(watching, { tick: 1_000 })
      const ids = (yield* eventsOf(second)).map(({ id }) => id).filter((id) => id.startsWith("seen/api/event/"))
      assert.isAtLeast(ids.length, 2)
      assert.strictEqual(new Set(ids).size, ids.length)
      // Events of the stack before this execution do not count.
      assert.notInclude(ids, "seen/api/event/api-1")
      assert.deepStrictEqual(yield* toldIn(second), ["succeeded"])
    }).pipe(Effect.provide(layer))
  })
})

describe("a store that is away", () => {
  it.effect("is waited for: reported once, and once when it is back, without losing events", () => {
    const { cloud, layer } = world()
    cloud.script("api", "2.0.0", { stageMillis: 3 * 60_000 })
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(one(), cloud)
      const deploymentId = yield* deployed(manifest)
      yield* box.executions.submit(requestOf(manifest, deploymentId, second, { version: "2.0.0" }))
      let away = false
      const told: Array<string> = []
      const unreachable = new StoreError({ operation: "read", reason: "Unavailable", detail: "no route" })
      const reached = <A, E>(effect: Effect.Effect<A, E>) =>
        Effect.suspend((): Effect.Effect<A, E | StoreError> => (away ? Effect.fail(unreachable) : effect))
      const flaky = DeploymentStore.of({
        ...store,
        events: (query) => reached(store.events(query)),
        append: (append) => reached(store.append(append)),
        changes: Stream.mapEffect(store.changes, () => reached(Effect.void))
      })
      const seen: Array<number> = []
      const onStore = (error: StoreError | undefined) => Effect.sync(() => void told.push(error?.message ?? "back"))
      const watch = Monitor.watch(second, {
        onStore,
        onEvent: ({ position }) => Effect.sync(() => void seen.push(position))
      })
      const watching = yield* Effect.forkChild(
        Effect.scoped(Effect.provideService(watch, DeploymentStore, flaky)).pipe(Effect.exit)
      )
      const running = yield* Effect.forkChild(box.executions.run(second))
      yield* pass(running, { until: Effect.sync(() => seen.length > 3), limit: 60 })
      away = true
      yield* drive(running, { limit: 1_200, tick: 1_000 })
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(watching.pollUnsafe())
      assert.deepStrictEqual(told, ["read: no route"])
      away = false
      assert.isTrue(Exit.isSuccess(yield* drive(watching, { tick: 1_000 })))
      assert.deepStrictEqual(told, ["read: no route", "back"])
      assert.deepStrictEqual(
        seen,
        (yield* eventsOf(second)).map(({ position }) => position)
      )
      away = true
      const once = yield* Effect.flip(
        Effect.scoped(Effect.provideService(Monitor.watch(second, { once: true }), DeploymentStore, flaky))
      )
      assert.strictEqual(once.reason, "Unavailable")
    }).pipe(Effect.provide(layer))
  })
})

describe("a clock that is set", () => {
  for (const by of [2 * 60 * 60_000, -2 * 60 * 60_000]) {
    it.effect(`by ${by > 0 ? "two hours on" : "two hours back"} makes no stall, and hides none`, () => {
      const { cloud, layer } = world()
      cloud.script("api", "2.0.0", { stageMillis: 13 * 60_000 })
      let offset = 0
      return Effect.gen(function* () {
        const box = yield* Signalbox
        const manifest = manifestOf(one(), cloud)
        const deploymentId = yield* deployed(manifest)
        yield* box.executions.submit(requestOf(manifest, deploymentId, second, { version: "2.0.0" }))
        const steady = yield* Clock.Clock
        const wall = () => Math.max(0, steady.currentTimeMillisUnsafe() + offset)
        const set: Clock.Clock = {
          currentTimeMillisUnsafe: wall,
          currentTimeMillis: Effect.sync(wall),
          currentTimeNanosUnsafe: () => BigInt(wall()) * 1_000_000n,
          currentTimeNanos: Effect.sync(() => BigInt(wall()) * 1_000_000n),
          monotonicTimeNanosUnsafe: () => steady.monotonicTimeNanosUnsafe(),
          monotonicTimeNanos: steady.monotonicTimeNanos,
          sleep: (duration) => steady.sleep(duration)
        }
        const running = yield* Effect.forkChild(box.executions.run(second))
        // The simulated cloud would use that clock too: it is asked once, before the clock is set.
        const options = { stallAfter: Duration.minutes(5), interval: Duration.hours(3) }
        const watching = yield* Effect.forkChild(
          Effect.provideService(Effect.scoped(Monitor.watch(second, options)), Clock.Clock, set)
        )
        const elapsed = (minutes: number) => Effect.map(steady.currentTimeMillis, (now) => now >= minutes * 60_000)
        const begun = yield* steady.currentTimeMillis
        const after = (minutes: number) => elapsed(begun / 60_000 + minutes)
        yield* pass(watching, { until: after(2), tick: 1_000 })
        offset = by
        yield* pass(watching, { until: after(4), tick: 1_000 })
        assert.deepStrictEqual(yield* toldIn(second), [])
        yield* pass(watching, { until: after(7), tick: 1_000 })
        assert.deepStrictEqual(yield* toldIn(second), ["stalled"])
        yield* drive(running, { limit: 1_200, tick: 1_000 })
        yield* drive(watching, { tick: 1_000 })
        assert.deepStrictEqual(yield* toldIn(second), ["stalled", "recovered", "succeeded"])
      }).pipe(Effect.provide(layer))
    })
  }
})

describe("what others do", () => {
  const foreign = (cloud: SimulatedProvider.SimulatedProvider, deploymentId: DeploymentId, minutes: number) =>
    cloud.foreign(refOf(deploymentId), { description: "an update from the console", millis: minutes * 60_000 })

  it.effect("is recorded once by two monitors, followed to its end, and takes no position", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const manifest = manifestOf(one(), cloud)
      const deploymentId = yield* deployed(manifest)
      const spec = yield* Configuration.resolve(manifest, production)
      const place = { deploymentId, environment: production, spec, by: "monitor" }
      assert.deepStrictEqual(yield* Monitor.foreign(place), [])
      yield* foreign(cloud, deploymentId, 5)
      const [id, ...others] = yield* Monitor.foreign(place)
      assert.deepStrictEqual(others, [])
      assert.deepStrictEqual(yield* Monitor.foreign(place), [id!])
      const before = yield* store.environment(deploymentId, production)
      const [first, other] = [
        yield* Effect.forkChild(Effect.scoped(Monitor.watch(id!))),
        yield* Effect.forkChild(Effect.scoped(Monitor.watch(id!)))
      ]
      assert.strictEqual((yield* drive(first, { limit: 1_000, tick: 1_000 })).execution?.status, "completed")
      yield* drive(other, { tick: 1_000 })
      assert.deepStrictEqual(yield* toldIn(id!), ["succeeded"])
      assert.deepStrictEqual((yield* seenIn(id!)).slice(0, 1), ["an update from the console is in progress"])
      const after = yield* store.environment(deploymentId, production)
      assert.deepStrictEqual([after?.status, after?.current, after?.last], [before?.status, null, before?.last])
      const { items } = yield* store.executions({ deploymentId, kinds: ["observe"] })
      assert.deepStrictEqual(
        items.map(({ correlationId }) => correlationId),
        [id]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("that is followed by another operation before its end was seen is no success", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(one(), cloud)
      const deploymentId = yield* deployed(manifest)
      const spec = yield* Configuration.resolve(manifest, production)
      yield* foreign(cloud, deploymentId, 5)
      const [id] = yield* Monitor.foreign({ deploymentId, environment: production, spec, by: "monitor" })
      const watching = yield* Effect.forkChild(Effect.scoped(Monitor.watch(id!)))
      yield* pass(watching, { until: Effect.map(seenIn(id!), (seen) => seen.length > 0) })
      yield* TestClock.adjust("1 second")
      yield* foreign(cloud, deploymentId, 50)
      const { execution } = yield* drive(watching, { tick: 1_000 })
      assert.deepStrictEqual([execution?.status, execution?.error?.code], ["failed", "outcome_unknown"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("is watched on where a provider does not answer for a while", () => {
    const { cloud, layer } = world()
    const troubles: Array<string> = []
    return Effect.gen(function* () {
      const manifest = manifestOf(one(), cloud)
      const deploymentId = yield* deployed(manifest)
      const spec = yield* Configuration.resolve(manifest, production)
      yield* foreign(cloud, deploymentId, 5)
      const [id] = yield* Monitor.foreign({ deploymentId, environment: production, spec, by: "monitor" })
      cloud.fail({ operation: "observe", times: 3, reason: { _tag: "Unavailable", message: "no answer" } })
      const onTrouble = ({ message }: { readonly message: string }) => Effect.sync(() => void troubles.push(message))
      const watched = Monitor.watch(id!, { interval: Duration.seconds(10), onTrouble })
      const { execution } = yield* drive(yield* Effect.forkChild(Effect.scoped(watched)), { tick: 1_000 })
      assert.strictEqual(execution?.status, "completed")
      assert.deepStrictEqual(troubles, ["no answer", "no answer", "no answer"])
    }).pipe(Effect.provide(layer))
  })
})
