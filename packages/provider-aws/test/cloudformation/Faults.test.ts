/**
 * A deployment, an update, a rollback and a deletion while AWS throttles, and loses answers whose effect has happened.
 */
import { testMutation } from "@signalbox/core/testing"
import type { Mutation, ProviderError } from "@signalbox/core/spi"
import { answers, type FaultRule, faultProxy, operations } from "@signalbox/fault-proxy"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { assert, describe, it } from "vitest"
import { make } from "../../src/cloudformation/CloudFormationProvider.ts"
import { endpoint } from "../emulator.ts"
import { eventually } from "./eventually.ts"
import { held, release } from "./held.ts"
import { platform, refOf, region, templateOf } from "./platform.ts"
import { stackName, world } from "./world.ts"

const ref = refOf({ stackName: "the-api" })

/** What core does with an operation that may be repeated. */
const repeated = <A>(call: Effect.Effect<A, ProviderError>): Effect.Effect<A, ProviderError> =>
  Effect.retry(call, { schedule: Schedule.spaced(100), while: ({ isRetryable }) => isRetryable, times: 50 })

const wholeLife = async (seed: number, rules: ReadonlyArray<FaultRule>) => {
  const aws = platform()
  await using proxy = await faultProxy({ target: endpoint!, operationOf: operations.awsQuery, seed, rules })
  const provider = make({
    directory: aws.directory,
    endpoint: proxy.url,
    region,
    credentials: { accessKeyId: aws.account, secretAccessKey: "test" },
    // Operations of the emulator end in between, so that the number of polls does not depend on its speed.
    poll: { first: 2000, most: 2000 }
  })
  const handles = new Map<string, string | null>()
  const mutation = (key: string): Mutation => testMutation(key, { handles })
  const deploy = (version: string) =>
    Effect.gen(function* () {
      const candidate = { version, artifact: aws.write(`${version}.json`, templateOf(version)) }
      const plan = yield* repeated(provider.plan(ref, candidate, mutation(`plan ${version}`)))
      yield* repeated(provider.stage(ref, { plan, capacityPercent: 100 }, mutation(`stage ${version}`)))
      assert.strictEqual(yield* Effect.promise(aws.version), version)
      return plan
    })
  try {
    await Effect.runPromise(
      Effect.gen(function* () {
        yield* deploy("v1")
        const { checkpoint } = yield* deploy("v2")
        yield* repeated(provider.rollback(ref, checkpoint, mutation("rollback")))
        assert.strictEqual(yield* Effect.promise(aws.version), "v1")
        yield* repeated(provider.destroy(ref, mutation("destroy")))
        assert.isUndefined(yield* Effect.promise(aws.version))
      })
    )
    const own = (await aws.events("the-api")).filter((event) => event.PhysicalResourceId === event.StackId)
    const begun = own.filter(({ ResourceStatus }) => /^(CREATE|UPDATE|DELETE)_IN_PROGRESS$/.test(ResourceStatus!))
    return { calls: proxy.count(), begun: begun.map(({ ResourceStatus }) => ResourceStatus).reverse() }
  } finally {
    aws.close()
  }
}

describe.skipIf(endpoint === undefined)("under faults", () => {
  it("does everything once, with at most twice the calls, for 20 seeds", async () => {
    const clean = await wholeLife(0, [])
    assert.deepStrictEqual(clean.begun, [
      "CREATE_IN_PROGRESS",
      "UPDATE_IN_PROGRESS",
      "UPDATE_IN_PROGRESS",
      "DELETE_IN_PROGRESS"
    ])
    const throttled = answers.awsQuery({ code: "Throttling", message: "Rate exceeded" })
    const rules: ReadonlyArray<FaultRule> = [
      { probability: 0.3, fault: { answer: throttled } },
      { probability: 0.2, fault: { cut: "after" } }
    ]
    const seeds = Array.from({ length: 20 }, (_, index) => index + 1)
    const lives = await Promise.all(seeds.map((seed) => wholeLife(seed, rules)))
    for (const { begun } of lives) assert.deepStrictEqual(begun, clean.begun)
    const mean = lives.reduce((sum, { calls }) => sum + calls, 0) / lives.length
    assert.isAtMost(mean, 2 * clean.calls, lives.map(({ calls }) => calls).join(" "))
  })

  it("recognizes its own operation where the repeat is refused because one is in progress", async () => {
    await using proxy = await faultProxy({ target: endpoint!, operationOf: operations.awsQuery })
    const w = world({ url: proxy.url })
    const first = await w.plan("v1", templateOf("v1", held))
    await Promise.all([w.run(w.stage(first)), release(w.aws, stackName)])
    const plan = await w.plan("v2", templateOf("v2"))
    await w.run(w.stage(plan))
    // The client repeats the call while the update, which brings the held resource back, is in progress.
    proxy.add({ operation: "UpdateStack", nth: 1, fault: { cut: "after" } })
    const goingBack = w.run(w.rollback(plan))
    await eventually("the repeated call", () => proxy.count("UpdateStack") === 2)
    await release(w.aws, stackName)
    await goingBack
    assert.strictEqual(await w.aws.version(), "v1")
    assert.strictEqual(proxy.count("UpdateStack"), 2)
    w.aws.close()
  })
})
