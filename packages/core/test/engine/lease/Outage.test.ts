import { describeCause } from "@signalbox/core/text"
import { assert, describe, it } from "@effect/vitest"
import { Signalbox, type CommandExecution } from "@signalbox/core/engine"
import { CorrelationId, DeploymentStore, LeaseStore, Providers, StoreError } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { SimulatedProvider } from "@signalbox/core/testing"
import { Context, Effect, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { canary, deployed, drive, manifestOf, production, requestOf, settle } from "../support.ts"

const id = CorrelationId.make("second")
const away = (operation: string) => new StoreError({ operation, reason: "Unavailable", detail: "no route" })

/** How a store is away: what a call of it becomes. */
type Away = <A, E>(operation: string, call: Effect.Effect<A, E>) => Effect.Effect<A, E | StoreError>

const refuses: Away = (operation) => Effect.fail(away(operation))
const isSilent: Away = () => Effect.never
/** The process learns of it only after a minute, whatever its own limit. */
const late: Away = (operation) =>
  Effect.andThen(Effect.uninterruptible(Effect.sleep("1 minute")), Effect.fail(away(operation)))
const answers: Away = (_, call) => call

/** A signalbox whose stores go away by turns; leases last 10 seconds. */
const outages = () => {
  const cloud = SimulatedProvider.make()
  let renewing = answers
  let appending = answers
  const stores = Layer.effectContext(
    Effect.gen(function* () {
      const leases = yield* LeaseStore
      const store = yield* DeploymentStore
      return Context.make(LeaseStore, {
        ...leases,
        renew: (...of) => Effect.suspend(() => renewing("lease", leases.renew(...of)))
      }).pipe(
        Context.add(DeploymentStore, {
          ...store,
          append: (write) => Effect.suspend(() => appending("append", store.append(write))),
          execution: (of) => Effect.suspend(() => appending("execution", store.execution(of)))
        })
      )
    })
  )
  const layer = Signalbox.layer.pipe(
    Layer.provideMerge(Layer.provide(stores, layerMemory)),
    Layer.provideMerge(Providers.layer([cloud.provider]))
  )
  const begin = (keeper: Away, journal: Away) =>
    Effect.sync(() => {
      renewing = keeper
      appending = journal
    })
  return { cloud, layer, begin }
}

const untilLost: CommandExecution = ({ deadlines }) =>
  Stream.runDrain(Stream.takeUntil(deadlines, (deadline) => deadline === 0)).pipe(
    Effect.as({ code: null, signal: "SIGKILL", asked: false, leaseExpired: true })
  )

const elapse = Effect.fnUntraced(function* (seconds: number) {
  for (let tick = 0; tick < seconds * 10; tick++) {
    yield* settle
    yield* TestClock.adjust("100 millis")
  }
})

const kinds = [
  ["a deployment", {}, undefined],
  ["a wrapped command", { kind: "run", command: "make deploy" }, untilLost]
] as const

describe("an outage that ends a lease is reported as the end of the lease", () => {
  for (const [name, changes, command] of kinds) {
    for (const [who, keeper, journal] of [
      ["keeper and journal are refused", refuses, refuses],
      ["the keeper is late", late, refuses],
      ["the keeper gets no answer", isSilent, refuses],
      ["the journal gets no answer", refuses, isSilent],
      ["no call gets an answer", isSilent, isSilent]
    ] as const) {
      it.effect(`of ${name}, where ${who}`, () => {
        const { begin, cloud, layer } = outages()
        return Effect.gen(function* () {
          const box = yield* Signalbox
          const manifest = manifestOf(canary, cloud)
          const deploymentId = yield* deployed(manifest)
          yield* box.executions.submit(requestOf(manifest, deploymentId, id, { version: "2.0.0", ...changes }))
          const running = yield* Effect.forkChild(Effect.flip(box.executions.run(id, command)))
          yield* elapse(12)
          yield* begin(keeper, journal)
          const error = yield* drive(running, { limit: 120 })
          assert.strictEqual(error._tag, "LeaseLost")
          assert.match(error.message, /^the lease could not be renewed in time, and the work under it was stopped: /)
        }).pipe(Effect.provide(layer))
      })
    }
  }

  it.effect("even if the store is back, and the journal learns of it before the keeper", () => {
    const { begin, cloud, layer } = outages()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      yield* box.executions.submit(requestOf(manifest, deploymentId, id, { version: "2.0.0" }))
      const running = yield* Effect.forkChild(Effect.flip(box.executions.run(id)))
      yield* elapse(12)
      yield* begin(late, refuses)
      yield* elapse(20)
      yield* begin(late, answers)
      const error = yield* drive(running, { limit: 120 })
      assert.strictEqual(error._tag === "LeaseLost" ? error.outage?.message : error._tag, "append: no route")
    }).pipe(Effect.provide(layer))
  })

  it.effect("and a defect in the middle of it does not hide it", () => {
    const { begin, cloud, layer } = outages()
    const mistaken: CommandExecution = () => Effect.delay(Effect.die(new Error("a mistake")), "15 seconds")
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      yield* box.executions.submit(requestOf(manifest, deploymentId, id, { kind: "run", command: "make deploy" }))
      const running = yield* Effect.forkChild(Effect.flip(box.executions.run(id, mistaken)))
      yield* elapse(12)
      yield* begin(refuses, refuses)
      const error = yield* drive(running, { limit: 60 })
      assert.strictEqual(error._tag === "LeaseLost" ? error.outage?.detail : error._tag, "no route")
    }).pipe(Effect.provide(layer))
  })

  it.effect("and in the log, if the store is back right after the command was stopped", () => {
    const { begin, cloud, layer } = outages()
    const stopped: CommandExecution = () =>
      Effect.delay(Effect.succeed({ code: null, signal: "SIGTERM", asked: false, leaseExpired: true }), "20500 millis")
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      yield* box.executions.submit(requestOf(manifest, deploymentId, id, { kind: "run", command: "make deploy" }))
      const running = yield* Effect.forkChild(box.executions.run(id, stopped))
      yield* elapse(12)
      yield* begin(refuses, refuses)
      yield* elapse(7.5)
      yield* begin(answers, answers)
      const state = yield* drive(running, { limit: 60 })
      assert.deepStrictEqual([state.status, state.error?.code], ["failed", "lease_expired"])
      assert.strictEqual(
        describeCause(state.error!),
        "the lease could not be renewed in time, and the command was stopped: lease: no route"
      )
      assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "unknown")
    }).pipe(Effect.provide(layer))
  })
})
