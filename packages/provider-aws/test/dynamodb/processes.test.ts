/**
 * Many processes on one table. `SIGNALBOX_PROCESSES=50` and `SIGNALBOX_APPENDS=200` make it more than a test runs.
 */
import { layerPlugin } from "@signalbox/core/plugin"
import { DeploymentStore, type StoredEvent } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"
import { openStore } from "../../src/dynamodb/store.ts"
import { endpoint } from "../emulator.ts"
import { freshTable } from "./tables.ts"

const worker = fileURLToPath(new URL("worker.ts", import.meta.url))
const processes = Number(process.env["SIGNALBOX_PROCESSES"] ?? 5)
const appends = Number(process.env["SIGNALBOX_APPENDS"] ?? 20)
const rounds = 3
const isLarge = process.env["SIGNALBOX_PROCESSES"] !== undefined

interface Worker {
  readonly child: ChildProcess
  readonly ended: Promise<string>
}

const begin = (...args: ReadonlyArray<string>): Worker => {
  const child = spawn(process.execPath, ["--conditions=@signalbox/source", worker, ...args], {
    stdio: ["ignore", "pipe", "pipe"]
  })
  const closed = new Promise<number | null>((resolve) => void child.on("close", resolve))
  const ended = Promise.all([closed, text(child.stdout!), text(child.stderr!)]).then(([code, out, err]) => {
    if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${err}`)
    return out
  })
  return { child, ended }
}

const names = Array.from({ length: processes }, (_, n) => `w${n}`)

const within = <A, E>(url: string, effect: Effect.Effect<A, E, DeploymentStore>) =>
  Effect.runPromise(
    Effect.provide(effect, layerPlugin({ load: openStore }, url, { directory: ".", stateDirectory: ".signalbox" }))
  )

describe.skipIf(endpoint === undefined)(
  "many processes on one table",
  { timeout: isLarge ? 1_800_000 : 240_000 },
  () => {
    it("append without a loss, and without a gap for a reader that follows", async () => {
      const { url } = await freshTable()
      const began = performance.now()
      const workers = names.map((name) => begin("append", url, name, `${appends}`))
      const total = processes * (appends + 1)
      const following = within(
        url,
        Effect.gen(function* () {
          const store = yield* DeploymentStore
          const seen: Array<StoredEvent> = []
          while (seen.length < total) {
            seen.push(...(yield* store.events({ after: seen.at(-1)?.position ?? 0 })))
            yield* Effect.sleep("20 millis")
          }
          return seen
        })
      )
      const took = (await Promise.all(workers.map(({ ended }) => ended))).flatMap(
        (out) => JSON.parse(out) as Array<number>
      )
      const lasted = (performance.now() - began) / 1_000
      const seen = await following
      assert.strictEqual(seen.length, total)
      for (const name of names) {
        const own = seen.filter(({ stream }) => stream === name)
        assert.deepEqual(
          own.map(({ seq }) => seq),
          own.map((_, index) => index + 1)
        )
      }
      assert.strictEqual(new Set(seen.map(({ position }) => position)).size, total)
      const again = await within(
        url,
        Effect.flatMap(DeploymentStore, (store) => store.events({ limit: 10_000 }))
      )
      assert.deepEqual(
        again.map(({ position }) => position),
        seen.map(({ position }) => position)
      )
      took.sort((left, right) => left - right)
      const at = (share: number) => took[Math.floor(took.length * share)]!.toFixed(0)
      if (isLarge) console.log(`${total} appends in ${lasted.toFixed(1)} s; p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`)
    })

    it("never hold one lease together, though some of them are stopped longer than it lasts", async () => {
      const { url } = await freshTable()
      const folder = mkdtempSync(join(tmpdir(), "signalbox-leases-"))
      const trail = join(folder, "trail")
      writeFileSync(trail, "")
      const ttl = 1_500
      const workers = names.map((name) => begin("hold", url, name, `${rounds}`, `${ttl}`, trail))
      let isOver = false
      const all = Promise.all(workers.map(({ ended }) => ended)).finally(() => (isOver = true))
      let stops = 0
      while (!isOver) {
        const { child } = workers[Math.floor(Math.random() * workers.length)]!
        if (child.exitCode === null) {
          child.kill("SIGSTOP")
          stops += 1
          await Promise.race([sleep(Math.random() * 2 * ttl), all])
          child.kill("SIGCONT")
        }
        await sleep(20)
      }
      await all
      interface Line {
        readonly fence: number
        readonly from?: number
        readonly until?: number
        readonly left?: number
      }
      const held = new Map<number, Line>()
      for (const line of readFileSync(trail, "utf8").trim().split("\n")) {
        const one = JSON.parse(line) as Line
        held.set(one.fence, { ...held.get(one.fence), ...one })
      }
      rmSync(folder, { recursive: true })
      const order = [...held.values()].sort((left, right) => left.fence - right.fence)
      assert.lengthOf(order, processes * rounds)
      assert.isAbove(stops, 0)
      for (const [index, next] of order.slice(1).entries()) {
        const before = order[index]!
        const end = Math.min(before.until!, before.left!)
        assert.isAtLeast(next.from!, end, `${next.fence} began before ${before.fence} was over`)
      }
      const events = await within(
        url,
        Effect.flatMap(DeploymentStore, (store) => store.events({ limit: 10_000 }))
      )
      const fences = events.flatMap(({ id }) => /^under (\d+)$/.exec(id)?.[1] ?? []).map(Number)
      assert.deepEqual(
        fences,
        [...fences].sort((left, right) => left - right)
      )
      if (isLarge) console.log(`${order.length} leases, ${stops} stops`)
    })
  }
)
