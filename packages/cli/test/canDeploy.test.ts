import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { assert, describe, it } from "vitest"
import { StoreError } from "@signalbox/core/spi"
import { coordinated, errorOf, expectExit, here, id, iso, json, occupied, run } from "./coordinating.ts"

describe("can-deploy", () => {
  coordinated()

  it("answers yes with 0 and no with 2, in one object", async () => {
    const yes = await json("can-deploy")
    const { checkedAt, ...rest } = yes.value
    assert.strictEqual(yes.code, 0)
    assert.match(checkedAt, iso)
    assert.deepEqual(rest, {
      deploymentId: id,
      environment: "production",
      canDeploy: true,
      degraded: false,
      degradedReason: null,
      blockers: [],
      queue: { length: 0 },
      nextFreeze: null
    })
    await occupied("first")
    expectExit(await run("register", "--correlation-id", "second"), 0)
    const no = await json("can-deploy")
    assert.deepEqual([no.code, no.value.canDeploy, no.value.queue], [2, false, { length: 1 }])
    const [lease, queued] = no.value.blockers
    assert.deepEqual([lease.kind, lease.who, queued.kind, queued.who], ["lease", "first", "queue", "second"])
    assert.sameMembers(Object.keys(lease), [
      "kind",
      "code",
      "message",
      "params",
      "who",
      "since",
      "clearsAt",
      "consoleUrl",
      "override",
      "remedies"
    ])
    assert.match(lease.since, iso)
  })

  it("shows the first blocker in one line, and with --explain all of them and what to do", async () => {
    expectExit(await run("lock", "hold", "--reason", "the database moves", "--until", "2 hours"), 0)
    expectExit(await run("veto", "v2", "--reason", "loses orders"), 0)
    const short = expectExit(await run("can-deploy", "--version", "v2"), 2)
    assert.match(short.stdout, /^✖ no: production is locked by ada: the database moves \(and 1 more: --explain\)\n$/)
    const { stdout } = expectExit(await run("can-deploy", "--version", "v2", "--explain"), 2)
    assert.match(stdout, /^✖ no: 2 things are in the way of DX6604E production\n/)
    assert.match(stdout, /since +\d+m?s ago \(\d\d:/)
    assert.match(stdout, /over +in \d+ (min|h) \(at /)
    assert.match(stdout, /to go on +signalbox lock release DX6604E --environment production --reason "<reason>"/)
    assert.match(stdout, /✖ veto: version v2 was vetoed by ada: loses orders/)
  })

  it("asks only the providers while the store is unavailable, and says so", async () => {
    const away = new StoreError({ operation: "open", reason: "Unavailable", detail: "no route" })
    here.backend = { ...here.world.backend, layer: () => Layer.effectContext(Effect.fail(away)) }
    const degraded = await json("can-deploy", id)
    assert.deepEqual(
      [degraded.code, degraded.value.degraded, degraded.value.degradedReason, degraded.value.canDeploy],
      [0, true, "open: no route", true]
    )
    assert.match((await run("can-deploy", id)).stdout, /degraded: only the providers were asked/)
    const listed = expectExit(await run("list", "--json"), 6)
    assert.match(errorOf(listed).hint, /signalbox can-deploy/)
    here.world.cloud.fail({ operation: "observe", times: 9, reason: { _tag: "Unavailable", message: "no answer" } })
    assert.strictEqual(errorOf(expectExit(await run("can-deploy", id, "--json"), 6)).code, "no_answer")
  })
})
