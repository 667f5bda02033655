import { assert, describe, it } from "@effect/vitest"
import { Replay } from "@signalbox/core/analysis"
import { type Config } from "@signalbox/core/config"
import { Signalbox } from "@signalbox/core/engine"
import {
  type CorrelationId,
  type DeploymentId,
  DeploymentStore,
  type OperatorCommand,
  StackName,
  type StoredEvent
} from "@signalbox/core/spi"
import type { SimulatedProvider } from "@signalbox/core/testing"
import { Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { seeded } from "../../analysis/chance.ts"
import { config, deployed, drive, gate, manifestOf, pass, requestOf, settle, world } from "../support.ts"

const logOf = (stream: string): Effect.Effect<ReadonlyArray<StoredEvent>, unknown, DeploymentStore> =>
  Effect.flatMap(DeploymentStore, (store) => store.events({ stream, limit: 10_000 }))

const replayed = (stream: string, change?: Replay.Change) =>
  Effect.map(logOf(stream), (events) => Replay.replay(events, change)!)

type Stack = Config["stacks"][number]

const canary = (changes: Partial<Stack> = {}) =>
  config({
    stacks: [
      {
        name: "web",
        provider: "simulated",
        gate,
        strategy: {
          type: "canary",
          steps: [
            { weight: 10, bake: "10 seconds" },
            { weight: 50, bake: "10 seconds" }
          ]
        },
        ...changes
      }
    ]
  })

/** Deploys release 1.0.0, then 2.0.0 as `second`; returns the result. */
const second = (
  cloud: SimulatedProvider.SimulatedProvider,
  value: Config,
  during: (fiber: Fiber.Fiber<unknown, unknown>, id: DeploymentId) => Effect.Effect<unknown, unknown, Signalbox> = () =>
    Effect.void
) =>
  Effect.gen(function* () {
    const manifest = manifestOf(value, cloud)
    // The first release comes in with a gate that always passes.
    const easy = { ...gate, maxErrorCount: 1_000_000, minHealthyPercentage: 0, maxResponseTime: "1 minute" }
    const [head, ...rest] = value.stacks.map(({ dependsOn, name, provider }) => ({
      name,
      provider,
      gate: easy,
      ...(dependsOn === undefined ? {} : { dependsOn })
    }))
    const deploymentId = yield* deployed(manifestOf({ ...value, stacks: [head!, ...rest] }, cloud))
    const box = yield* Signalbox
    const request = requestOf(manifest, deploymentId, "second", { version: "2.0.0" })
    yield* box.executions.submit(request)
    const fiber = yield* Effect.forkChild(box.executions.run(request.correlationId))
    yield* during(fiber, deploymentId)
    if (fiber.pollUnsafe() === undefined) yield* drive(fiber, { limit: 8_000, tick: 500 })
    return yield* Effect.flatMap(DeploymentStore, (store) => store.execution(request.correlationId))
  })

describe("replaying with the very same policy", () => {
  const kinds = ["canary", "rolling", "blue_green", "all_at_once"] as const
  const commands: ReadonlyArray<OperatorCommand> = ["promote", "abort", "pause", "resume", "approve", "retry"]

  const scenario = (seed: number) => {
    const next = seeded(seed)
    const among = <A>(all: ReadonlyArray<A>): A => all[Math.floor(next() * all.length)]!
    const { cloud, layer } = world({ requestsPerSecond: among([0, 3, 50, 200]) })
    const bake = among(["2 seconds", "5 seconds", "12 seconds"])
    const stack = (name: string, dependsOn: ReadonlyArray<string>): Stack => {
      const type = among(kinds)
      return {
        name,
        provider: "simulated",
        dependsOn,
        gate: {
          gracePeriod: among(["0 millis", "6 seconds"]),
          interval: among(["1 second", "700 millis"]),
          consecutivePasses: among([1, 2, 3]),
          minSamples: among([0, 20, 200]),
          errorWindow: among(["5 seconds", "1 minute"]),
          maxErrorCount: among([0, 5, 1_000]),
          maxResponseTime: among(["15 millis", "25 millis", "2 seconds"]),
          ...(next() < 0.5 ? { compare: { minSamples: among([1, 50]), alpha: among([0.05, 0.2]) } } : {})
        },
        strategy:
          type === "canary"
            ? {
                type,
                steps: [
                  { weight: 10, bake },
                  {
                    weight: 50,
                    bake,
                    ...(next() < 0.2
                      ? { approval: { expiresIn: "20 seconds", otherwise: among(["abort", "continue"]) } }
                      : {})
                  }
                ]
              }
            : type === "all_at_once"
              ? { type }
              : { type, bake, ...(type === "rolling" ? { batches: 3 } : {}) }
      }
    }
    for (const name of ["db", "web"]) {
      cloud.script(name, "1.0.0", { errorRate: among([0, 0.02]) })
      cloud.script(name, "2.0.0", {
        errorRate: among([0, 0.02, 0.2, (age: number) => (age > 8_000 ? 0.3 : 0)]),
        latencyMillis: among([20, 24, 40]),
        healthy: among([100, 100, 50])
      })
    }
    const blind = (["db", "web"] as const).filter(() => next() < 0.3)
    const value = config({ stacks: [stack("db", []), stack("web", next() < 0.5 ? ["db"] : [])] })
    const meddle = next() < 0.6
    const during = (first: Fiber.Fiber<unknown, unknown>) =>
      Effect.gen(function* () {
        const box = yield* Signalbox
        let fiber = first
        const reason = { _tag: "Unexpected", message: "gone" } as const
        for (const stack of blind) cloud.fail({ operation: "measure", stack, times: 2, reason })
        const id = "second" as CorrelationId
        for (let times = 0; meddle && times < 4; times++) {
          yield* pass(fiber, { limit: 1 + Math.floor(next() * 9), tick: 100 }).pipe(
            Effect.catchDefect(() => Effect.void)
          )
          if (fiber.pollUnsafe() !== undefined) return
          if (next() < 0.4) {
            yield* Fiber.interrupt(fiber)
            yield* TestClock.adjust(Math.floor(next() * 5_000))
            fiber = yield* Effect.forkChild(box.executions.run(id))
            yield* settle
          } else yield* Effect.ignore(box.executions.command(id, { command: among(commands), by: "ops" }))
        }
        yield* pass(fiber, { limit: 60, tick: 100 }).pipe(Effect.catchDefect(() => Effect.void))
        // No one resumes paused executions, and some require more than there will ever be.
        yield* Effect.ignore(box.executions.command(id, { command: "resume", by: "ops" }))
        yield* pass(fiber, { limit: 4_000, tick: 1_000 }).pipe(Effect.catchDefect(() => Effect.void))
        yield* Effect.ignore(box.executions.command(id, { command: "abort", by: "ops" }))
        yield* drive(fiber, { limit: 8_000, tick: 500 })
      })
    return { cloud, layer, value, during }
  }

  const seeds = Array.from({ length: 80 }, (_, index) => index + 1)
  const met = new Map<string, number>()

  it.effect.each(seeds)("reproduces the recorded verdicts and the recorded end (seed %i)", (seed) => {
    const { cloud, during, layer, value } = scenario(seed)
    return Effect.gen(function* () {
      yield* second(cloud, value, during)
      const again = yield* replayed("second")
      for (const { looks, name, recorded, replayed } of again.stacks) {
        assert.deepStrictEqual(
          looks.map((look) => look.replayed),
          looks.map((look) => look.recorded),
          `${name}: verdicts`
        )
        assert.deepStrictEqual(
          [replayed.kind, replayed.step],
          // If the log ends between two steps, the replay names the one that never began.
          [recorded.kind, recorded.kind === "unknown" ? replayed.step : recorded.step],
          `${name}: ${recorded.reason} / ${replayed.reason}`
        )
        if (recorded.kind !== "unknown") assert.strictEqual(replayed.at, recorded.at, name)
        met.set(recorded.kind, (met.get(recorded.kind) ?? 0) + 1)
      }
      // Every verdict there is was judged again.
      const verdicts = (yield* logOf("second")).filter(({ event }) => event._tag === "VerdictReached")
      assert.strictEqual(again.stacks.flatMap(({ looks }) => looks).length, verdicts.length)
      assert.isFalse(again.changed)
      assert.isTrue(again.stacks.every(({ changed, savedMs }) => !changed && savedMs === 0))
    }).pipe(Effect.provide(layer))
  })

  it("met all ends there are", () => {
    assert.containsAllKeys(Object.fromEntries(met), ["passes", "aborts", "asks", "unknown"])
  })
})

describe("replaying with another policy", () => {
  const healthy = () => {
    const here = world({ requestsPerSecond: 100 })
    here.cloud.script("web", "2.0.0", { errorRate: (age) => (age > 15_000 ? 0.05 : 0) })
    return here
  }
  const relaxed = canary({ gate: { ...gate, maxErrorCount: 1_000 } })

  it.effect("shows when a stricter gate would have rolled back, at what weight, and why", () => {
    const { cloud, layer } = healthy()
    return Effect.gen(function* () {
      assert.strictEqual((yield* second(cloud, relaxed))?.status, "completed")
      const again = yield* replayed("second", { gate: { maxErrorCount: 5 } })
      assert.strictEqual(again.recorded.kind, "passes")
      assert.isTrue(again.changed)
      assert.deepInclude(again.replayed, {
        kind: "aborts",
        stack: StackName.make("web"),
        step: "canary 50%",
        weight: 50
      })
      assert.match(again.replayed.reason, /^\d+ errors in \d+ requests within 1m, at most 5 allowed$/)
      const [stack] = again.stacks
      const counts = (yield* logOf("second")).flatMap(({ event }) =>
        event._tag === "VerdictReached" ? [{ at: event.verdict.at, errors: event.verdict.measured!.errors }] : []
      )
      // The very first look with more than five errors, by a count of one's own.
      assert.strictEqual(again.replayed.at, counts.find(({ errors }) => errors > 5)!.at)
      assert.strictEqual(stack!.looks.at(-1)!.replayed, "fail")
      assert.isAbove(again.replayed.afterMs!, 15_000)
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not guess what came after the real end", () => {
    const { cloud, layer } = world({ requestsPerSecond: 100 })
    cloud.script("web", "2.0.0", { errorRate: 0.5 })
    return Effect.gen(function* () {
      assert.strictEqual((yield* second(cloud, canary()))?.status, "rolled_back")
      const again = yield* replayed("second", { gate: { maxErrorCount: 100_000 } })
      assert.deepInclude(again.recorded, { kind: "aborts", step: "canary 10%" })
      assert.deepInclude(again.replayed, { kind: "unknown", step: "canary 10%", at: again.recorded.at })
      assert.match(again.replayed.reason, /^its own gate stopped it then: /)
    }).pipe(Effect.provide(layer))
  })

  it.effect("knows what it cannot know: other weights, longer bakes, other windows, a missing comparison", () => {
    const { cloud, layer } = healthy()
    const steps = (weight: number, bake: string): Replay.Change => ({
      strategy: { type: "canary", steps: [{ weight, bake: Duration.fromInputUnsafe(bake as "1 second") }] }
    })
    return Effect.gen(function* () {
      yield* second(cloud, relaxed)
      const ended = (change: Replay.Change) =>
        Effect.map(replayed("second", change), ({ replayed: { kind, reason } }) => `${kind}: ${reason.split(":")[0]}`)
      assert.strictEqual(yield* ended(steps(25, "5 seconds")), "unknown: nothing was measured at 25 %")
      assert.match(
        yield* ended(steps(10, "1 minute")),
        /^unknown: canary 10% was over then, and more would be asked for/
      )
      assert.match(
        yield* ended({ gate: { errorWindow: "1 second" } }),
        /^unknown: measurements were made with errorWindow 1m/
      )
      assert.match(
        yield* ended({ gate: { interval: "3 seconds" } }),
        /^unknown: measurements were made with interval 1s/
      )
      assert.match(yield* ended({ gate: { compare: {} } }), /^unknown: the stable release was not measured/)
      // An absolute failure fails, with or without a comparison.
      assert.match(yield* ended({ gate: { compare: {}, maxResponseTime: "1 millis" } }), /^aborts: /)
      assert.match(yield* ended({ gate: { minSamples: 5_000 } }), /^asks: |^unknown: /)
    }).pipe(Effect.provide(layer))
  })

  it.effect("shows how much sooner shorter bakes would have ended", () => {
    const { cloud, layer } = healthy()
    return Effect.gen(function* () {
      yield* second(cloud, relaxed)
      const strategy = {
        type: "canary",
        steps: [{ weight: 10, bake: Duration.seconds(4) }]
      } as const
      const again = yield* replayed("second", { strategy })
      assert.strictEqual(again.replayed.kind, "passes")
      assert.strictEqual(again.stacks[0]!.savedMs, 6_000)
    }).pipe(Effect.provide(layer))
  })

  it.effect("compares again with other limits, also response times", () => {
    const { cloud, layer } = world({ requestsPerSecond: 200 })
    cloud.script("web", "1.0.0", { latencyMillis: 20 })
    cloud.script("web", "2.0.0", { latencyMillis: 24, errorRate: 0.02 })
    const compare = { maxErrorRatio: 100, tolerance: 1 }
    return Effect.gen(function* () {
      const state = yield* second(cloud, canary({ gate: { ...gate, maxErrorCount: 1_000, compare } }))
      assert.strictEqual(state!.status, "completed")
      // States stay small: the response times are in the log alone.
      assert.isTrue(state!.verdicts.some(({ compared }) => compared !== undefined))
      assert.notInclude(JSON.stringify(state), "latencies")
      const slower = yield* replayed("second", { gate: { compare: { tolerance: 0.05 } } })
      assert.deepInclude(slower.replayed, { kind: "aborts", step: "canary 10%" })
      assert.match(slower.replayed.reason, /responses [\d.]+ ms slower than the stable release's/)
      const errors = yield* replayed("second", { gate: { compare: { maxErrorRatio: 1 } } })
      assert.deepInclude(errors.replayed, { kind: "aborts" })
      assert.match(errors.replayed.reason, /against no errors in \d+ requests of the stable release/)
      assert.isBelow(errors.replayed.afterMs!, slower.replayed.afterMs! + 20_000)
      assert.strictEqual((yield* replayed("second", { gate: { compare: null } })).replayed.kind, "passes")
    }).pipe(Effect.provide(layer))
  })

  it.effect("says that a log without measurements cannot be replayed", () => {
    const { cloud, layer } = healthy()
    return Effect.gen(function* () {
      yield* second(cloud, relaxed)
      const old = (yield* logOf("second")).map((stored): StoredEvent => {
        if (stored.event._tag !== "VerdictReached") return stored
        const { measured: _, ...verdict } = stored.event.verdict
        return { ...stored, event: { ...stored.event, verdict } }
      })
      const again = Replay.replay(old)!
      assert.deepInclude(again.replayed, {
        kind: "unknown",
        reason: "recorded by a version that did not keep what was measured"
      })
      assert.isUndefined(Replay.replay(old.slice(1)))
    }).pipe(Effect.provide(layer))
  })
})
