import type { Rejected } from "@signalbox/core/api"
import { describe as described } from "@signalbox/core/text"
import { assert, describe, it } from "@effect/vitest"
import { Configuration } from "@signalbox/core/config"
import { RecordedManifest, Signalbox } from "@signalbox/core/engine"
import { CorrelationId, DeploymentStore, type StackName } from "@signalbox/core/spi"
import { Effect, Fiber, Result } from "effect"
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
  production,
  requestOf,
  settle,
  statuses,
  versions,
  world
} from "../support.ts"

const named = (...names: ReadonlyArray<string>) =>
  config({
    stacks: names.map((name) => ({ name, provider: "simulated", gate })) as unknown as Parameters<
      typeof manifestOf
    >[0]["stacks"]
  })

const site = named("site")

/** Two releases of db ← api ← web. */
const twice = (cloud: Parameters<typeof manifestOf>[1]) =>
  Effect.gen(function* () {
    const manifest = manifestOf(config(), cloud)
    const deploymentId = yield* deployed(manifest)
    yield* carryOut(requestOf(manifest, deploymentId, "v2", { version: "2.0.0" }))
    return deploymentId
  })

describe("recorded configuration", () => {
  it.effect("is what a rollback uses after the configuration got other stacks", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const deploymentId = yield* twice(cloud)
      const back = requestOf(manifestOf(site, cloud), deploymentId, "back", { kind: "rollback" })
      const state = yield* carryOut(back)
      assert.deepStrictEqual([state.status, ...versions(state)], ["completed", "db 1.0.0", "api 1.0.0", "web 1.0.0"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("is destroyed, dependents first, whatever the configuration names", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const deploymentId = yield* twice(cloud)
      const from = cloud.ledger.length
      const state = yield* carryOut(requestOf(manifestOf(site, cloud), deploymentId, "away", { kind: "destroy" }))
      assert.deepStrictEqual(statuses(state), ["db destroyed", "api destroyed", "web destroyed"])
      const calls = cloud.ledger.slice(from).filter(({ operation }) => operation === "destroy")
      assert.deepStrictEqual(
        calls.map(({ stack }) => stack),
        ["web", "api", "db"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("is destroyed as it is on admission, not as it was at the request", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const first = manifestOf(named("web"), cloud)
      const deploymentId = yield* deployed(first)
      yield* box.executions.submit(requestOf(first, deploymentId, "away", { kind: "destroy", queue: "fifo" }))
      yield* carryOut(requestOf(manifestOf(named("web", "more"), cloud), deploymentId, "more", { queue: "fifo" }))
      const state = yield* drive(yield* Effect.forkChild(box.executions.run(CorrelationId.make("away"))))
      assert.deepStrictEqual([...statuses(state)].toSorted(), ["more destroyed", "web destroyed"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("is left alone by an operation on one stack, which may no longer be in the configuration", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const deploymentId = yield* twice(cloud)
      const web = "web" as StackName
      const state = yield* carryOut(
        requestOf(manifestOf(site, cloud), deploymentId, "away", { kind: "destroy-stack", stacks: [web] })
      )
      assert.deepStrictEqual(statuses(state), ["web destroyed"])
      const store = yield* DeploymentStore
      const after = yield* store.environment(deploymentId, production)
      assert.deepStrictEqual(
        after?.stacks.map(({ name, status }) => `${name} ${status}`),
        ["db deployed", "api deployed", "web destroyed"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("and is not in the configuration any more is named by a deployment", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const deploymentId = yield* twice(cloud)
      const { dropped } = yield* box.executions.submit(requestOf(manifestOf(site, cloud), deploymentId, "v3"))
      assert.deepStrictEqual(
        dropped.map(({ name, release }) => `${name} ${release?.version}`),
        ["db 2.0.0", "api 2.0.0", "web 2.0.0"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("is a complete configuration, with the settings of its environment", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const environments = {
        production: { region: "eu", stacks: { web: { properties: { port: 81 } } } },
        staging: {}
      }
      const web = { name: "web", provider: "simulated", gate, properties: { port: 80 } }
      const written = config({ environments, parallelism: 2, queue: "fifo", stacks: [web] })
      const deploymentId = yield* deployed(manifestOf(written, cloud))
      const deployment = (yield* store.deployment(deploymentId))!
      const state = yield* store.environment(deploymentId, production)
      const alone = RecordedManifest.manifest(deployment, production, state)
      const spec = yield* Configuration.resolve(alone, production)
      assert.deepStrictEqual([spec.region, spec.parallelism, spec.queue], ["eu", 2, "fifo"])
      assert.deepStrictEqual(
        spec.stacks.map(({ name, properties }) => [name, properties]),
        [["web" as StackName, { port: 81 }]]
      )
      // Today's overrides are for what today's configuration brings in.
      const moved = manifestOf(
        { ...written, environments: { production: { ...environments.production, region: "us" } } },
        cloud
      )
      const laid = yield* Configuration.resolve(
        RecordedManifest.manifest(deployment, production, state, moved),
        production
      )
      assert.deepStrictEqual([laid.region, laid.stacks[0]?.properties], ["eu", { port: 81 }])
    }).pipe(Effect.provide(layer))
  })

  it.effect("is destroyed also where stacks depended on each other at different times", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const stacks = (web: ReadonlyArray<string>, api: ReadonlyArray<string>) =>
        manifestOf(
          config({
            stacks: [
              { name: "web", provider: "simulated", gate, dependsOn: web as never },
              { name: "api", provider: "simulated", gate, dependsOn: api as never }
            ]
          }),
          cloud
        )
      const deploymentId = yield* deployed(stacks(["api"], []))
      const turned = stacks([], ["web"])
      const api = "api" as StackName
      yield* carryOut(requestOf(turned, deploymentId, "api", { kind: "deploy-stack", stacks: [api], version: "2.0.0" }))
      const state = yield* carryOut(requestOf(turned, deploymentId, "away", { kind: "destroy" }))
      assert.deepStrictEqual([state.status, ...statuses(state)], ["completed", "web destroyed", "api destroyed"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("is reported if a second rollback has no earlier release", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(named("web"), cloud)
      const deploymentId = yield* deployed(manifest)
      for (const version of ["2.0.0", "4.0.0"]) {
        yield* carryOut(requestOf(manifest, deploymentId, version, { version }))
      }
      const back = yield* carryOut(requestOf(manifest, deploymentId, "back", { kind: "rollback" }))
      assert.deepStrictEqual(versions(back), ["web 2.0.0"])
      for (const queue of ["reject", "fifo"] as const) {
        const request = requestOf(manifest, deploymentId, `again-${queue}`, { kind: "rollback", queue })
        const submitted = yield* Effect.result(box.executions.submit(request))
        const error = Result.isFailure(submitted)
          ? (submitted.failure as Rejected).info
          : (yield* drive(yield* Effect.forkChild(box.executions.run(request.correlationId)))).error
        const { hint, message } = described(error!)
        assert.include(message, "web is at 2.0.0 and had 4.0.0, 1.0.0")
        assert.include(hint, "--version 4.0.0")
      }
    }).pipe(Effect.provide(layer))
  })
})

describe("an execution whose place another one takes", () => {
  const second = CorrelationId.make("second")
  const atTenPercent = Effect.gen(function* () {
    const store = yield* DeploymentStore
    const state = yield* store.execution(second)
    return state?.stacks[0]?.candidateTraffic === 10
  })

  it.effect("ends as cancelled if a person had stopped it, and its stages with it", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      const fiber = yield* begin(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      yield* pass(fiber, { until: atTenPercent })
      yield* Fiber.interrupt(fiber)
      const third = yield* carryOut(requestOf(manifest, deploymentId, "third", { version: "3.0.0" }))
      assert.deepStrictEqual([third.status, third.supersedes], ["completed", second])
      const first = yield* store.execution(second)
      assert.deepStrictEqual([first?.status, first?.error?.code], ["cancelled", "superseded"])
      assert.deepStrictEqual(
        [...(first?.stages ?? []), ...(first?.stacks[0]?.stages ?? [])].filter(({ status }) => status === "failed"),
        []
      )
      yield* settle
    }).pipe(Effect.provide(layer))
  })
})
