import { assert, it } from "@effect/vitest"
import { CorrelationId, DeploymentStore, LeaseStore } from "@signalbox/core/spi"
import { embeddedStore } from "@signalbox/node"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll } from "vitest"
import { startChild } from "../support/child.ts"
import { temporaryDirectory } from "../support/directory.ts"

const writers = Array.from({ length: 6 }, (_, n) => `writer-${n}`)
const count = 60

it.live(
  "takes the writes of several processes at once, from the making of the file on, and shows them soon to another",
  () => {
    const directory = temporaryDirectory(afterAll)
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const total = 1 + writers.length * (count + count / 10)
      const late: Array<number> = []
      let after = 0
      const children = writers.map((name) => startChild("writer.ts", [directory, name, `${count}`]))
      // Reads on after each pulse, as `watch` does.
      yield* Stream.mapEffect(store.changes, () => store.events({ stream: "shared", after })).pipe(
        Stream.tap((events) =>
          Effect.sync(() => {
            late.push(...events.map(({ at }) => Date.now() - at))
            after = events.at(-1)?.position ?? after
          })
        ),
        Stream.takeUntil(() => late.length >= total),
        Stream.runDrain,
        Effect.timeout("100 seconds")
      )
      yield* Effect.promise(() => Promise.all(children.map(({ output }) => output)))

      const shared = yield* store.events({ stream: "shared" })
      assert.strictEqual(shared.length, total)
      assert.deepStrictEqual(
        shared.map(({ seq }) => seq),
        shared.map((_, index) => index + 1)
      )
      assert.strictEqual(late.length, total)
      for (const name of writers) {
        const own = yield* store.events({ stream: name })
        assert.deepStrictEqual(
          own.map(({ seq }) => seq),
          Array.from({ length: count + 1 }, (_, n) => n + 1)
        )
        assert.strictEqual((yield* store.execution(CorrelationId.make(name)))?.by, name)
      }
      const fences = shared.flatMap(({ id }) => / held (\d+)$/.exec(id)?.[1] ?? []).map(Number)
      assert.deepStrictEqual(
        fences,
        [...new Set(fences)].sort((left, right) => left - right)
      )
      assert.strictEqual(fences.length, writers.length * (count / 10))

      const trail = readFileSync(join(directory, "trail"), "utf8").trim().split("\n")
      for (let line = 0; line < trail.length; line += 2) {
        const [enter, leave] = [trail[line]!, trail[line + 1]!]
        assert.strictEqual(`${enter.replace("enter", "leave")}`, leave)
      }
      assert.strictEqual(trail.length, 2 * fences.length)
      late.sort((left, right) => left - right)
      assert.isBelow(late[Math.floor(late.length / 2)]!, 10_000)
    }).pipe(Effect.provide(embeddedStore({ directory })))
  }
)

it.live("loses nothing that was acknowledged, and blocks no process, when writers are killed", () => {
  const directory = temporaryDirectory(afterAll)
  mkdirSync(directory, { recursive: true })
  return Effect.gen(function* () {
    const store = yield* DeploymentStore
    const leases = yield* LeaseStore
    for (let round = 0; round < 4; round++) {
      const name = `killed-${round}`
      const child = startChild("writer.ts", [directory, name, "100000"])
      yield* Stream.mapEffect(store.changes, () => store.events({ stream: name })).pipe(
        Stream.takeUntil((events) => events.length > 5 + round * 7),
        Stream.runDrain,
        Effect.timeout("100 seconds")
      )
      child.process.kill("SIGKILL")
      yield* Effect.promise(() => child.output)
      const seqs = (yield* store.events({ stream: name, limit: 10_000 })).map(({ seq }) => seq)
      assert.deepStrictEqual(
        seqs,
        seqs.map((_, index) => index + 1)
      )
      const held = yield* leases.get("one at a time")
      if (held !== undefined && held.expiresAt > 0) {
        const lease = yield* leases.acquire({
          key: held.key,
          holder: "heir",
          owner: "test",
          ttl: Duration.minutes(1),
          evict: held.fence
        })
        yield* leases.release(lease)
      }
    }
    const shared = yield* store.events({ stream: "shared", limit: 10_000 })
    assert.deepStrictEqual(
      shared.map(({ seq }) => seq),
      shared.map((_, index) => index + 1)
    )
  }).pipe(Effect.provide(embeddedStore({ directory })))
})
