import { assert, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import * as http from "node:http"
import * as Effect from "effect/Effect"
import { WebSocket } from "ws"
import { type Answer, bench, deploy, mutation, send, until } from "./harness.ts"

const megabyte = Buffer.alloc(1 << 20, "body")
const megabyteDigest = createHash("sha256").update(megabyte).digest("hex")

/** Requests of all kinds, one after the other in each of a few lanes, until told to stop. */
const load = (url: string) => {
  const failures: Array<string> = []
  const counts: Record<string, number> = {}
  let stopped = false
  /** After a switch returned, the release that has to answer whatever is sent from then on. */
  let only: string | undefined
  const stale: Array<string> = []
  const lane = async (kind: string, once: () => Promise<string | undefined>) => {
    while (!stopped) {
      const expected = only
      const before = Date.now()
      try {
        const version = await once()
        counts[kind] = (counts[kind] ?? 0) + 1
        if (expected !== undefined && version !== undefined && version !== expected && only === expected) {
          stale.push(`${kind} ${version} instead of ${expected}`)
        }
      } catch (error) {
        failures.push(`${kind} after ${Date.now() - before} ms: ${String(error)}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
  const ok = (answer: Answer) => {
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`)
    return answer.headers["x-version"] as string
  }
  const lanes = [
    ...Array.from({ length: 4 }, () => lane("get", async () => ok(await send(`${url}/`)))),
    lane("slow get", async () => ok(await send(`${url}/?wait=100`))),
    lane("post", async () => {
      const answer = await send(`${url}/`, { method: "POST" }, megabyte)
      const version = ok(answer)
      if (answer.body !== megabyteDigest) throw new Error("the body arrived changed")
      return version
    }),
    lane("stream", async () => {
      const answer = await send(`${url}/stream?chunks=20`)
      const version = ok(answer)
      if (answer.body.length !== 20 * 16 * 1024) throw new Error("the stream was cut")
      return version
    }),
    lane("websocket", async () => {
      await echo(url, 5)
      return undefined
    })
  ]
  return {
    failures,
    counts,
    stale,
    expect: (version: string | undefined) => {
      only = version
    },
    stop: async () => {
      stopped = true
      await Promise.all(lanes)
    }
  }
}

const echo = (url: string, times: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url.replace("http", "ws"))
    let left = times
    socket.once("error", reject)
    socket.on("open", () => socket.send(`hello ${left}`))
    socket.on("message", (data) => {
      if (data.toString() !== `hello ${left}`) reject(new Error(`echoed ${data.toString()}`))
      left -= 1
      if (left === 0) socket.close()
      else setTimeout(() => socket.send(`hello ${left}`), 10)
    })
    socket.once("close", () => (left === 0 ? resolve() : reject(new Error(`closed with ${left} echoes to go`))))
  })

describe("the proxy of a local stack", () => {
  it.live(
    "fails no request while releases are switched and drained",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { provider, ref } = yield* bench
          const stack = ref("web")
          yield* deploy(provider, stack, "v0")
          const url = String((yield* provider.observe(stack)).outputs["url"])
          const traffic = load(url)
          for (let round = 1; round <= 6; round++) {
            const version = `v${round}`
            const plan = yield* provider.plan(stack, { version })
            const releaseId = plan.candidate.id
            yield* provider.stage(stack, { plan, capacityPercent: 100 }, mutation(`stage-${round}`))
            traffic.expect(undefined)
            yield* provider.traffic!.shift(stack, { releaseId, percent: 50 }, mutation(`half-${round}`))
            yield* provider.traffic!.shift(stack, { releaseId, percent: 100 }, mutation(`shift-${round}`))
            traffic.expect(version)
            yield* provider.traffic!.retire(stack, { keep: releaseId, capacityPercent: 0 }, mutation(`retire-${round}`))
          }
          yield* Effect.promise(traffic.stop)
          assert.deepStrictEqual(traffic.failures, [])
          assert.deepStrictEqual(traffic.stale, [])
          for (const kind of ["get", "slow get", "post", "stream", "websocket"])
            assert.isAbove(traffic.counts[kind]!, 5, kind)
        })
      ),
    240_000
  )

  it.live("lets requests in flight finish before it stops a process, and waits no longer than `drain`", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { provider, ref } = yield* bench
        const stack = ref("web", { drain: "10 seconds", grace: "200 millis", instances: 1 })
        yield* deploy(provider, stack, "v1")
        const url = String((yield* provider.observe(stack)).outputs["url"])
        const slow = send(`${url}/?wait=3000`)
        const hanging = send(`${url}/hang`, { method: "POST" }, Buffer.from("x"))
        yield* Effect.promise(() =>
          until("both requests are in flight", async () => (await send(`${url}/in-flight`)).body === "2")
        )
        yield* deploy(provider, stack, "v2")
        assert.strictEqual((yield* Effect.promise(() => slow)).body, "v1")
        assert.strictEqual((yield* Effect.promise(() => hanging)).status, 502)
      })
    )
  )

  it.live("keeps serving from the other instances when one dies, and starts it again", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { provider, ref } = yield* bench
        const stack = ref("web")
        yield* deploy(provider, stack, "v1")
        const url = String((yield* provider.observe(stack)).outputs["url"])
        const pids = () =>
          Effect.map(provider.observe(stack), ({ resources }) =>
            resources.flatMap(({ reason }) => /pid (\d+)/.exec(reason ?? "")?.[1] ?? []).map(Number)
          )
        const [victim] = yield* pids()
        process.kill(victim!, "SIGKILL")
        for (let request = 0; request < 200; request++) {
          const answer = yield* Effect.promise(() => send(`${url}/`))
          assert.strictEqual(answer.status, 200)
        }
        const isHealthy = Effect.map(provider.observe(stack), ({ health }) =>
          Object.values(health).every(({ healthy, total }) => healthy === total)
        )
        yield* Effect.promise(() => until("all instances are healthy", () => Effect.runPromise(isHealthy)))
        const seen = yield* provider.observe(stack)
        assert.isTrue(seen.resources.some(({ reason }) => reason?.includes("restarted 1 times")))
        assert.notInclude(yield* pids(), victim!)
      })
    )
  )

  it.live("answers 503 in JSON if none is ready, and counts failures against its release", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { provider, ref } = yield* bench
        const stack = ref("web")
        const plan = yield* provider.plan(stack, { version: "v1" })
        const seen = yield* provider.stage(stack, { plan, capacityPercent: 100 }, mutation("stage"))
        const url = String(seen.outputs["url"])
        const refused = yield* Effect.promise(() => send(`${url}/`))
        assert.strictEqual(refused.status, 503)
        assert.strictEqual(JSON.parse(refused.body).error.code, "no_ready_upstream")
        yield* provider.traffic!.shift(stack, { releaseId: plan.candidate.id, percent: 100 }, mutation("shift"))
        yield* Effect.promise(() => Promise.all(Array.from({ length: 10 }, () => send(`${url}/fail`))))
        const died = yield* Effect.promise(() =>
          send(`${url}/die`, { method: "POST", agent: new http.Agent() }, Buffer.from("x")).catch(() => undefined)
        )
        assert.strictEqual(died?.status, 502)
        const measured = yield* provider.metrics!.measure(stack, {
          releaseId: plan.candidate.id,
          from: 0,
          to: 60_000
        })
        assert.strictEqual(measured.requests, 11)
        assert.strictEqual(measured.errors, 11)
      })
    )
  )

  it.live("divides requests by weight, to within one of every hundred", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { provider, ref } = yield* bench
        const stack = ref("web")
        yield* deploy(provider, stack, "v1")
        const plan = yield* provider.plan(stack, { version: "v2" })
        yield* provider.stage(stack, { plan, capacityPercent: 50 }, mutation("stage"))
        const seen = yield* provider.traffic!.shift(
          stack,
          { releaseId: plan.candidate.id, percent: 5 },
          mutation("shift")
        )
        const answers = yield* Effect.promise(async () => {
          const versions: Array<string> = []
          for (let request = 0; request < 400; request++)
            versions.push((await send(`${String(seen.outputs["url"])}/`)).body)
          return versions
        })
        for (let start = 0; start + 100 <= answers.length; start++) {
          const share = answers.slice(start, start + 100).filter((version) => version === "v2").length
          assert.isAtMost(Math.abs(share - 5), 1)
        }
      })
    )
  )
})
