import { describeCause } from "@signalbox/core/text"
import { assert, describe, it } from "@effect/vitest"
import { Signalbox } from "@signalbox/core/engine"
import { type AlarmState, DeploymentStore, type EventOf } from "@signalbox/core/spi"
import { Effect, Fiber } from "effect"
import { begin, carryOut, config, deployed, gate, manifestOf, pass, requestOf, world } from "../support.ts"

const alarmed = (more: object = {}) =>
  config({
    stacks: [
      {
        name: "web",
        provider: "simulated",
        gate: { ...gate, alarms: ["web-5xx", "web-slow"] },
        strategy: { type: "canary", steps: [{ weight: 10, bake: "30 seconds" }] },
        ...more
      }
    ]
  })

const made = (options: Parameters<typeof world>[0] = {}) => {
  const { cloud, layer } = world({ capabilities: { alarms: true }, ...options })
  const all = (state: AlarmState) => ["web-5xx", "web-slow"].forEach((name) => cloud.alarm(name, state))
  all("ok")
  return { all, cloud, layer }
}

const verdicts = (stream: string) =>
  Effect.gen(function* () {
    const events = yield* (yield* DeploymentStore).events({ stream, tags: ["VerdictReached"] })
    return events.map(({ event }) => (event as EventOf<"VerdictReached">).verdict)
  })

describe("a gate with alarms", () => {
  it.effect("passes while they are quiet, and keeps their states as evidence", () => {
    const { cloud, layer } = made()
    return Effect.gen(function* () {
      const manifest = manifestOf(alarmed(), cloud)
      const deploymentId = yield* deployed(manifest)
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      assert.strictEqual(state.status, "completed", JSON.stringify(state.error))
      const [first] = yield* verdicts("second")
      assert.deepStrictEqual(first!.measured?.alarms, { "web-5xx": "ok", "web-slow": "ok" })
      const evidence = first!.evidence.find(({ metric }) => metric === "alarms")!
      assert.strictEqual(describeCause(evidence.finding), "2 alarms quiet")
    }).pipe(Effect.provide(layer))
  })

  it.effect("fails at once when one rings, and rolls back", () => {
    const { cloud, layer } = made()
    return Effect.gen(function* () {
      const manifest = manifestOf(alarmed(), cloud)
      const deploymentId = yield* deployed(manifest)
      const fiber = yield* begin(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      yield* pass(fiber, { until: Effect.map(verdicts("second"), (all) => all.length >= 2) })
      cloud.alarm("web-5xx", "alarm")
      yield* pass(fiber)
      const state = yield* Fiber.join(fiber)
      assert.strictEqual(state.status, "rolled_back")
      assert.strictEqual(describeCause(state.error!), "web: canary 10% failed its gate: the alarm is firing: web-5xx")
      assert.isAtMost((yield* verdicts("second")).length, 4)
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not pass without data of them: it asks", () => {
    const { all, cloud, layer } = made()
    return Effect.gen(function* () {
      const manifest = manifestOf(alarmed(), cloud)
      const deploymentId = yield* deployed(manifest)
      all("insufficient_data")
      const fiber = yield* begin(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      const box = yield* Signalbox
      yield* pass(fiber, {
        until: Effect.map(box.executions.get("second" as never), (state) => (state?.questions.length ?? 0) > 0)
      })
      const last = (yield* verdicts("second")).at(-1)!
      assert.strictEqual(last.verdict, "no_data")
      assert.deepStrictEqual(last.findings.map(describeCause), ["alarms have too little data: web-5xx, web-slow"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("fails between two periods of a slow metric source", () => {
    const { cloud, layer } = made({ metrics: { resolutionMillis: 60_000, lagMillis: 120_000 } })
    return Effect.gen(function* () {
      const manifest = manifestOf(alarmed({ strategy: { type: "all_at_once" } }), cloud)
      const { deploymentId } = yield* (yield* Signalbox).deployments.init({ manifest, by: "tester" })
      cloud.alarm("web-slow", "alarm")
      const state = yield* carryOut(requestOf(manifest, deploymentId, "first"))
      assert.strictEqual(state.status, "rolled_back")
      const [verdict] = yield* verdicts("first")
      assert.isBelow(verdict!.at - state.startedAt!, 60_000)
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not judge a rollback by alarms that still ring", () => {
    const { all, cloud, layer } = made()
    return Effect.gen(function* () {
      const manifest = manifestOf(alarmed(), cloud)
      const deploymentId = yield* deployed(manifest)
      yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      all("alarm")
      const state = yield* carryOut(requestOf(manifest, deploymentId, "back", { kind: "rollback" }))
      assert.strictEqual(state.status, "completed", JSON.stringify(state.error))
    }).pipe(Effect.provide(layer))
  })

  it.effect("is refused if its provider reads no alarms", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(alarmed(), cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const refused = yield* Effect.flip(box.executions.submit(requestOf(manifest, deploymentId, "first")))
      assert.strictEqual(refused._tag === "Rejected" && (refused.code as string), "alarms_unsupported")
    }).pipe(Effect.provide(layer))
  })
})
