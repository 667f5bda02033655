import { errorInfo } from "@signalbox/core/spi"
import { CorrelationId, DeploymentStore, type Provider, type ProviderReason, Providers } from "@signalbox/core/spi"
import { Rejected } from "@signalbox/core/api"
import { Signalbox } from "@signalbox/core/engine"
import { describe as described } from "@signalbox/core/text"
import { layerMemory } from "@signalbox/core/store"
import { SimulatedProvider } from "@signalbox/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { begin, carryOut, config, deployed, manifestOf, production, requestOf, settle, world } from "../support.ts"

const invalid: ProviderReason = {
  _tag: "Invalid",
  message: "port 80 is taken",
  path: ["port"],
  hint: "Choose another port."
}

const refusal = {
  kind: "invalid",
  code: "invalid_properties",
  message: "api: port 80 is taken",
  hint: "Choose another port.",
  path: "stacks.api.properties.port"
}

const facts = ({ code, info, kind, message }: Rejected) => ({
  kind,
  code,
  message,
  hint: described(info).hint,
  path: info.path
})

describe("preflight", () => {
  for (const kind of ["deploy", "deploy-stack"] as const) {
    const { cloud, layer } = world()
    it.effect(`refuses a ${kind} that a provider finds invalid, as its dry run does, and records nothing`, () =>
      Effect.gen(function* () {
        const box = yield* Signalbox
        const store = yield* DeploymentStore
        const manifest = manifestOf(config(), cloud)
        const deploymentId = yield* deployed(manifest)
        const before = yield* store.environment(deploymentId, production)
        cloud.fail({ operation: "plan", stack: "api", times: Infinity, reason: invalid })
        const request = requestOf(manifest, deploymentId, "second", {
          kind,
          ...(kind === "deploy" ? {} : { stacks: [manifest.stacks[1]!.name] })
        })
        const effects = cloud.ledger.length
        for (const refused of [
          yield* Effect.flip(box.executions.plan(request)),
          yield* Effect.flip(box.executions.submit(request)),
          yield* Effect.flip(box.executions.submit({ ...request, queue: "fifo" }))
        ]) {
          assert.deepStrictEqual<unknown>(facts(refused as never), refusal)
        }
        assert.isUndefined(yield* store.execution(request.correlationId))
        assert.deepStrictEqual(yield* store.environment(deploymentId, production), before)
        assert.strictEqual(cloud.ledger.length, effects)
      }).pipe(Effect.provide(layer))
    )
  }

  for (const reason of [
    { _tag: "Unavailable", message: "no answer" },
    { _tag: "Throttled", message: "slow down", retryAfterMs: 10 },
    { _tag: "Conflict", message: "read it again" }
  ] as const) {
    const { cloud, layer } = world()
    it.effect(`leaves a provider that answers ${reason._tag} to the execution, which repeats the call`, () =>
      Effect.gen(function* () {
        const manifest = manifestOf(config(), cloud)
        const { deploymentId } = yield* (yield* Signalbox).deployments.init({ manifest, by: "tester" })
        cloud.fail({ operation: "plan", stack: "api", times: 2, reason })
        const done = yield* carryOut(requestOf(manifest, deploymentId, "first"))
        assert.strictEqual(done.status, "completed")
        assert.strictEqual(cloud.calls("plan", "api"), 3)
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect("does not wait for a provider that never answers", () => {
    const cloud = SimulatedProvider.make()
    let hangs = true
    const provider: Provider = {
      ...cloud.provider,
      plan: (...given) => (hangs ? Effect.never : cloud.provider.plan(...given))
    }
    const layer = Signalbox.layer.pipe(Layer.provideMerge(layerMemory), Layer.provideMerge(Providers.layer([provider])))
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(config(), cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const submitting = yield* Effect.forkChild(box.executions.submit(requestOf(manifest, deploymentId, "first")))
      yield* settle
      yield* TestClock.adjust("1 minute")
      const { execution } = yield* Fiber.join(submitting)
      hangs = false
      assert.strictEqual(execution.status, "queued")
    }).pipe(Effect.provide(layer))
  })

  it.effect("asks no provider about requests for another time or place", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(config(), cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      cloud.fail({ operation: "plan", stack: "api", times: Infinity, reason: invalid })
      const { execution } = yield* box.executions.submit(
        requestOf(manifest, deploymentId, "first", { queue: "fifo", identical: true, later: true })
      )
      assert.strictEqual(execution.status, "queued")
      assert.strictEqual(cloud.calls("plan", "db"), 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("leaves a provider that throws to the execution", () => {
    const cloud = SimulatedProvider.make()
    const provider: Provider = { ...cloud.provider, plan: () => Effect.die(new TypeError("a bug")) }
    const layer = Signalbox.layer.pipe(Layer.provideMerge(layerMemory), Layer.provideMerge(Providers.layer([provider])))
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(config(), cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const { execution } = yield* box.executions.submit(requestOf(manifest, deploymentId, "first"))
      assert.strictEqual(execution.status, "queued")
    }).pipe(Effect.provide(layer))
  })

  it.effect("names the lease holder before it plans anything", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(config(), cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const running = yield* begin(requestOf(manifest, deploymentId, "first"))
      const calls = cloud.calls("plan", "db")
      const refused = yield* Effect.flip(box.executions.submit(requestOf(manifest, deploymentId, "second")))
      assert.deepInclude(refused, { kind: "blocked", code: "blocked_by_lease" })
      assert.strictEqual(cloud.calls("plan", "db"), calls)
      yield* Fiber.interrupt(running)
    }).pipe(Effect.provide(layer))
  })

  it.effect("refuses two stacks that take the same thing, also where only one of them is deployed", () => {
    const cloud = SimulatedProvider.make()
    const provider: Provider = {
      ...cloud.provider,
      exclusive: ({ properties }) =>
        typeof properties === "object" && properties !== null && "port" in properties
          ? [{ name: `port ${properties["port"]}`, path: ["port"] }]
          : []
    }
    const layer = Signalbox.layer.pipe(Layer.provideMerge(layerMemory), Layer.provideMerge(Providers.layer([provider])))
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(
        config({
          stacks: [
            { name: "web", provider: "simulated", properties: { port: 80 } },
            { name: "off", provider: "simulated", enabled: false, properties: { port: 80 } },
            { name: "api", provider: "simulated", properties: { port: 80 } }
          ]
        }),
        cloud
      )
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const one = requestOf(manifest, deploymentId, "one", {
        kind: "deploy-stack",
        stacks: [manifest.stacks[0]!.name]
      })
      for (const refused of [
        yield* Effect.flip(box.executions.submit(requestOf(manifest, deploymentId, "all"))),
        yield* Effect.flip(box.executions.plan(requestOf(manifest, deploymentId, "all"))),
        yield* Effect.flip(box.executions.submit(one))
      ]) {
        assert.instanceOf(refused, Rejected)
        assert.strictEqual(refused.kind, "invalid")
        assert.deepStrictEqual(
          refused.info,
          errorInfo(
            "taken_twice",
            { other: "web", stack: "api", resource: "port 80" },
            { path: "stacks.api.properties.port" }
          )
        )
      }
    }).pipe(Effect.provide(layer))
  })

  it.effect("refuses a rollback that its provider knows to be impossible", () => {
    const cloud = SimulatedProvider.make()
    const provider: Provider = {
      ...cloud.provider,
      canGoBack: (ref, { release }) =>
        Effect.succeed(
          ref.stack === "web"
            ? { how: "impossible", why: `the files of ${release?.version} are gone` }
            : { how: "switch", why: "" }
        )
    }
    const layer = Signalbox.layer.pipe(Layer.provideMerge(layerMemory), Layer.provideMerge(Providers.layer([provider])))
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(config(), cloud)
      const deploymentId = yield* deployed(manifest)
      yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      const request = requestOf(manifest, deploymentId, "back", { kind: "rollback" })
      for (const refused of [
        yield* Effect.flip(box.executions.preflight(request)),
        yield* Effect.flip(box.executions.submit(request))
      ]) {
        assert.deepInclude(refused, { kind: "conflict", code: "cannot_go_back" })
        assert.match(refused.message, /the files of 1.0.0 are gone/)
      }
      const store = yield* DeploymentStore
      assert.isUndefined(yield* store.execution(CorrelationId.make("back")))
    }).pipe(Effect.provide(layer))
  })
})
