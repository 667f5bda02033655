import { assert, describe, it } from "@effect/vitest"
import type { Request } from "@signalbox/core/api"
import { Signalbox } from "@signalbox/core/engine"
import {
  type Checkpoint,
  type DeploymentId,
  DeploymentStore,
  type Manifest,
  Providers,
  type StackRef
} from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { SimulatedProvider } from "@signalbox/core/testing"
import { describe as described } from "@signalbox/core/text"
import { Effect, Layer } from "effect"
import { carryOut, config, deployed, gate, manifestOf, production, requestOf, versions, world } from "../support.ts"

const two = config({
  stacks: [
    { name: "api", provider: "simulated", gate },
    { name: "web", provider: "simulated", dependsOn: ["api"], gate }
  ]
})

/** 1.0.0 of both stacks, then 2.0.0 of web alone, then 3.0.0 and 4.0.0 of both. */
const grown = (manifest: Manifest) =>
  Effect.gen(function* () {
    const deploymentId = yield* deployed(manifest)
    const web = { kind: "deploy-stack", stacks: [manifest.stacks[1]!.name] } as const
    yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0", ...web }))
    yield* carryOut(requestOf(manifest, deploymentId, "third", { version: "3.0.0" }))
    yield* carryOut(requestOf(manifest, deploymentId, "fourth", { version: "4.0.0" }))
    return deploymentId
  })

const back = (manifest: Manifest, deploymentId: DeploymentId, id: string, to?: string): Request => {
  const request: { -readonly [K in keyof Request]: Request[K] } = requestOf(manifest, deploymentId, id, {
    kind: "rollback"
  })
  delete request.version
  return to === undefined ? request : { ...request, to }
}

describe("rollback to", () => {
  for (const [named, to] of [
    ["a version", "2.0.0"],
    ["a correlation id", "second"]
  ] as const) {
    const { cloud, layer } = world()
    it.effect(`${named}: the whole deployment as of that execution`, () =>
      Effect.gen(function* () {
        const store = yield* DeploymentStore
        const manifest = manifestOf(two, cloud)
        const deploymentId = yield* grown(manifest)
        const state = yield* carryOut(back(manifest, deploymentId, "back", to))
        assert.strictEqual(state.status, "completed")
        assert.deepStrictEqual(versions(state), ["api 1.0.0", "web 2.0.0"])
        assert.deepStrictEqual<unknown>(state.to, { execution: "second", named: to })
        const environment = yield* store.environment(deploymentId, production)
        assert.deepStrictEqual(
          environment?.stacks.map(({ checkpoint, release }) => [release?.version, checkpoint?.release?.version]),
          [
            ["1.0.0", "1.0.0"],
            ["2.0.0", "2.0.0"]
          ]
        )
        // There is no release before the one that it went back to, and what it went back from is no earlier one.
        const again = yield* Effect.flip((yield* Signalbox).executions.submit(back(manifest, deploymentId, "b2")))
        assert.strictEqual(again._tag === "Rejected" && again.code, "nothing_to_roll_back")
        // But further back there is.
        const first = yield* carryOut(back(manifest, deploymentId, "first-again", "first"))
        assert.deepStrictEqual(versions(first), ["web 1.0.0"])
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect("a queued one goes to the same execution, whatever is deployed before its turn", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(two, cloud)
      const deploymentId = yield* grown(manifest)
      const request = { ...back(manifest, deploymentId, "back", "3.0.0"), queue: "fifo", later: true } as const
      yield* box.executions.submit(request)
      const next = { version: "3.0.0", artifact: "other", queue: "fifo" } as const
      assert.isTrue(
        (yield* box.executions.submit(requestOf(manifest, deploymentId, "fifth", next))).execution.status === "queued"
      )
      const state = yield* carryOut(request)
      assert.deepStrictEqual<unknown>([state.status, state.to?.execution], ["completed", "third"])
      assert.deepStrictEqual(versions(state), ["api 3.0.0", "web 3.0.0"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("what is not on record, or is there already, is refused before anything is written", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(two, cloud)
      const deploymentId = yield* grown(manifest)
      const refused = (to: string) => Effect.flip(box.executions.submit(back(manifest, deploymentId, "back", to)))
      const unknown = yield* refused("3.0.1")
      assert.isTrue(unknown._tag === "Rejected" && unknown.kind === "not_found" && unknown.code === "unknown_target")
      assert.include(unknown._tag === "Rejected" ? described(unknown.info).hint : "", `Did you mean "3.0.0"?`)
      const there = yield* refused("4.0.0")
      assert.strictEqual(there._tag === "Rejected" && there.code, "already_there")
      assert.isUndefined(yield* store.execution("back" as never))
    }).pipe(Effect.provide(layer))
  })

  it.effect("a release that its provider has removed is refused, with the nearest that it still has", () => {
    const cloud = SimulatedProvider.make()
    const gone = new Set(["1.0.0", "3.0.0"])
    const provider = {
      ...cloud.provider,
      canGoBack: ({ stack }: StackRef, { release }: Checkpoint) =>
        Effect.succeed(
          gone.has(release?.version ?? "") && stack === "web"
            ? { how: "impossible" as const, why: "it was pruned" }
            : { how: "switch" as const, why: "" }
        )
    }
    const layer = Signalbox.layer.pipe(Layer.provideMerge(layerMemory), Layer.provideMerge(Providers.layer([provider])))
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(two, cloud)
      const deploymentId = yield* grown(manifest)
      const effects = cloud.ledger.length
      const refused = yield* Effect.flip(box.executions.submit(back(manifest, deploymentId, "back", "first")))
      assert.isTrue(refused._tag === "Rejected" && refused.code === "release_not_kept")
      if (refused._tag !== "Rejected") return
      assert.deepStrictEqual<unknown>(refused.info.params, {
        to: "first",
        stack: "web",
        version: "1.0.0",
        lacks: "provider",
        nearest: "2.0.0 (second)"
      })
      assert.deepInclude<unknown>(refused.info.remedies, {
        _tag: "rollback_to",
        deployment: deploymentId,
        environment: production,
        execution: "second"
      })
      assert.strictEqual(cloud.ledger.length, effects)
    }).pipe(Effect.provide(layer))
  })

  it.effect("marks the executions that the record suffices for", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(two, cloud)
      const deploymentId = yield* grown(manifest)
      const asked = cloud.calls("observe", "web")
      const { items } = yield* box.executions.list({ deploymentId })
      assert.deepStrictEqual([...(yield* box.executions.restorable(items))].sort(), ["first", "second", "third"])
      assert.strictEqual(cloud.calls("observe", "web"), asked)
    }).pipe(Effect.provide(layer))
  })

  it.effect("joins only a rollback to the same place", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(two, cloud)
      const deploymentId = yield* grown(manifest)
      yield* carryOut(back(manifest, deploymentId, "back", "2.0.0"))
      const join = (to?: string) => box.executions.submit(back(manifest, deploymentId, "back", to))
      for (const to of ["2.0.0", "second", undefined]) assert.isTrue((yield* join(to)).joined)
      const other = yield* Effect.flip(join("3.0.0"))
      assert.strictEqual(other._tag === "Rejected" && other.code, "correlation_id_taken")
    }).pipe(Effect.provide(layer))
  })
})
