import { assert, describe, it } from "@effect/vitest"
import { Signalbox } from "@signalbox/core/engine"
import { CorrelationId, DeploymentStore, type Execution } from "@signalbox/core/spi"
import { Clock, Effect } from "effect"
import {
  begin,
  canary,
  carryOut,
  config,
  deployed,
  drive,
  gate,
  manifestOf,
  pass,
  requestOf,
  world
} from "../support.ts"

const id = CorrelationId.make("second")
const run = Effect.flatMap(Signalbox, (box) => Effect.forkChild(box.executions.run(id)))
const minutes = 60 * 1_000

const asked = ({ questions, status }: Execution.ExecutionState) => [
  status,
  ...questions.map(({ question, stack }) => `${stack} ${question.code}`)
]

describe("credentials that run out", () => {
  it.effect("pause a deployment in its middle; a later run goes on, and nothing was rolled back", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      // The time without credentials is not taken from the stages.
      const stacks = ["db", "api"].map((name) => ({ name, provider: "simulated", gate, timeout: "1 minute" }))
      const manifest = manifestOf(config({ stacks: [stacks[0]!, { ...stacks[1]!, dependsOn: ["db"] }] }), cloud)
      const deploymentId = yield* deployed(manifest)
      cloud.script("api", "2.0.0", { stageMillis: 10_000 })
      const before = cloud.ledger.length
      const first = yield* begin(requestOf(manifest, deploymentId, id, { version: "2.0.0" }))
      const staging = Effect.sync(() => cloud.ledger.slice(before).some(({ stack }) => stack === "api"))
      yield* pass(first, { until: staging })
      cloud.expire()
      const expiredAt = yield* Clock.currentTimeMillis
      assert.deepStrictEqual(asked(yield* drive(first)), ["paused", "api credentials_needed"])
      const waited = (yield* Clock.currentTimeMillis) - expiredAt
      assert.isAtLeast(waited, 5 * minutes)
      assert.isAtMost(waited, 6 * minutes)

      assert.deepStrictEqual(asked(yield* drive(yield* run)), ["paused", "api credentials_needed"])
      cloud.renew()
      const last = yield* drive(yield* run)
      assert.deepStrictEqual(asked(last), ["completed"])
      const keys = cloud.ledger.slice(before).map(({ idempotencyKey }) => idempotencyKey)
      assert.deepStrictEqual(keys, [...new Set(keys)])
      assert.notInclude(
        cloud.ledger.map(({ operation }) => operation),
        "rollback"
      )
      const store = yield* DeploymentStore
      const answers = yield* store.events({ stream: id, tags: ["ApprovalRequested", "ApprovalResolved"] })
      assert.deepStrictEqual(
        answers.map(({ event }) => event._tag),
        ["ApprovalRequested", "ApprovalResolved", "ApprovalRequested", "ApprovalResolved"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("stop a rollback, too, which goes on later", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      cloud.script("web", "2.0.0", { errorRate: 0.5 })
      const first = yield* begin(requestOf(manifest, deploymentId, id, { version: "2.0.0" }))
      yield* pass(first, { until: Effect.sync(() => cloud.ledger.at(-1)?.operation === "shift") })
      const box = yield* Signalbox
      yield* box.executions.command(id, { command: "abort", by: "tester" })
      cloud.expire()
      assert.deepStrictEqual(asked(yield* drive(first)), ["rolling_back", "web credentials_needed"])
      cloud.renew()
      yield* box.executions.command(id, { command: "resume", by: "tester" })
      const last = yield* drive(yield* run)
      assert.deepStrictEqual(asked(last), ["rolled_back"])
      assert.deepStrictEqual(
        last.stacks.map(({ release }) => release?.version),
        ["1.0.0"]
      )
      assert.strictEqual(cloud.ledger.filter(({ operation }) => operation === "rollback").length, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("do not end a runner that has other work, and goes on in it after an answer", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const stacks = ["slow", "quick"].map((name) => ({ name, provider: "simulated", gate }))
      const manifest = manifestOf(config({ stacks: [stacks[0]!, stacks[1]!] }), cloud)
      const deploymentId = yield* deployed(manifest)
      cloud.script("slow", "2.0.0", { stageMillis: 20 * minutes })
      cloud.expire("quick")
      const first = yield* begin(requestOf(manifest, deploymentId, id, { version: "2.0.0" }))
      const box = yield* Signalbox
      const question = Effect.map(box.executions.get(id), (state) => (state?.questions.length ?? 0) > 0)
      yield* pass(first, { until: question, tick: 1_000 })
      yield* pass(first, {
        until: Effect.map(box.executions.get(id), (state) => state?.status === "paused"),
        tick: 1_000
      })
      cloud.renew()
      yield* box.executions.command(id, { command: "retry", by: "tester" })
      assert.deepStrictEqual(asked(yield* drive(first, { limit: 3_600, tick: 1_000 })), ["completed"])
    }).pipe(Effect.provide(layer))
  })
})

describe("other failures of a provider", () => {
  it.effect("throttling is waited out for as long as it says", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      const reason = { _tag: "Throttled", message: "slow down", retryAfterMs: 90_000 } as const
      cloud.fail({ operation: "stage", reason })
      const began = yield* Clock.currentTimeMillis
      const state = yield* carryOut(requestOf(manifest, deploymentId, id, { version: "2.0.0" }))
      assert.strictEqual(state.status, "completed")
      const staged = cloud.ledger.find(({ idempotencyKey }) => idempotencyKey.startsWith("second/stage"))!
      assert.isAtLeast(staged.at - began, 90_000)
    }).pipe(Effect.provide(layer))
  })

  it.effect("a field that was changed outside ends it at once, with the field", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      const reason = { _tag: "Changed", message: "", field: "size", was: "1", is: "2" } as const
      cloud.fail({ operation: "stage", reason })
      const calls = cloud.calls("stage", "web")
      const state = yield* carryOut(requestOf(manifest, deploymentId, id, { version: "2.0.0" }))
      assert.strictEqual(state.status, "rolled_back")
      assert.deepInclude(state.error?.params, { field: "size", was: "1", is: "2" })
      assert.strictEqual(cloud.calls("stage", "web"), calls + 1)
    }).pipe(Effect.provide(layer))
  })
})
