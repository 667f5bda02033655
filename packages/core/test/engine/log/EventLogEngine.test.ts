import { assert, describe, it } from "@effect/vitest"
import { type CorrelationId, DeploymentStore, type Event, type Lease, LeaseStore } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { Cause, Clock, Duration, Effect, Exit, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Activity, DurableClock, DurableDeferred, Workflow, type WorkflowEngine } from "effect/workflow"
import * as EventLogEngine from "../../../src/engine/log/EventLogEngine.ts"
import * as EventId from "../../../src/domain/EventId.ts"
import { openJournal } from "../../../src/engine/log/Journal.ts"
import { drive, settle } from "../support.ts"

const id = "exec" as CorrelationId

const requested: Event = {
  _tag: "ExecutionRequested",
  correlationId: id,
  kind: "deploy",
  deploymentId: "DX6604E" as never,
  environment: "production" as never,
  by: "tester",
  deploymentBefore: "initialized",
  stacksBefore: [],
  spec: { stacks: [], parallelism: 1, rollback: true, leaseTtl: Duration.seconds(10) }
}

const begin = Effect.gen(function* () {
  const store = yield* DeploymentStore
  const at = yield* Clock.currentTimeMillis
  yield* store.append({ stream: id, expected: 0, events: [{ id: "requested", at, event: requested }] })
})

const claim = Effect.gen(function* () {
  const leases = yield* LeaseStore
  return yield* leases.acquire({ key: "execution/exec", holder: "me", owner: "me", ttl: Duration.hours(10) })
})

const work = Workflow.make("test/Work", {
  payload: { n: Schema.Int },
  success: Schema.String,
  error: Schema.String,
  idempotencyKey: () => id
})

type Body = Effect.Effect<string, string, WorkflowEngine.WorkflowEngine | WorkflowEngine.WorkflowInstance>

/** One runner: a newly opened journal, an engine on it, and the workflow executed. */
const runOn = (lease: Lease, body: Body) =>
  Effect.scoped(
    Effect.gen(function* () {
      const journal = yield* openJournal(id, () => [lease])
      const engine = yield* EventLogEngine.make(journal)
      yield* engine.register(work, () => body)
      const result = yield* Effect.result(engine.execute(work, { executionId: id, payload: { n: 1 } }))
      yield* journal.commit
      return result
    })
  )

const counted = (name: string, counts: Map<string, number>) =>
  Activity.make({
    name,
    success: Schema.Int,
    execute: Effect.sync(() => {
      counts.set(name, (counts.get(name) ?? 0) + 1)
      return counts.get(name)!
    })
  })

const test = (name: string, effect: Effect.Effect<void, unknown, DeploymentStore | LeaseStore>) =>
  it.effect(name, () => Effect.provide(Effect.andThen(begin, effect), layerMemory))

describe("the event-log engine", () => {
  test(
    "writes one intent and one receipt a step, and returns the receipt on replay",
    Effect.gen(function* () {
      const counts = new Map<string, number>()
      const lease = yield* claim
      const body: Body = Effect.gen(function* () {
        const a = yield* counted("a", counts)
        const b = yield* counted("b", counts)
        return `${a}${b}`
      })
      for (let runner = 0; runner < 3; runner++) {
        const result = yield* runOn(lease, body)
        assert.strictEqual(result._tag === "Success" ? result.success : "", "11")
      }
      const store = yield* DeploymentStore
      assert.deepStrictEqual(
        (yield* store.events({ stream: id })).map((event) => event.id),
        ["requested", "intent/a#1", "receipt/a#1", "intent/b#1", "receipt/b#1"]
      )
    })
  )

  test(
    "keeps a step's failure as its outcome",
    Effect.gen(function* () {
      let calls = 0
      const lease = yield* claim
      const body: Body = Activity.make({
        name: "fails",
        success: Schema.String,
        error: Schema.String,
        execute: Effect.suspend(() => Effect.fail(`no ${++calls}`))
      })
      for (let runner = 0; runner < 2; runner++) {
        const result = yield* runOn(lease, body)
        assert.strictEqual(result._tag === "Failure" ? result.failure : "", "no 1")
      }
    })
  )

  test(
    "retries of an activity are attempts of their own, each journaled",
    Effect.gen(function* () {
      let calls = 0
      const lease = yield* claim
      const flaky = Activity.make({
        name: "flaky",
        success: Schema.String,
        error: Schema.String,
        execute: Effect.suspend(() => (++calls < 3 ? Effect.fail("not yet") : Effect.succeed(`after ${calls}`)))
      })
      const body: Body = Activity.retry(flaky, { times: 5 })
      for (let runner = 0; runner < 2; runner++) {
        const result = yield* runOn(lease, body)
        assert.strictEqual(result._tag === "Success" ? result.success : "", "after 3")
      }
      assert.strictEqual(calls, 3)
    })
  )

  test(
    "a step that was cut has an intent and no receipt, and runs again",
    Effect.gen(function* () {
      let calls = 0
      const lease = yield* claim
      const body: Body = Activity.make({
        name: "slow",
        success: Schema.String,
        execute: Effect.suspend(() => (++calls === 1 ? Effect.never : Effect.succeed("done")))
      })
      const cut = yield* Effect.forkChild(runOn(lease, body))
      yield* settle
      yield* Fiber.interrupt(cut)
      const store = yield* DeploymentStore
      assert.deepStrictEqual(
        (yield* store.events({ stream: id })).map((event) => event.id),
        ["requested", "intent/slow#1"]
      )
      const result = yield* runOn(lease, body)
      assert.strictEqual(result._tag === "Success" ? result.success : "", "done")
      assert.strictEqual(calls, 2)
    })
  )

  test(
    "a durable clock goes on over runners and goes off when it should have",
    Effect.gen(function* () {
      const counts = new Map<string, number>()
      const lease = yield* claim
      const body: Body = Effect.gen(function* () {
        yield* counted("before", counts)
        yield* DurableClock.sleep({ name: "nap", duration: "1 hour" })
        yield* counted("after", counts)
        return "slept"
      })
      const first = yield* Effect.forkChild(runOn(lease, body))
      yield* settle
      yield* TestClock.adjust("20 minutes")
      yield* settle
      yield* Fiber.interrupt(first)
      yield* TestClock.adjust("20 minutes")
      const began = yield* Clock.currentTimeMillis
      const result = yield* drive(yield* Effect.forkChild(runOn(lease, body)), { limit: 3_600, tick: 10_000 })
      assert.strictEqual(result._tag === "Success" ? result.success : "", "slept")
      assert.closeTo((yield* Clock.currentTimeMillis) - began, 20 * 60_000, 60_000)
      assert.deepStrictEqual(
        [...counts],
        [
          ["before", 1],
          ["after", 1]
        ]
      )
    })
  )

  test(
    "a defect of a step keeps its form in its receipt",
    Effect.gen(function* () {
      const lease = yield* claim
      const mistake = new TypeError("it is no function", { cause: { password: "hunter2" } })
      const wordless = { password: "hunter2" }
      const defects = [mistake, "a word", 4711, wordless]
      const dies = (name: string, defect: unknown) => Activity.make({ name, execute: Effect.die(defect) })
      const defectOf = (name: string, defect: unknown) =>
        Effect.map(Effect.orDie(Effect.flip(Effect.sandbox(dies(name, defect)))), Cause.squash)
      const seen: Array<ReadonlyArray<unknown>> = []
      const body: Body = Effect.gen(function* () {
        seen.push(yield* Effect.forEach(defects, (defect, index) => defectOf(`step ${index}`, defect)))
        return ""
      })
      for (let runner = 0; runner < 2; runner++) yield* runOn(lease, body)
      assert.deepStrictEqual(seen[0], defects)
      const [error, ...others] = seen[1]!
      assert.instanceOf(error, Error)
      assert.deepStrictEqual([error.name, error.message, error.stack], ["TypeError", mistake.message, mistake.stack])
      assert.deepStrictEqual(others.slice(0, 2), ["a word", 4711])
      assert.instanceOf(others[2], Error)
      const log = JSON.stringify(yield* (yield* DeploymentStore).events({ stream: id }))
      assert.notInclude(log, "hunter2")
    })
  )

  test(
    "a defect of a deferred keeps its form",
    Effect.gen(function* () {
      const lease = yield* claim
      const answer = DurableDeferred.make("answer")
      const seen: Array<string> = []
      const body: Body = Effect.sandbox(DurableDeferred.await(answer)).pipe(
        Effect.matchEffect({
          onFailure: (cause) => Effect.sync(() => void seen.push(String(Cause.squash(cause)))),
          onSuccess: () => Effect.void
        }),
        Effect.as("")
      )
      const run = (first: boolean) =>
        Effect.scoped(
          Effect.gen(function* () {
            const journal = yield* openJournal(id, () => [lease])
            const engine = yield* EventLogEngine.make(journal)
            yield* engine.register(work, () => body)
            const running = yield* Effect.forkChild(engine.execute(work, { executionId: id, payload: { n: 1 } }))
            yield* settle
            if (first) {
              yield* engine.deferredDone(answer, {
                workflowName: work._tag,
                executionId: id,
                deferredName: answer.name,
                exit: Exit.die(new TypeError("it is no function"))
              })
            }
            yield* drive(running)
          })
        )
      yield* run(true)
      yield* run(false)
      assert.deepStrictEqual(seen, ["TypeError: it is no function", "TypeError: it is no function"])
    })
  )

  test(
    "a durable clock of a fraction of a millisecond suspends, and goes off not before its time",
    Effect.gen(function* () {
      const lease = yield* claim
      const nap = DurableClock.sleep({ name: "nap", duration: "900500 micros", inMemoryThreshold: "1 millis" })
      const running = yield* Effect.forkChild(runOn(lease, Effect.as(nap, "slept")))
      yield* settle
      const store = yield* DeploymentStore
      const [set] = yield* store.events({ stream: id, tags: ["ClockSet"] })
      assert.strictEqual(set?.event._tag === "ClockSet" ? set.event.wakeAt : undefined, 901)
      yield* TestClock.adjust("900 millis")
      yield* settle
      assert.isUndefined(running.pollUnsafe())
      const result = yield* drive(running, { limit: 10 })
      assert.strictEqual(result._tag === "Success" ? result.success : "", "slept")
    })
  )

  test(
    "a durable deferred suspends the run until it is done, once",
    Effect.gen(function* () {
      const lease = yield* claim
      const answer = DurableDeferred.make("answer", { success: Schema.String })
      const result = yield* Effect.scoped(
        Effect.gen(function* () {
          const journal = yield* openJournal(id, () => [lease])
          const engine = yield* EventLogEngine.make(journal)
          yield* engine.register(work, () => DurableDeferred.await(answer) as Body)
          const running = yield* Effect.forkChild(engine.execute(work, { executionId: id, payload: { n: 1 } }))
          yield* settle
          const done = (value: string) =>
            engine.deferredDone(answer, {
              workflowName: work._tag,
              executionId: id,
              deferredName: answer.name,
              exit: Exit.succeed(value)
            })
          yield* done("yes")
          yield* done("no")
          return yield* drive(running)
        })
      )
      assert.strictEqual(result, "yes")
    })
  )

  test(
    "writes nothing more once its lease is lost",
    Effect.gen(function* () {
      const leases = yield* LeaseStore
      const lease = yield* claim
      const store = yield* DeploymentStore
      const lost = yield* Effect.scoped(
        Effect.gen(function* () {
          const journal = yield* openJournal(id, () => [lease])
          yield* leases.release(lease)
          yield* journal.record(EventId.lease(1), { _tag: "LeaseAcquired", key: "x", fence: 1 })
          return yield* Effect.flip(journal.lost)
        })
      )
      assert.strictEqual(lost._tag, "LeaseLost")
      assert.deepStrictEqual(
        (yield* store.events({ stream: id })).map((event) => event.id),
        ["requested"]
      )
    })
  )
})
