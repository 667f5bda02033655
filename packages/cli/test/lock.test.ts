import { assert, describe, it } from "vitest"
import { coordinated, errorOf, expectExit, json, occupied, run, runIn, start } from "./coordinating.ts"

describe("what people decide", () => {
  coordinated()

  describe("lock", () => {
    it("is made, shown and released", async () => {
      expectExit(await run("lock", "hold", "--reason", "moving"), 0)
      const shown = await json("lock", "show")
      assert.deepInclude(shown.value.lock, { by: "ada", reason: "moving", until: null })
      assert.strictEqual(shown.value.lease, null)
      expectExit(await run("deploy", "--version", "v1"), 2)
      assert.deepEqual((await json("active")).value.locks[0].reason, "moving")
      assert.match((await run("active")).stdout, /DX6604E production is locked by ada: moving/)
      const released = await json("lock", "release", "--reason", "moved")
      assert.deepEqual([released.value.released, released.value.revoked, released.value.lock], [true, null, null])
      const events = await json("events", "--audit", "--type", "EnvironmentUnlocked")
      assert.deepInclude(events.value.events[0].data, { reason: "moved", by: "ada" })
    })

    it("does not replace another person's lock, except by force", async () => {
      expectExit(await run("lock", "hold", "--reason", "moving"), 0)
      const refused = expectExit(await run("lock", "hold", "--reason", "mine now", "--by", "bob", "--json"), 1)
      assert.strictEqual(errorOf(refused).code, "already_locked")
      assert.strictEqual(errorOf(refused).message, "DX6604E production is already locked by ada: moving")
      assert.include(errorOf(refused).hint, "--force")
      assert.deepInclude((await json("lock", "show")).value.lock, { by: "ada", reason: "moving" })
      // One's own is replaced.
      const longer = await json("lock", "hold", "--reason", "still moving")
      assert.deepInclude(longer.value.replaced, { by: "ada", reason: "moving" })
      const taken = expectExit(await run("lock", "hold", "--reason", "mine now", "--by", "bob", "--force"), 0)
      assert.include(taken.stdout, "before, it was locked by ada: still moving")
      assert.deepInclude((await json("lock", "show")).value.lock, { by: "bob", reason: "mine now" })
    })

    it("rejects releasing a lock that does not exist, and says what would be needed", async () => {
      const free = expectExit(await run("lock", "release", "--reason", "x", "--json"), 1)
      assert.strictEqual(errorOf(free).code, "not_locked")
      await occupied("one")
      const held = errorOf(expectExit(await run("lock", "release", "--reason", "x", "--json"), 1))
      assert.match(held.message, /DX6604E production is not locked by a person; one holds the lease/)
      assert.include(held.hint, "--force")
      const revoked = await json("lock", "release", "--reason", "x", "--force")
      assert.deepEqual([revoked.code, revoked.value.revoked.holder, revoked.value.lease], [0, "one", null])
    })

    it("shows the waiting requests in order, rollbacks first", async () => {
      await occupied("one")
      expectExit(await run("register", "--correlation-id", "two"), 0)
      expectExit(await run("register", "--correlation-id", "back", "--kind", "rollback"), 0)
      const waiting = start("wait", "two", "--timeout", "1s", "--interval", "100ms")
      await waiting.said(/in the queue/)
      const { stdout } = await run("lock", "show")
      assert.match(stdout, /◌ one holds the lease on DX6604E production \(run by bob\) since/)
      assert.match(stdout, /\n1st +back +rollback [^]*\n2nd +two +run /)
      expectExit(await waiting.ended, 124)
    })

    it.each(["soon", "2020-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "0 seconds"])(
      "is not made until %j",
      async (until) => {
        expectExit(await run("lock", "hold", "--reason", "x", "--until", until), 64)
        assert.strictEqual((await json("lock", "show")).value.lock, null)
      }
    )
  })

  it("a veto keeps a version out, in one environment or in all, until it is lifted", async () => {
    expectExit(await runIn({ SIGNALBOX_ENVIRONMENT: "" }, "veto", "v2", "--reason", "loses orders"), 0)
    assert.strictEqual(expectExit(await run("deploy", "--version", "v2", "--json"), 2).stdout, "")
    const wrong = expectExit(await run("veto", "v2", "--lift", "--reason", "fixed", "--json"), 1)
    assert.include(errorOf(wrong).hint, "in every environment")
    const lifted = expectExit(await runIn({ SIGNALBOX_ENVIRONMENT: "" }, "veto", "v2", "--lift", "--reason", "ok"), 0)
    assert.include(lifted.stdout, "is lifted")

    const here = expectExit(await run("veto", "v2", "--reason", "loses orders here"), 0)
    const lift = "signalbox veto v2 DX6604E --environment production --lift"
    assert.include(here.stdout, lift)
    const blocked = expectExit(await run("can-deploy", "--version", "v2", "--explain"), 2)
    assert.include(blocked.stdout, lift)
    expectExit(await run(...lift.split(" ").slice(1), "--reason", "fixed"), 0)
    expectExit(await run("deploy", "--version", "v2"), 0)
  })
})
