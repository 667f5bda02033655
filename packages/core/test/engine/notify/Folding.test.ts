import { assert, describe } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { FactsOf } from "../../../src/domain/notification/index.ts"
import { makeClaims } from "../../../src/engine/notify/Claims.ts"
import { NotifyWorker } from "../../../src/engine/notify/index.ts"
import { DeploymentStore } from "../../../src/spi/index.ts"
import { makeMemoryReceiver, type MemoryReceiver } from "../../../src/testing/notifier/MemoryReceiver.ts"
import { sampleMessage } from "../../../src/testing/notifier/sampleMessages.ts"
import { eventually } from "../../../src/testing/suites/storeSuiteStores.ts"
import { everything, flush, history, kinds, later, place, setupOf, test } from "./support.ts"

const summaries = (receiver: MemoryReceiver) =>
  receiver
    .arrivals()
    .flatMap(({ message: { facts } }) =>
      facts.kind === "recovery_summary" ? [facts satisfies FactsOf<"recovery_summary">] : []
    )

const away = { _tag: "Unavailable" } as const
const inElevenMinutes = later("11 minutes")

describe("a channel that was away", () => {
  test(
    "gets what still holds, and one summary of what holds no more",
    Effect.gen(function* () {
      const ops = makeMemoryReceiver()
      ops.failing(() => away)
      const setup = setupOf({ ops }, everything)
      yield* history(setup, "e-1", "started", "paused", "resumed", "failed")
      yield* flush(setup)
      assert.deepStrictEqual(kinds(ops), [])
      ops.failing(() => undefined)
      yield* inElevenMinutes(flush(setup))
      assert.deepStrictEqual(kinds(ops), ["failed", "recovery_summary"])
      const [summary] = summaries(ops)
      assert.deepStrictEqual(
        summary?.items.map(({ kind }) => kind),
        ["started", "paused", "started"]
      )
      assert.strictEqual(summary?.more, 0)
      // It was told once.
      yield* inElevenMinutes(flush(setup))
      assert.lengthOf(kinds(ops), 2)
    })
  )

  test(
    "gets everything within ten minutes, true or not",
    Effect.gen(function* () {
      const ops = makeMemoryReceiver()
      ops.failing(() => away)
      const setup = setupOf({ ops }, everything)
      yield* history(setup, "e-1", "started", "completed")
      yield* flush(setup)
      ops.failing(() => undefined)
      yield* later("9 minutes")(flush(setup))
      assert.deepStrictEqual(kinds(ops), ["started", "completed"])
    })
  )

  test(
    "gets a notification that failed once more, although many before it were folded",
    Effect.gen(function* () {
      const ops = makeMemoryReceiver()
      ops.failing(() => away)
      const setup = setupOf({ ops }, everything)
      const streams = Array.from({ length: 40 }, (_, n) => `e-${n}`)
      for (const stream of streams) yield* history(setup, stream, "started", "completed")
      yield* flush(setup)
      // One is refused once more, and due again after everything else was folded.
      let refusals = 1
      ops.failing(({ message }) => (message.stream === "e-39" && refusals-- > 0 ? away : undefined))
      yield* Effect.gen(function* () {
        const worker = yield* NotifyWorker.make(setup)
        yield* Effect.forkScoped(worker.run)
        yield* eventually(
          Effect.suspend(() => (summaries(ops).length > 0 ? Effect.void : Effect.fail(kinds(ops).length)))
        )
      }).pipe(Effect.scoped, inElevenMinutes)
      // Only the end of the last execution still holds: the environment went on from the others.
      assert.strictEqual(kinds(ops)[0], "completed")
      const told = summaries(ops).reduce((sum, { items, more }) => sum + items.length + more, 0)
      assert.strictEqual(told, 79)
    })
  )

  test(
    "gets several summaries of very many",
    Effect.gen(function* () {
      const ops = makeMemoryReceiver()
      const setup = setupOf({ ops }, everything)
      const { outbox } = yield* DeploymentStore
      yield* Effect.gen(function* () {
        const claims = yield* makeClaims
        const claim = yield* claims.enter("e-1")
        const deliveries = Array.from({ length: 1_200 }, (_, n) => ({
          id: `d-${n}`,
          stream: "e-1",
          deploymentId: place.deploymentId,
          seq: n + 1,
          channel: "ops",
          status: "folded" as const,
          attempts: 1,
          nextAt: 1_000,
          createdAt: 1_000,
          updatedAt: 1_000,
          why: "routes[0]",
          message: sampleMessage("started", { stream: "e-1" }),
          receipt: null,
          error: null
        }))
        yield* outbox.write({ guards: [claim!.lease], deliveries })
        yield* claims.returnAll
      })
      yield* flush(setup, Duration.seconds(20))
      assert.deepStrictEqual(
        summaries(ops).map(({ items, more }) => items.length + more),
        [1_000, 200]
      )
      assert.deepStrictEqual(yield* outbox.due({ until: Date.now(), limit: 1 }), [])
    })
  )
})

describe("a route with a group", () => {
  const grouping = { routes: [{ to: ["ops"], group: "15 minutes" }] }

  test(
    "sends what happens within that time together, once it is over",
    Effect.gen(function* () {
      const ops = makeMemoryReceiver()
      const setup = setupOf({ ops }, grouping)
      yield* history(setup, "e-1", "started", "completed")
      yield* history(setup, "e-2", "started", "failed")
      yield* flush(setup)
      assert.deepStrictEqual(kinds(ops), [])
      yield* later("15 minutes")(flush(setup))
      const [summary] = summaries(ops)
      assert.strictEqual(summary?.grouped, true)
      assert.sameMembers(
        summary!.items.map(({ kind }) => kind),
        ["started", "completed", "started", "failed"]
      )
      assert.lengthOf(kinds(ops), 1)
    })
  )

  test(
    "sends one notification as it is",
    Effect.gen(function* () {
      const ops = makeMemoryReceiver()
      const setup = setupOf({ ops }, grouping)
      yield* history(setup, "e-1", "started")
      yield* later("15 minutes")(flush(setup))
      assert.deepStrictEqual(kinds(ops), [])
      yield* later("30 minutes")(flush(setup))
      assert.deepStrictEqual(kinds(ops), ["started"])
    })
  )
})
