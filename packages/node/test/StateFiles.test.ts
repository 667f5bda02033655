import { assert, it } from "@effect/vitest"
import {
  CorrelationId,
  DeploymentId,
  DeploymentStore,
  EnvironmentName,
  type NewEvent,
  StackName
} from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { embeddedStore, metadataFile, stateFile, StateFiles } from "@signalbox/node"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll } from "vitest"
import { parse } from "yaml"
import { temporaryDirectory } from "./support/directory.ts"

const deploymentId = DeploymentId.make("DX6604E")
const production = EnvironmentName.make("production")
const staging = EnvironmentName.make("staging")
const api = StackName.make("api")
const start = Date.UTC(2026, 10, 20, 12)

const initialized: NewEvent = {
  id: "initialized",
  at: start,
  event: {
    _tag: "DeploymentInitialized",
    deploymentId,
    organization: "acme: & co",
    project: "shop",
    template: "default",
    environments: [production, staging],
    stacks: [api],
    by: "test"
  }
}

const deploy = (id: string, environment: EnvironmentName, at: number): ReadonlyArray<NewEvent> => [
  {
    id: "requested",
    at,
    event: {
      _tag: "ExecutionRequested",
      correlationId: CorrelationId.make(id),
      kind: "deploy",
      deploymentId,
      environment,
      by: "test",
      deploymentBefore: "initialized",
      stacksBefore: [],
      spec: { stacks: [stack], parallelism: 1, rollback: true, leaseTtl: Duration.seconds(15) }
    }
  },
  { id: "started", at: at + 1, event: { _tag: "ExecutionTransitioned", on: "started" } },
  { id: "deploying", at: at + 2, event: { _tag: "DeploymentTransitioned", on: "deploy_started" } },
  { id: "stack", at: at + 3, event: { _tag: "StackTransitioned", stack: api, on: "deploy_started" } }
]

const stack = {
  name: api,
  provider: "local",
  enabled: true,
  dependsOn: [],
  strategy: { type: "all_at_once" as const },
  gate: {
    minHealthyPercentage: 80,
    maxErrorCount: 10,
    errorWindow: Duration.minutes(5),
    maxResponseTime: Duration.seconds(2),
    responseTime: "p95" as const,
    gracePeriod: Duration.minutes(5),
    interval: Duration.seconds(10),
    consecutivePasses: 3,
    minSamples: 20
  },
  timeout: Duration.minutes(30),
  properties: {}
}

const done = (at: number): ReadonlyArray<NewEvent> => [
  { id: "stack deployed", at, event: { _tag: "StackTransitioned", stack: api, on: "deploy_completed" } },
  { id: "deployed", at: at + 1, event: { _tag: "DeploymentTransitioned", on: "deploy_completed" } },
  { id: "completed", at: at + 2, event: { _tag: "ExecutionTransitioned", on: "completed" } }
]

const contents = (folder: string) => ({
  metadata: parse(readFileSync(join(folder, metadataFile), "utf8")),
  state: parse(readFileSync(join(folder, stateFile), "utf8"))
})

const layer = (folder: string) => Layer.provideMerge(StateFiles.layer({ folder: () => folder }), layerMemory)

const root = temporaryDirectory(afterAll)

it.live("writes the two files of a deployment, with sorted keys and ISO times", () => {
  const folder = join(root, "one", "two")
  return Effect.gen(function* () {
    const store = yield* DeploymentStore
    const files = yield* StateFiles
    yield* files.write(deploymentId)
    assert.isFalse(existsSync(folder))

    yield* store.append({ stream: deploymentId, events: [initialized] })
    yield* files.write(deploymentId)
    assert.deepStrictEqual(contents(folder), {
      metadata: {
        created_at: "2026-11-20T12:00:00.000Z",
        deployment_id: "DX6604E",
        organization: "acme: & co",
        project: "shop",
        status: "initialized",
        template: "default"
      },
      state: {
        current_operation: null,
        deployment_status: "initialized",
        last_updated: "2026-11-20T12:00:00.000Z",
        stacks: {}
      }
    })

    yield* store.append({ stream: "a", events: [...deploy("a", production, start + 10), ...done(start + 20)] })
    yield* store.append({ stream: "b", events: deploy("b", staging, start + 1_000) })
    yield* files.write(deploymentId)
    const text = readFileSync(join(folder, stateFile), "utf8")
    assert.deepStrictEqual(parse(text), {
      current_operation: "deploy",
      deployment_status: "deploying",
      last_updated: "2026-11-20T12:00:01.003Z",
      stacks: {
        "api-production": {
          environment: "production",
          last_updated: "2026-11-20T12:00:00.020Z",
          stack_name: "api",
          status: "deployed"
        },
        "api-staging": {
          environment: "staging",
          last_updated: "2026-11-20T12:00:01.003Z",
          stack_name: "api",
          status: "deploying"
        }
      }
    })
    const keys = text.split("\n").filter((line) => /^\w/.test(line))
    assert.deepStrictEqual(keys, [...keys].sort())
    assert.strictEqual(contents(folder).metadata.status, "deploying")

    yield* store.append({ stream: "b", events: done(start + 2_000) })
    yield* files.write(deploymentId)
    assert.deepInclude(contents(folder).state, { current_operation: null, deployment_status: "deployed" })
    assert.deepStrictEqual(readdirSync(folder).sort(), [metadataFile, stateFile])
  }).pipe(Effect.provide(layer(folder)))
})

it.live("follows the store, and writes what changed last before it ends", () => {
  const folder = join(root, "follow")
  return Effect.gen(function* () {
    const store = yield* DeploymentStore
    yield* Effect.scoped(
      Effect.gen(function* () {
        yield* Layer.build(StateFiles.layerFollow)
        yield* store.append({ stream: deploymentId, events: [initialized] })
        yield* Effect.retry(
          Effect.sync(() => contents(folder)).pipe(Effect.catchDefect(Effect.fail)),
          Schedule.upTo(Schedule.spaced("5 millis"), { duration: "5 seconds" })
        )
        yield* store.append({ stream: "a", events: deploy("a", production, start + 10) })
      })
    )
    assert.strictEqual(contents(folder).state.deployment_status, "deploying")
  }).pipe(Effect.provide(layer(folder)))
})

it.live("keeps following where a file cannot be written", () => {
  const folder = join(root, "blocked")
  return Effect.gen(function* () {
    const store = yield* DeploymentStore
    writeFileSync(folder, "a file where the folder should be")
    const failure = yield* Effect.flip(
      Effect.andThen(
        store.append({ stream: deploymentId, events: [initialized] }),
        Effect.flatMap(StateFiles, (files) => files.write(deploymentId))
      )
    )
    assert.strictEqual(failure._tag, "StateFileError")
    yield* Effect.scoped(
      Effect.gen(function* () {
        yield* Layer.build(StateFiles.layerFollow)
        yield* store.append({ stream: "a", events: deploy("a", production, start + 10) })
        yield* Effect.sync(() => rmSync(folder))
        yield* store.append({ stream: "a", events: done(start + 20) })
      })
    )
    assert.strictEqual(contents(folder).state.deployment_status, "deployed")
  }).pipe(Effect.provide(layer(folder)))
})

it.live("shows no torn file to a reader and the newest state in the end, with several writers", () => {
  const folder = join(root, "race")
  const stores = embeddedStore({ directory: join(root, "race-store") })
  const writer = Effect.gen(function* () {
    const files = yield* StateFiles
    for (let n = 0; n < 15; n++) yield* files.write(deploymentId)
  }).pipe(Effect.provide(Layer.provideMerge(StateFiles.layer({ folder: () => folder }), Layer.fresh(stores))))
  return Effect.gen(function* () {
    const store = yield* DeploymentStore
    yield* store.append({ stream: deploymentId, events: [initialized] })
    yield* Effect.flatMap(StateFiles, (files) => files.write(deploymentId))
    const seen = new Set<unknown>()
    const look = Effect.sync(() => seen.add(contents(folder).metadata.deployment_id))
    const reader = yield* Effect.forkChild(
      Effect.forever(
        Effect.delay(
          Effect.catchDefect(look, (defect) => Effect.sync(() => seen.add(defect))),
          1
        )
      )
    )
    yield* Effect.all(
      [
        writer,
        writer,
        writer,
        Effect.forEach(
          Array.from({ length: 10 }, (_, n) => n),
          (n) =>
            store.append({
              stream: `r${n}`,
              events: [...deploy(`r${n}`, production, start + n * 100), ...done(start + n * 100 + 50)]
            })
        )
      ],
      { concurrency: "unbounded" }
    )
    yield* Effect.flatMap(StateFiles, (files) => files.write(deploymentId))
    assert.strictEqual(contents(folder).state.last_updated, new Date(start + 952).toISOString())
    assert.deepStrictEqual(readdirSync(folder).sort(), [metadataFile, stateFile])
    yield* Fiber.interrupt(reader)
    assert.deepStrictEqual([...seen], ["DX6604E"])
  }).pipe(Effect.provide(Layer.provideMerge(StateFiles.layer({ folder: () => folder }), stores)))
})
