import { assert, describe } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { CorrelationId } from "../../../src/domain/index.ts"
import * as EventId from "../../../src/domain/EventId.ts"
import { ExecutionLog } from "../../../src/engine/log/index.ts"
import { Notices } from "../../../src/engine/facade/Notices.ts"
import { messageName, NotifyWorker, unattendedSince } from "../../../src/engine/notify/index.ts"
import {
  DeploymentStore,
  LeaseStore,
  Notifications,
  type NotificationSetup,
  type Notifier,
  NotifyError,
  type StoreError
} from "../../../src/spi/index.ts"
import { executionClaimKey } from "../../../src/spi/LeaseKey.ts"
import { traceIdOf } from "../../../src/telemetry/Ids.ts"
import { makeMemoryReceiver } from "../../../src/testing/notifier/MemoryReceiver.ts"
import { requested } from "../../../src/testing/suites/storeHistories.ts"
import { eventually } from "../../../src/testing/suites/storeSuiteStores.ts"
import { at, everything, first, flush, history, kinds, later, place, setupOf, test } from "./support.ts"

describe("the worker of notifications", () => {
  test(
    "sends what follows from the log, in order, and once",
    Effect.gen(function* () {
      const ops = makeMemoryReceiver()
      const setup = setupOf({ ops }, everything)
      yield* history(setup, "e-1", "started", "completed")
      const flushed = yield* flush(setup)
      assert.deepStrictEqual(flushed, { sent: 2, failed: 0, isDone: true })
      assert.deepStrictEqual(kinds(ops), ["started", "completed"])
      assert.deepStrictEqual(yield* flush(setup), { sent: 0, failed: 0, isDone: true })
      const [first] = ops.arrivals()
      assert.strictEqual(first?.message.deployment?.project, "shop")
    })
  )

  test(
    "owes nothing where no notifications are configured",
    Effect.gen(function* () {
      const ops = makeMemoryReceiver()
      const setup = setupOf({ ops }, everything)
      yield* Effect.provideService(
        Effect.suspend(() => ExecutionLog.write("e-1", [first(CorrelationId.make("e-1"))])),
        Notifications,
        Effect.undefined
      )
      assert.deepStrictEqual(yield* (yield* DeploymentStore).outbox.owed({ limit: 10 }), [])
      yield* flush(setup)
      assert.deepStrictEqual(kinds(ops), [])
    })
  )

  test(
    "sends failures to everyone without any route, and progress and starts to none",
    Effect.gen(function* () {
      const [ops, mail] = [makeMemoryReceiver(), makeMemoryReceiver()]
      const setup = setupOf({ ops, mail })
      yield* history(setup, "e-1", "started", "failed")
      yield* flush(setup)
      assert.deepStrictEqual([kinds(ops), kinds(mail)], [["failed"], ["failed"]])
    })
  )

  test(
    "repeats what a receiver refuses for a while, in order, with the same key",
    Effect.gen(function* () {
      const ops = makeMemoryReceiver()
      let refusals = 2
      ops.failing(() => (refusals-- > 0 ? { _tag: "Unavailable" } : undefined))
      const setup = setupOf({ ops }, everything)
      yield* history(setup, "e-1", "started", "completed")
      yield* Effect.gen(function* () {
        const worker = yield* NotifyWorker.make(setup)
        yield* Effect.forkScoped(worker.run)
        yield* eventually(
          Effect.suspend(() => (kinds(ops).length === 2 ? Effect.void : Effect.fail(kinds(ops).length)))
        )
      }).pipe(Effect.scoped)
      assert.deepStrictEqual(kinds(ops), ["started", "completed"])
      assert.deepStrictEqual(
        ops.arrivals().map(({ attempt }) => attempt),
        [3, 1]
      )
    })
  )

  test(
    "leaves alone what other deployments of the store have waiting or dead",
    Effect.gen(function* () {
      const ops = makeMemoryReceiver()
      ops.failing(() => ({ _tag: "Denied" }))
      const setup = setupOf({ ops }, everything)
      yield* history(setup, "e-1", "started")
      const inAMinute = later("1 minute")
      assert.isDefined(yield* inAMinute(unattendedSince(place.deploymentId)))
      assert.isUndefined(yield* inAMinute(unattendedSince("DOTHER1")))
      yield* flush(setup)
      const retried = (deploymentId: string) =>
        Effect.flatMap(Notices, ({ retry }) => retry()).pipe(
          Effect.provide(Notices.layer),
          Effect.provideService(Notifications, Effect.succeed({ ...setup, deploymentId }))
        )
      assert.lengthOf(yield* retried("DOTHER1"), 0)
      assert.lengthOf(yield* retried(place.deploymentId), 1)
    })
  )

  test(
    "gives up what a channel refuses for good, and goes on behind it",
    Effect.gen(function* () {
      const ops = makeMemoryReceiver()
      ops.failing(({ message }) => (message.facts.kind === "started" ? { _tag: "Denied" } : undefined))
      const setup = setupOf({ ops }, everything)
      yield* history(setup, "e-1", "started", "completed")
      yield* flush(setup)
      const [dead] = yield* (yield* DeploymentStore).outbox.deliveries({ statuses: ["dead"] })
      assert.strictEqual(dead?.error?.code, "notify_denied")
      assert.deepStrictEqual(kinds(ops), ["completed"])
    })
  )

  test(
    "does not hold up one channel because of another that hangs",
    Effect.gen(function* () {
      const [away, ops] = [makeMemoryReceiver(), makeMemoryReceiver()]
      away.failing(() => ({ _tag: "Hang" }))
      const setup = setupOf({ away, ops }, { routes: [{ to: ["away", "ops"] }] })
      yield* history(setup, "e-1", "started", "failed")
      const flushed = yield* flush(setup, Duration.seconds(20))
      assert.deepStrictEqual(kinds(ops), ["started", "failed"])
      assert.strictEqual(flushed.isDone, true)
      const left = yield* (yield* DeploymentStore).outbox.deliveries({ channel: "away", statuses: ["queued"] })
      assert.strictEqual(left.length, 2)
    })
  )

  test(
    "escalates what is not acknowledged, and stops once it is",
    Effect.gen(function* () {
      const [ops, boss] = [makeMemoryReceiver(), makeMemoryReceiver()]
      const setup = setupOf({ ops, boss }, { routes: [{ to: ["ops"] }], escalate: [{ after: "1 hour", to: "boss" }] })
      yield* history(setup, "e-1", "failed")
      yield* flush(setup)
      const store = yield* DeploymentStore
      const scheduled = store.outbox.deliveries({ channel: "boss", statuses: ["scheduled"] })
      const [escalation] = yield* scheduled
      assert.strictEqual(escalation?.nextAt, at + 3_600_000)
      const notification = messageName(escalation!.message)
      yield* ExecutionLog.write("e-1", [
        {
          id: EventId.acknowledged(notification),
          at,
          event: { _tag: "NotificationAcknowledged", notification, by: "ada" }
        }
      ]).pipe(Effect.provideService(Notifications, Effect.succeed(setup)))
      yield* flush(setup)
      assert.deepStrictEqual(yield* scheduled, [])
      assert.deepStrictEqual(kinds(boss), [])
      assert.deepStrictEqual(kinds(ops), ["failed", "acknowledged"])
    })
  )

  test(
    "sends once although two workers are at it",
    Effect.gen(function* () {
      const ops = makeMemoryReceiver()
      const setup = setupOf({ ops }, everything)
      for (let n = 0; n < 20; n++) yield* history(setup, `e-${n}`, "started", "completed")
      const both = yield* Effect.all([flush(setup), flush(setup)].map((one) => Effect.forkChild(one)))
      for (const fiber of both) yield* Fiber.join(fiber)
      yield* flush(setup)
      assert.strictEqual(new Set(ops.arrivals().map(({ id }) => id)).size, 40)
      assert.strictEqual(ops.arrivals().length, 40)
    })
  )
})

/** Acknowledges the first notification of a stream. */
const acknowledged = Effect.fnUntraced(function* (setup: NotificationSetup, stream: string) {
  const [row] = yield* (yield* DeploymentStore).outbox.deliveries({ stream })
  const notification = messageName(row!.message)
  yield* ExecutionLog.write(stream, [
    {
      id: EventId.acknowledged(notification),
      at,
      event: { _tag: "NotificationAcknowledged", notification, by: "ada" }
    }
  ]).pipe(Effect.provideService(Notifications, Effect.succeed(setup)))
})

describe("an escalation", () => {
  test(
    "reaches the second channel within a minute if the first one hangs",
    Effect.gen(function* () {
      const [ops, boss] = [makeMemoryReceiver(), makeMemoryReceiver()]
      ops.failing(() => ({ _tag: "Hang" }))
      const setup = setupOf(
        { ops, boss },
        { routes: [{ to: ["ops"] }], escalate: [{ after: "50 seconds", to: "boss" }] }
      )
      yield* history(setup, "e-1", "failed")
      yield* flush(setup)
      assert.deepStrictEqual(kinds(boss), [])
      yield* later("1 minute")(flush(setup))
      assert.deepStrictEqual(kinds(boss), ["failed"])
      assert.deepStrictEqual(kinds(ops), [])
    })
  )

  test(
    "and the first channel get nothing more once it is acknowledged, also if an attempt was on its way",
    Effect.gen(function* () {
      const [ops, boss] = [makeMemoryReceiver(), makeMemoryReceiver()]
      const answer = yield* Deferred.make<void>()
      let tries = 0
      const slow: Notifier = {
        ...ops.notifier,
        send: (delivery) =>
          Effect.suspend(() => {
            tries++
            const reason = { _tag: "Unknown", message: "no answer" } as const
            return Effect.andThen(
              Deferred.await(answer),
              Effect.fail(new NotifyError({ channel: "ops", notifier: delivery.thread, reason }))
            )
          })
      }
      const settings = { routes: [{ to: ["ops"] }], escalate: [{ after: "50 seconds", to: "boss" }] }
      const setup = setupOf({ ops: { ...ops, notifier: slow }, boss }, settings)
      yield* history(setup, "e-1", "failed")
      const statuses = Effect.map(
        Effect.flatMap(DeploymentStore, ({ outbox }) => outbox.deliveries({ stream: "e-1" })),
        (rows) => rows.filter(({ message }) => message.facts.kind === "failed").map(({ status }) => status)
      )
      const until = (isSo: Effect.Effect<boolean, StoreError, DeploymentStore>) =>
        eventually(Effect.filterOrFail(isSo, (so) => so))
      yield* Effect.gen(function* () {
        const worker = yield* NotifyWorker.make(setup)
        yield* Effect.forkScoped(worker.run)
        yield* until(Effect.sync(() => tries === 1))
        yield* acknowledged(setup, "e-1")
        yield* until(Effect.map(statuses, (all) => all.every((status) => status === "acknowledged")))
        yield* Deferred.succeed(answer, undefined)
        // The store is in memory: what follows from the answer needs no time, only turns.
        yield* Effect.repeat(Effect.yieldNow, { times: 500 })
      }).pipe(Effect.scoped)
      yield* later("1 hour")(flush(setup))
      assert.deepStrictEqual(yield* statuses, ["acknowledged", "acknowledged"])
      assert.strictEqual(tries, 1)
      assert.deepStrictEqual(kinds(boss), [])
    })
  )
})

describe("what is known when a notification is sent", () => {
  test(
    "names the requests ahead of one that waits, and where its trace is",
    Effect.gen(function* () {
      const ops = makeMemoryReceiver()
      const setup = setupOf(
        { ops },
        {
          routes: [{ when: { kind: ["waiting", "failed"] }, to: ["ops"] }],
          links: { trace: "https://traces.example.com/${trace}" }
        }
      )
      const leases = yield* LeaseStore
      for (const id of ["e-1", "e-2"]) {
        const request = requested(place, CorrelationId.make(id), at, { queue: "fifo" })
        yield* ExecutionLog.write(id, [{ ...request, id: EventId.requested }]).pipe(
          Effect.provideService(Notifications, Effect.succeed(setup))
        )
        yield* leases.acquire({
          key: executionClaimKey(CorrelationId.make(id)),
          holder: id,
          owner: "another process",
          ttl: Duration.hours(1),
          purpose: { kind: "run" }
        })
      }
      yield* later("6 seconds")(flush(setup))
      const waiting = ops.arrivals().find(({ message }) => message.stream === "e-2")?.message
      assert.deepInclude(waiting?.facts, { kind: "waiting" })
      const behind = waiting?.facts.kind === "waiting" ? waiting.facts.behind : []
      assert.deepStrictEqual(
        behind.map(({ code, params }) => [code, params.execution, params.by]),
        [["blocked_by_queue", "e-1", "suite"]]
      )
      assert.deepStrictEqual(waiting?.links, [{ to: "trace", url: `https://traces.example.com/${traceIdOf("e-2")}` }])
    })
  )
})
