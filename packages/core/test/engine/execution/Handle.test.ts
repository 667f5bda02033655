import { assert, describe, it } from "@effect/vitest"
import { RunnerIdentity, Signalbox } from "@signalbox/core/engine"
import { CorrelationId, DeploymentStore, type Mutation, type Provider, Providers } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { SimulatedProvider } from "@signalbox/core/testing"
import { Duration, Effect, Fiber, Layer } from "effect"
import { config, drive, gate, manifestOf, pass, requestOf } from "../support.ts"

const id = CorrelationId.make("first")
const one = config({ stacks: [{ name: "web", provider: "simulated", gate }] })

const box = (owner: string, provider: Provider) =>
  Signalbox.layer.pipe(
    Layer.provide(Providers.layer([provider])),
    Layer.provide(Layer.succeed(RunnerIdentity, { owner, isDead: (other: string) => other !== owner }))
  )

const run = Effect.flatMap(Signalbox, (signalbox) => signalbox.executions.run(id))

describe("the handle of an operation", () => {
  it.effect("is in the log before the wait, read by the runner that takes over, and by no other step", () => {
    const cloud = SimulatedProvider.make()
    const { shift } = cloud.provider.traffic!
    const seen: Array<string> = []
    const note = (step: string, { handle }: Mutation) =>
      Effect.map(handle.get, (value) => void seen.push(`${step} ${value ?? "-"}`))
    const waiting: Provider = {
      ...cloud.provider,
      stage: (_ref, _options, mutation) =>
        note("stage", mutation).pipe(
          Effect.andThen(mutation.handle.set("operations/1")),
          Effect.andThen(mutation.handle.set("operations/2")),
          Effect.andThen(mutation.handle.set("operations/1")),
          Effect.andThen(Effect.never)
        )
    }
    const successor: Provider = {
      ...cloud.provider,
      stage: (ref, options, mutation) =>
        Effect.andThen(note("stage", mutation), cloud.provider.stage(ref, options, mutation)),
      traffic: {
        ...cloud.provider.traffic!,
        shift: (ref, options, mutation) => Effect.andThen(note("shift", mutation), shift(ref, options, mutation))
      }
    }
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      yield* Effect.gen(function* () {
        const signalbox = yield* Signalbox
        const manifest = manifestOf(one, cloud)
        const { deploymentId } = yield* signalbox.deployments.init({ manifest, by: "tester" })
        yield* signalbox.executions.submit(requestOf(manifest, deploymentId, id))
      }).pipe(Effect.provide(box("first", waiting)))
      const handles = Effect.map(store.events({ stream: id, tags: ["HandleRecorded"] }), (events) =>
        events.map(({ event }) => (event._tag === "HandleRecorded" ? event.handle : ""))
      )
      const first = yield* Effect.forkChild(Effect.provide(run, box("first", waiting)))
      yield* pass(first, { until: Effect.map(handles, ({ length }) => length === 3) })
      assert.deepStrictEqual(yield* handles, ["operations/1", "operations/2", "operations/1"])
      // The first one still waits, like a process that was stopped.
      const state = yield* drive(yield* Effect.forkChild(Effect.provide(run, box("second", successor))))
      assert.strictEqual(state.status, "completed")
      yield* drive(yield* Effect.forkChild(Fiber.interrupt(first)))
      assert.deepStrictEqual(seen, ["stage -", "stage operations/1", "shift -"])
    }).pipe(Effect.provide(layerMemory))
  })
})

describe("the time that the lease lasts", () => {
  it.effect("is known to a mutation, and never longer than the lease", () => {
    const cloud = SimulatedProvider.make()
    const seen: Array<number> = []
    const provider: Provider = {
      ...cloud.provider,
      stage: (ref, options, mutation) =>
        Effect.gen(function* () {
          for (let second = 0; second < 20; second++) {
            seen.push(Duration.toSeconds(yield* mutation.leaseLeft))
            yield* Effect.sleep("1 second")
          }
          return yield* cloud.provider.stage(ref, options, mutation)
        })
    }
    return Effect.gen(function* () {
      const signalbox = yield* Signalbox
      const manifest = manifestOf(one, cloud)
      const { deploymentId } = yield* signalbox.deployments.init({ manifest, by: "tester" })
      yield* signalbox.executions.submit(requestOf(manifest, deploymentId, id))
      assert.strictEqual((yield* drive(yield* Effect.forkChild(run))).status, "completed")
      assert.isAtMost(Math.max(...seen), 10)
      assert.isAtLeast(Math.min(...seen), 5)
      assert.isAbove(new Set(seen).size, 1)
    }).pipe(Effect.provide(box("first", provider)), Effect.provide(layerMemory))
  })
})
