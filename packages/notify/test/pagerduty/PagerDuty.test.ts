import { NotifierSuite, sampleMessage } from "@signalbox/core/testing"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { openPagerDutyServer } from "../../src/testing/index.ts"
import { harness, kindOf, opened, scoped, send } from "../support/opened.ts"

const key = "r0ut1ngk3y0000000000000000000000"
const server = scoped(() => openPagerDutyServer(key))
const channel = (url: string, routingKey = key) =>
  opened("pagerduty", { routingKey: { $secret: "KEY" }, endpoint: url, allow: ["127.0.0.1"] }, { KEY: routingKey })

NotifierSuite.suite("PagerDuty", {
  capabilities: {
    update: false,
    thread: false,
    acknowledge: true,
    dedupe: "update",
    limits: { bytes: 20_000, perMinute: 120 }
  },
  // An integration that was removed is an unknown key, as a wrong one is.
  faults: NotifierSuite.allFaults.filter((fault) => fault !== "Gone"),
  secrets: [key],
  make: Effect.flatMap(server, (receiver) => harness(receiver, channel(receiver.url)))
})

describe.concurrent("PagerDuty", () => {
  it.live("has one alert for an execution: triggered, acknowledged and resolved", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const receiver = yield* server
        const pager = yield* channel(receiver.url)
        const statuses: Array<string | undefined> = []
        let earlier: Receipt | null = null
        for (const [index, kind] of (["stalled", "acknowledged", "overdue", "completed"] as const).entries()) {
          earlier = yield* send(pager, sampleMessage(kind), { id: `d-${index}`, earlier })
          statuses.push(receiver.shown().find(({ kind }) => kind === "alert")?.status)
        }
        assert.deepStrictEqual(statuses, ["triggered", "acknowledged", "acknowledged", "resolved"])
        assert.deepStrictEqual(
          receiver.shown().map(({ id, kind }) => [kind, id]),
          [
            ["alert", "e-2"],
            ["change", "change-1"]
          ]
        )
      })
    )
  )

  it.live("pages no one for a deployment that succeeds or is cancelled", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const receiver = yield* server
        const pager = yield* channel(receiver.url)
        for (const kind of ["started", "completed", "cancelled", "locked"] as const) {
          yield* send(pager, sampleMessage(kind), { id: kind })
        }
        assert.deepStrictEqual(
          receiver.shown().map(({ kind }) => kind),
          ["change", "change", "change", "change"]
        )
      })
    )
  )

  it.live("reports a change once, though change events have no key", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const receiver = yield* server
        const pager = yield* channel(receiver.url)
        const earlier = yield* send(pager, sampleMessage("completed"))
        yield* send(pager, sampleMessage("completed"), { attempt: 2, earlier })
        assert.strictEqual(receiver.shown().length, 1)
      })
    )
  )

  it("checks its options", () => {
    const { check } = kindOf("pagerduty")
    assert.deepStrictEqual(check({ routingKey: { $secret: "KEY" } }), [])
    assert.deepStrictEqual(check({ routingKey: "r0ut1ng" })[0]?.path, ["routingKey"])
    assert.deepStrictEqual(check({ routing_key: { $secret: "KEY" } })[0]?.path, ["routing_key"])
  })
})
