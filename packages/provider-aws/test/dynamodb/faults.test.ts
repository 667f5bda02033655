import { layerPlugin } from "@signalbox/core/plugin"
import { CorrelationId, DeploymentId, DeploymentStore, EnvironmentName, LeaseStore } from "@signalbox/core/spi"
import { answers, type FaultRule, faultProxy, operations } from "@signalbox/fault-proxy"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { assert, describe, it } from "vitest"
import { openStore } from "../../src/dynamodb/store.ts"
import { endpoint } from "../emulator.ts"
import { freshTable } from "./tables.ts"

const context = { directory: ".", stateDirectory: ".signalbox" }
const steps = 25

/** What a runner does with its store in the course of a deployment. */
const work = Effect.gen(function* () {
  const store = yield* DeploymentStore
  const leases = yield* LeaseStore
  const deploymentId = DeploymentId.make("DX6604E")
  const stream = CorrelationId.make("faulty")
  let lease = yield* leases.acquire({ key: "environment", holder: stream, owner: "p", ttl: Duration.minutes(1) })
  const append = (id: string, event: object) =>
    store.append({ stream, guards: [lease], events: [{ id, at: 1, event: event as never }] })
  yield* append("requested", {
    _tag: "ExecutionRequested",
    correlationId: stream,
    kind: "deploy",
    deploymentId,
    environment: EnvironmentName.make("production"),
    by: "test",
    deploymentBefore: "initialized",
    stacksBefore: [],
    spec: { stacks: [], parallelism: 1, rollback: true, leaseTtl: Duration.seconds(15) }
  })
  yield* append("started", { _tag: "ExecutionTransitioned", on: "started" })
  for (let n = 0; n < steps; n++) {
    yield* append(`${n}`, { _tag: "StepStarted", step: `${n}`, attempt: 1, operation: "stage" })
    if (n % 5 === 0) lease = yield* leases.renew(lease, Duration.minutes(1))
  }
  yield* append("completed", { _tag: "ExecutionTransitioned", on: "completed" })
  yield* leases.release(lease)
})

/** What the table holds in the end. Across streams it shows after two seconds what lies behind a number whose taker never knew. */
const end = Effect.gen(function* () {
  const store = yield* DeploymentStore
  const events = yield* Effect.repeat(store.events({}), {
    schedule: Schedule.upTo(Schedule.spaced("50 millis"), { duration: "1 minute" }),
    while: (found) => found.at(-1)?.id !== "completed"
  })
  const lease = yield* Effect.flatMap(LeaseStore, (leases) => leases.get("environment"))
  const { items } = yield* store.executions({})
  return {
    ids: events.map(({ id }) => id),
    seqs: events.map(({ seq }) => seq),
    fence: lease?.fence,
    expiresAt: lease?.expiresAt,
    status: items.map(({ status }) => status)
  }
})

/** As a collision of two transactions is answered. */
const collision = {
  status: 400,
  headers: { "content-type": "application/x-amz-json-1.0" },
  body: JSON.stringify({
    __type: "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
    Message: "Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict]",
    CancellationReasons: [{ Code: "TransactionConflict", Message: "Transaction is ongoing for the item" }]
  })
}

const faulty: ReadonlyArray<FaultRule> = [
  { probability: 0.3, fault: { answer: answers.awsJson({ code: "ThrottlingException", message: "Rate exceeded" }) } },
  { probability: 0.2, fault: { cut: "after" } },
  { operation: "TransactWriteItems", probability: 0.1, fault: { answer: collision } }
]

/** Does the work through a proxy with these faults, and reads the end without. */
const worked = async (rules: ReadonlyArray<FaultRule>, seed: number) => {
  const { url, urlAt } = await freshTable()
  await using proxy = await faultProxy({ target: endpoint!, operationOf: operations.awsJson, rules, seed })
  const within = <A, E>(effect: Effect.Effect<A, E, DeploymentStore | LeaseStore>, at: string) =>
    Effect.runPromise(Effect.provide(effect, layerPlugin({ load: openStore }, at, context)))
  await within(work, urlAt(proxy.url))
  const calls = proxy.calls.length
  const hit = proxy.calls.filter(({ faults }) => faults.length > 0).length
  return { end: await within(end, url), calls, hit }
}

describe.skipIf(endpoint === undefined)("a store that is throttled and cut off", () => {
  it("ends as without faults, whatever the seed, with at most twice the calls", async () => {
    const clean = await worked([], 0)
    const ids = ["requested", "started", ...Array.from({ length: steps }, (_, n) => `${n}`), "completed"]
    const seqs = ids.map((_, index) => index + 1)
    assert.deepEqual(clean.end, { ids, seqs, fence: 1, expiresAt: 0, status: ["completed"] })
    assert.strictEqual(clean.hit, 0)
    const seeds = Array.from({ length: 20 }, (_, index) => index + 1)
    // Few at once: calls that time out on a busy machine are repeated too.
    const runs = await Effect.runPromise(
      Effect.forEach(seeds, (seed) => Effect.promise(() => worked(faulty, seed)), { concurrency: 4 })
    )
    for (const [index, run] of runs.entries()) assert.deepEqual(run.end, clean.end, `seed ${seeds[index]}`)
    const sum = (of: (run: (typeof runs)[number]) => number) => runs.reduce((total, run) => total + of(run), 0)
    if (process.env["SIGNALBOX_PRINT"])
      console.log(clean.calls, runs.map(({ calls, hit }) => `${calls}/${hit}`).join(" "))
    // Nearly half of the calls fail, so that twice as many are needed.
    assert.isAbove(
      sum(({ hit }) => hit),
      0.4 * sum(({ calls }) => calls)
    )
    assert.isAtMost(
      sum(({ calls }) => calls),
      20 * 2 * clean.calls
    )
  })
})
