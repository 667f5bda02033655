import { assert, describe, it } from "@effect/vitest"
import type { Config } from "@signalbox/core/config"
import { DeploymentStore } from "@signalbox/core/spi"
import { describe as described } from "@signalbox/core/text"
import { Effect } from "effect"
import { carryOut, config, deployed, gate, manifestOf, requestOf, versions, world } from "../support.ts"

type Stack = Config["stacks"][number]

/** db ← api ← web ← edge: the last one fails, so everything goes back. */
const chain = (changes: Readonly<Record<string, Partial<Stack>>>): Config =>
  config({
    stacks: [
      { name: "db", provider: "simulated", gate },
      { name: "api", provider: "simulated", dependsOn: ["db"], gate, ...changes.api },
      { name: "web", provider: "simulated", dependsOn: ["api"], gate, ...changes.web },
      { name: "edge", provider: "simulated", dependsOn: ["web"], gate, ...changes.edge }
    ]
  })

const lockstep = (stack: string) => ({ dependsOn: [{ stack, lockstep: true }] })
const unable = { _tag: "Denied", message: "no permission to roll back" } as const

const failing = (value: Config, brokenRollback?: string) => {
  const { cloud, layer } = world()
  cloud.script("edge", "2.0.0", { broken: "exits with 1" })
  return Effect.gen(function* () {
    const manifest = manifestOf(value, cloud)
    const deploymentId = yield* deployed(manifest)
    if (brokenRollback !== undefined) {
      cloud.fail({ operation: "rollback", stack: brokenRollback, times: Infinity, reason: unable })
    }
    const before = cloud.ledger.length
    const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
    const undone = cloud.ledger
      .slice(before)
      .flatMap(({ operation, stack }) => (operation === "rollback" ? [stack] : []))
    const events = yield* Effect.flatMap(DeploymentStore, (store) => store.events({ stream: "second" }))
    return { events, state, undone }
  }).pipe(Effect.provide(layer))
}

describe("a dependent that cannot be put back", () => {
  it.effect("keeps its dependency where the edge is in lockstep, and a person must decide", () =>
    Effect.gen(function* () {
      const { events, state, undone } = yield* failing(chain({ web: lockstep("api") }), "web")
      assert.strictEqual(state.status, "failed")
      const { cause, ...params } = state.error!.params as { readonly cause: { readonly code: string } }
      assert.deepStrictEqual<unknown>(
        [state.error!.code, params, cause.code],
        ["kept_in_lockstep", { dependent: "web", stacks: ["api"] }, "access_denied"]
      )
      assert.include(described(state.error!).message, "web could not be rolled back")
      assert.include(described(state.error!).hint, "Restore web by hand")
      assert.deepStrictEqual(
        state.error!.remedies?.map(({ _tag }) => _tag),
        ["status", "history"]
      )
      // The rest goes back: only this edge is in lockstep.
      assert.includeMembers(undone, ["db"])
      assert.notInclude(undone, "api")
      assert.deepStrictEqual(
        versions(state).filter((one) => !one.startsWith("edge")),
        ["db 1.0.0", "api 2.0.0", "web 2.0.0"]
      )
      const skipped = events.flatMap(({ event }) =>
        event._tag === "StageTransitioned" && event.on === "skipped" && event.stage === "rollback" ? [event] : []
      )
      assert.deepStrictEqual<unknown>(
        skipped.map(({ cause, stack }) => [stack, cause]),
        [["api", { code: "in_lockstep", params: { stack: "web" } }]]
      )
    })
  )

  it.effect("does not keep it elsewhere", () =>
    Effect.gen(function* () {
      const { state, undone } = yield* failing(chain({}), "web")
      assert.deepStrictEqual([state.status, state.error?.code], ["failed", "rollback_failed"])
      assert.includeMembers(undone, ["api", "db"])
    })
  )

  it.effect("is one that is irreversible, too; lockstep holds from edge to edge", () =>
    Effect.gen(function* () {
      const { state, undone } = yield* failing(
        chain({ api: lockstep("db"), web: { ...lockstep("api"), irreversible: "sent mails" } })
      )
      assert.strictEqual(state.status, "failed")
      assert.strictEqual(state.error?.code, "kept_in_lockstep")
      assert.deepInclude<unknown>(state.error?.params, { dependent: "web", stacks: ["api", "db"] })
      assert.deepStrictEqual(
        undone.filter((name) => name !== "edge"),
        []
      )
      assert.deepStrictEqual(
        versions(state).filter((one) => !one.startsWith("edge")),
        ["db 2.0.0", "api 2.0.0", "web 2.0.0"]
      )
    })
  )

  it.effect("holds for a rollback that a person asked for", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(chain({ web: lockstep("api") }), cloud)
      const deploymentId = yield* deployed(manifest)
      yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      cloud.fail({ operation: "rollback", stack: "web", times: Infinity, reason: unable })
      const state = yield* carryOut(requestOf(manifest, deploymentId, "back", { kind: "rollback" }))
      assert.deepStrictEqual([state.status, state.error?.code], ["failed", "kept_in_lockstep"])
      assert.include(versions(state), "api 2.0.0")
      assert.include(versions(state), "db 1.0.0")
    }).pipe(Effect.provide(layer))
  })
})

describe("a stack with dependents", () => {
  const positions = (
    events: ReadonlyArray<{ readonly position: number; readonly event: { readonly _tag: string } }>
  ) => {
    const at = (found: (event: never) => boolean) =>
      events.find(({ event }) => found(event as never))?.position ?? Number.NaN
    return {
      started: (stack: string) =>
        at(
          (event: { readonly _tag: string; readonly on: string; readonly stack: string }) =>
            event._tag === "StackTransitioned" && event.on === "deploy_started" && event.stack === stack
        ),
      done: (step: string) =>
        at(
          (event: { readonly _tag: string; readonly step: string }) =>
            event._tag === "StepFinished" && event.step === step
        )
    }
  }

  it.effect("is proved before they start, and the whole is judged after that in the order of the graph", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      yield* deployed(manifestOf(config(), cloud))
      const events = yield* Effect.flatMap(DeploymentStore, (store) => store.events({ stream: "first" }))
      const { done, started } = positions(events as never)
      assert.isBelow(done("watch/db/proof/1"), started("api"))
      assert.isBelow(done("watch/api/proof/1"), started("web"))
      // Nothing depends on web: its validation is its proof.
      assert.isNaN(done("watch/web/proof/1"))
      const whole = ["db", "api", "web"].map((name) => done(`watch/${name}/validation/1`))
      assert.deepStrictEqual(
        whole.toSorted((a, b) => a - b),
        whole
      )
      assert.isBelow(done("watch/api/proof/1"), whole[0]!)
    }).pipe(Effect.provide(layer))
  })

  it.effect("that fails its proof stops them before they start", () => {
    const { cloud, layer } = world()
    cloud.script("db", "2.0.0", { errorRate: 1 })
    return Effect.gen(function* () {
      const manifest = manifestOf(config(), cloud)
      const deploymentId = yield* deployed(manifest)
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      assert.deepStrictEqual([state.status, state.error?.code], ["rolled_back", "gate_failed"])
      const events = yield* Effect.flatMap(DeploymentStore, (store) => store.events({ stream: "second" }))
      assert.isNaN(positions(events as never).started("api"))
    }).pipe(Effect.provide(layer))
  })

  it.effect("that its strategy judged with all traffic needs no other proof", () => {
    const { cloud, layer } = world()
    const stacks: Config["stacks"] = [
      { name: "db", provider: "simulated", gate, strategy: { type: "blue_green", bake: "5 seconds" } },
      { name: "api", provider: "simulated", dependsOn: ["db"], gate }
    ]
    return Effect.gen(function* () {
      const manifest = manifestOf(config({ stacks }), cloud)
      const deploymentId = yield* deployed(manifest)
      yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      const events = yield* Effect.flatMap(DeploymentStore, (store) => store.events({ stream: "second" }))
      const { done, started } = positions(events as never)
      assert.isNaN(done("watch/db/proof/1"))
      assert.isBelow(done("watch/db/blue_green/1"), started("api"))
    }).pipe(Effect.provide(layer))
  })
})
