import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { effectProvider, fromPlugin, type PlainProvider, type PluginProvider, toPlain } from "@signalbox/core/plugin"
import { DeploymentId, EnvironmentName, StackName, type StackRef } from "@signalbox/core/spi"
import { ProviderSuite, SimulatedProvider, testMutation } from "@signalbox/core/testing"

const context = { directory: ".", stateDirectory: ".signalbox" }
const ref: StackRef = {
  deploymentId: DeploymentId.make("DX6604E"),
  environment: EnvironmentName.make("test"),
  stack: StackName.make("api"),
  properties: { size: 1 }
}
const mutation = testMutation("k")

/** As a plug-in with another copy of this package would bring it: without the mark of this one. */
const foreign = (plugin: PluginProvider): PluginProvider => ({ ...plugin })

for (const [name, shape] of Object.entries(SimulatedProvider.shapes)) {
  const { capacity, traffic } = shape
  const groups = (["metrics", "drift", "restart", "logs"] as const).filter((group) => group === "logs" || shape[group])
  ProviderSuite.suite(`simulated ${name}, as a plug-in`, {
    capabilities: { spiVersion: 1, traffic, capacity, fencing: "compared", outputs: ["url"] },
    groups,
    make: Effect.sync(() => {
      const cloud = SimulatedProvider.make({
        capabilities: { ...shape, logs: true },
        handles: name === "transactional",
        metrics: { resolutionMillis: 100, lagMillis: 150, samples: false }
      })
      cloud.script("api", "broken", { broken: "it exits at once" })
      cloud.script("api", "slow", { stageMillis: 500 })
      const adapter = () => fromPlugin("simulated", foreign(effectProvider(() => cloud.provider)), context)
      const version = (id: string) => id.slice(0, id.lastIndexOf("-"))
      const versions = (entries: ReadonlyArray<readonly [string, number]>) =>
        Object.fromEntries(entries.filter(([, value]) => value > 0).map(([id, value]) => [version(id), value]))
      return {
        provider: adapter(),
        another: Effect.sync(adapter),
        ref,
        candidates: {
          v1: { version: "v1" },
          v2: { version: "v2" },
          broken: { version: "broken" },
          slow: { version: "slow" }
        },
        write: (text) => cloud.write(ref, text),
        probe: {
          traffic: Effect.map(cloud.inspect(ref), ({ traffic }) => versions(Object.entries(traffic))),
          capacity: Effect.map(cloud.inspect(ref), ({ releases }) => versions(releases.map((id) => [id, 2])))
        }
      }
    }),
    classify: []
  })
}

const plain = (operations: Partial<PlainProvider>): PluginProvider => ({
  capabilities: SimulatedProvider.make().provider.capabilities,
  groups: ["traffic"],
  load: () => ({ ...toPlain(SimulatedProvider.make().provider), ...operations })
})

const observing = (operations: Partial<PlainProvider>) => fromPlugin("site", plain(operations), context).observe(ref)

describe("the boundary of a plug-in", () => {
  it.effect("takes the reason of an error, whatever class it has", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        observing({ observe: () => Promise.reject({ reason: { _tag: "Denied", message: "not allowed" } }) })
      )
      assert.deepInclude(error, { provider: "site", operation: "observe", stackName: "api" })
      assert.strictEqual(error.reason._tag, "Denied")
    })
  )

  it.effect("calls any other error unexpected, with its first line", () =>
    Effect.gen(function* () {
      const throws = yield* Effect.flip(
        observing({
          observe: () => {
            throw new TypeError("no such thing\n  at a place")
          }
        })
      )
      assert.deepStrictEqual(throws.reason, { _tag: "Unexpected", message: "no such thing" })
    })
  )

  it.effect("refuses an answer that is none, and names the field", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(observing({ observe: () => Promise.resolve({ status: "fine" } as never) }))
      assert.strictEqual(error.reason._tag, "Unexpected")
      assert.match(error.message, /site gave a wrong answer to observe: .*status/s)
    })
  )

  it.effect("loads again after a failure, and only once after that", () =>
    Effect.gen(function* () {
      let loads = 0
      const good = plain({})
      const provider = fromPlugin(
        "site",
        {
          ...good,
          load: (given) => (++loads === 1 ? Promise.reject(new Error("no network")) : good.load(given))
        },
        context
      )
      assert.match((yield* Effect.flip(provider.observe(ref))).message, /no network/)
      yield* provider.observe(ref)
      yield* provider.observe(ref)
      assert.strictEqual(loads, 2)
    })
  )

  it.effect("ends an operation whose guard refuses, with the guard's reason", () =>
    Effect.gen(function* () {
      const refused = { _tag: "Fenced", message: "the lease is lost", fence: 7 } as const
      const provider = fromPlugin(
        "site",
        plain({
          destroy: async ({ mutation }) => {
            await mutation.guard()
            assert.fail("the guard did not refuse")
          }
        }),
        context
      )
      const failing = yield* Effect.flip(observing({ observe: () => Promise.reject({ reason: refused }) }))
      const error = yield* Effect.flip(provider.destroy(ref, { ...mutation, guard: Effect.fail(failing) }))
      assert.deepStrictEqual(error.reason, refused)
    })
  )

  it.live("aborts a call that is interrupted, and waits until it has settled", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      let begun = () => undefined as void
      const hasBegun = new Promise<void>((resolve) => (begun = resolve))
      const fiber = yield* Effect.forkChild(
        observing({
          observe: ({ signal }) =>
            new Promise((_, reject) => {
              begun()
              ;(signal as globalThis.AbortSignal).addEventListener("abort", () => {
                seen.push("aborted")
                queueMicrotask(() => {
                  seen.push("settled")
                  reject(new Error("aborted"))
                })
              })
            })
        })
      )
      yield* Effect.promise(() => hasBegun)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(seen, ["aborted", "settled"])
    })
  )

  it.live("passes the span of the call on", () =>
    Effect.gen(function* () {
      let found: string | undefined
      yield* Effect.withSpan(
        Effect.gen(function* () {
          const span = yield* Effect.currentSpan
          yield* observing({
            observe: (call) => {
              found = call.traceparent
              return toPlain(SimulatedProvider.make().provider).observe(call)
            }
          })
          assert.strictEqual(found?.slice(3, 52), `${span.traceId}-${span.spanId}`)
        }),
        "step"
      )
    })
  )

  it.effect("says which group a plug-in promised and does not have", () =>
    Effect.gen(function* () {
      const good = plain({})
      const provider = fromPlugin(
        "site",
        {
          ...good,
          groups: ["metrics"],
          load: async (given) => {
            const { metrics: _, ...rest } = await good.load(given)
            return rest
          }
        },
        context
      )
      const measured = provider.metrics!.measure(ref, { releaseId: "r", from: 0, to: 1_000 })
      assert.deepInclude((yield* Effect.flip(measured)).reason, { _tag: "Unsupported", capability: "measure" })
    })
  )
})
