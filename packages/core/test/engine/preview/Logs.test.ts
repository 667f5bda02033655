import { assert, describe, it } from "@effect/vitest"
import { Signalbox } from "@signalbox/core/engine"
import { DeploymentStore, ProviderError, Providers, StackName } from "@signalbox/core/spi"
import { Effect, Stream } from "effect"
import { logs } from "../../../src/engine/preview/Logs.ts"
import {
  begin,
  carryOut,
  config,
  deployed,
  drive,
  gate,
  manifestOf,
  pass,
  production,
  requestOf,
  world
} from "../support.ts"

const one = config({ stacks: [{ name: "web", provider: "simulated", gate }] })
const web = StackName.make("web")

const here = Effect.fnUntraced(function* (
  { cloud }: ReturnType<typeof world>,
  configuration: ReturnType<typeof config> = one
) {
  const { deployments } = yield* Signalbox
  const manifest = manifestOf(configuration, cloud)
  const deploymentId = yield* deployed(manifest)
  const place = { manifest, deploymentId, environment: production }
  const ref = (stack: StackName) => ({ deploymentId, environment: production, stack, properties: {} })
  return {
    place,
    say: (text: string, stack = web, version?: string) => cloud.write(ref(stack), text, version),
    read: (more: { readonly stack?: StackName; readonly release?: string; readonly lines?: number } = {}) =>
      Stream.runCollect(deployments.logs({ ...place, ...more }))
  }
})

describe("the logs of a deployment", () => {
  const logged = () => world({ capabilities: { logs: true } })

  it.effect("are the last lines of each stack, with the version of their release", () => {
    const made = logged()
    return Effect.gen(function* () {
      const { read, say } = yield* here(made, config())
      yield* say("api one", StackName.make("api"))
      for (const text of ["one", "two", "three"]) yield* say(text)
      const lines = yield* read({ lines: 2 })
      assert.deepStrictEqual(
        lines.map(({ stack, text, version }) => [stack, version, text]),
        [
          ["api", "1.0.0", "api one"],
          ["web", "1.0.0", "two"],
          ["web", "1.0.0", "three"]
        ]
      )
      assert.deepStrictEqual(
        (yield* read({ stack: web, lines: 1 })).map(({ text }) => text),
        ["three"]
      )
    }).pipe(Effect.provide(made.layer))
  })

  it.effect("are limited to a release, by its version or ID, also after a rollback", () => {
    const made = logged()
    return Effect.gen(function* () {
      const { place, read, say } = yield* here(made)
      yield* say("old")
      yield* carryOut(requestOf(place.manifest, place.deploymentId, "second", { version: "2.0.0" }))
      yield* say("new")
      yield* carryOut(requestOf(place.manifest, place.deploymentId, "back", { kind: "rollback" }))
      const [line] = yield* read({ release: "2.0.0" })
      assert.deepInclude(line, { text: "new", version: "2.0.0" })
      assert.deepStrictEqual(yield* read({ release: line!.releaseId }), [line!])
      const unknown = yield* Effect.flip(read({ release: "2.0.1" }))
      assert.deepInclude(unknown, { _tag: "Rejected", code: "unknown_release", kind: "not_found" })
      assert.include(JSON.stringify(unknown), "2.0.0")
    }).pipe(Effect.provide(made.layer))
  })

  it.effect("name the version of a release that was rolled back at once", () => {
    const made = logged()
    return Effect.gen(function* () {
      const { place, read, say } = yield* here(made)
      made.cloud.script("web", "2.0.0", { errorRate: 1 })
      const fiber = yield* begin(requestOf(place.manifest, place.deploymentId, "second", { version: "2.0.0" }))
      const live = Effect.map(made.cloud.inspect({ ...place, stack: web, properties: {} }), ({ releases }) =>
        releases.some((id) => id.startsWith("2.0.0"))
      )
      yield* pass(fiber, { until: live })
      yield* say("going down", web, "2.0.0")
      const { status } = yield* drive(fiber)
      assert.strictEqual(status, "rolled_back")
      assert.deepStrictEqual(
        (yield* read({ release: "2.0.0" })).map(({ text, version }) => [text, version]),
        [["going down", "2.0.0"]]
      )
    }).pipe(Effect.provide(made.layer))
  })

  it.effect("look once for a release that is not on record, however many lines it has", () => {
    const made = logged()
    return Effect.gen(function* () {
      const { place } = yield* here(made)
      const store = yield* DeploymentStore
      let looks = 0
      const counted = DeploymentStore.of({
        ...store,
        executions: (query) => Effect.suspend(() => ((looks += 1), store.executions(query)))
      })
      const line = (n: number) => ({ at: null, releaseId: "found", instance: "one", text: String(n) })
      const read = () => Effect.succeed({ cursor: null, lines: Array.from({ length: 20 }, (_, n) => line(n)) })
      const lines = yield* Stream.runCollect(logs(place)).pipe(
        Effect.provideService(DeploymentStore, counted),
        Effect.provide(Providers.layer([{ ...made.cloud.provider, logs: { read } }]))
      )
      assert.deepStrictEqual([lines.length, looks], [20, 1])
    }).pipe(Effect.provide(made.layer))
  })

  it.effect("go on as they come, over a failure of the provider", () => {
    const made = logged()
    return Effect.gen(function* () {
      const { place, say } = yield* here(made)
      const { deployments } = yield* Signalbox
      yield* say("one")
      const seen: Array<string> = []
      const fiber = yield* Effect.forkChild(
        Stream.runForEach(deployments.logs({ ...place, follow: true }), ({ text }) =>
          Effect.sync(() => void seen.push(text))
        )
      )
      const sees = (...texts: ReadonlyArray<string>) =>
        pass(fiber, { until: Effect.sync(() => JSON.stringify(seen) === JSON.stringify(texts)) })
      yield* sees("one")
      made.cloud.fail({ operation: "logs", times: 3, reason: { _tag: "Unavailable", message: "away" } })
      yield* say("two")
      yield* sees("one", "two")
      made.cloud.fail({ operation: "logs", reason: { _tag: "Denied", message: "not allowed" } })
      const ended = yield* Effect.flip(drive(fiber))
      assert.strictEqual(ended instanceof ProviderError && ended.reason._tag, "Denied")
    }).pipe(Effect.provide(made.layer))
  })

  it.effect("are refused if the provider has none, and if there is no such stack", () => {
    const made = world()
    return Effect.gen(function* () {
      const { read } = yield* here(made)
      const refused = yield* Effect.flip(read())
      assert.deepInclude(refused, { code: "logs_unsupported", kind: "invalid" })
      const unknown = yield* Effect.flip(read({ stack: StackName.make("wep") }))
      assert.deepInclude(unknown, { code: "unknown_stack", kind: "not_found" })
    }).pipe(Effect.provide(made.layer))
  })
})
