/**
 * Hostile clients against a good application, and good clients against a hostile one, through the proxies of one real
 * supervisor. Meanwhile a third stack gets steady traffic, and none of it may be dropped.
 */
import * as http from "node:http"
import * as net from "node:net"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { answerOf } from "../fixtures/fuzz/answers.mjs"
import { chance } from "../fixtures/fuzz/random.mjs"
import { bench, deploy, isAlive, mutation, send, supervisorOf } from "../harness.ts"
import { attemptOf } from "./requests.ts"

export interface Figures {
  readonly exchanges: number
  /** By kind: how many, and how many got an answer. */
  readonly kinds: Readonly<Record<string, { count: number; answered: number }>>
  readonly steady: number
  /** What should not have been, each with the seed that has it again. */
  readonly failures: ReadonlyArray<string>
  readonly supervisorKept: boolean
  readonly milliseconds: number
  /** How long it took to drain all that was left and stop. */
  readonly stopMilliseconds: number
}

const lanes = 24
/** Nothing may be without an end for longer. */
const patience = 20_000

/** The bodies of the received answers, while they have a length. */
const bodiesOf = (received: string): ReadonlyArray<string> => {
  const bodies: Array<string> = []
  for (let at = 0; ;) {
    const end = received.indexOf("\r\n\r\n", at)
    if (end === -1) return bodies
    const head = received.slice(at, end)
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
    if (head.startsWith("HTTP/1.1 200")) bodies.push(received.slice(end + 4, end + 4 + length))
    at = end + 4 + length
  }
}

/** One hostile client; resolves to what was wrong with the answer, or whether there was one. */
const attack = (port: number, seed: number): Promise<string | boolean> =>
  new Promise((resolve) => {
    const attempt = attemptOf(seed)
    const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true })
    let received = ""
    const timer = setTimeout(() => {
      resolve(`no end after ${patience} ms, received ${JSON.stringify(received.slice(0, 200))}`)
      socket.destroy()
    }, patience)
    socket.on("error", () => undefined)
    socket.on("data", (data) => (received += data.toString("latin1")))
    socket.on("end", () => socket.end())
    socket.once("close", () => {
      clearTimeout(timer)
      const got = bodiesOf(received)
      if (received !== "" && !received.startsWith("HTTP/1.1 "))
        resolve(`received ${JSON.stringify(received.slice(0, 200))}`)
      else if (attempt.answered && received === "") resolve("an empty reply")
      else if (attempt.answers.some((body, index) => got[index] !== body))
        resolve(`expected ${attempt.answers.join(" | ")}, received ${JSON.stringify(received.slice(0, 2000))}`)
      else resolve(received !== "")
    })
    const { bytes, leaves, pieces } = attempt
    if (leaves === "deaf") socket.pause()
    const size = Math.max(1, Math.ceil(bytes.length / (pieces + 1)))
    const next = (at: number): void => {
      if (socket.destroyed) return
      if (at < bytes.length) {
        socket.write(bytes.subarray(at, at + size))
        setImmediate(next, at + size)
      } else if (leaves === "half") socket.end()
      else if (leaves === "reset") socket.resetAndDestroy()
      else if (leaves === "deaf") setTimeout(() => socket.resetAndDestroy(), 5)
    }
    socket.once("connect", () => next(0))
  })

const agent = new http.Agent({ keepAlive: true, maxSockets: lanes })

/** One good client of the hostile application. */
const visit = (port: number, seed: number): Promise<string | boolean> =>
  new Promise((resolve) => {
    const answer = answerOf(seed)
    const random = chance(~seed)
    const method = answer.early === true ? "POST" : random.pick(["GET", "GET", "POST", "HEAD"])
    const length = answer.early === true ? 300_000 : random.below(20_000)
    const upgrade = answer.kind === "upgrade" && random.next() < 0.8
    const request = http.request({
      port,
      host: "127.0.0.1",
      path: `/${seed}`,
      agent,
      method: upgrade ? "GET" : method,
      maxHeaderSize: 4 << 20,
      headers: upgrade
        ? { connection: "Upgrade", upgrade: "websocket" }
        : method === "POST"
          ? { "content-length": length }
          : {}
    })
    const timer = setTimeout(() => done(`no end after ${patience} ms`), patience)
    const done = (outcome: string | boolean) => {
      clearTimeout(timer)
      resolve(outcome)
      if (typeof outcome === "string") request.destroy()
    }
    request.on("error", () => done(answer.expects === undefined ? false : "no answer to what was answered well"))
    request.on("upgrade", (_response, socket) => {
      socket.on("error", () => undefined)
      socket.write(random.bytes(random.below(200)))
      setTimeout(() => (random.next() < 0.5 ? socket.destroy() : socket.end()), 3)
      setTimeout(() => socket.destroy(), 50)
      done(true)
    })
    request.on("response", (response) => {
      let body = ""
      response.on("data", (data: Buffer) => (body += data.toString("latin1")))
      response.on("error", () => done(answer.expects === undefined ? true : "an answer that was cut off"))
      response.on("end", () => {
        // A request with a body is not sent twice: if the application left the connection in disorder, it may be lost.
        const lost = response.statusCode === 502 && method === "POST" && /upstream_(closed|invalid)/.test(body)
        const wrong = response.statusCode !== (answer.status ?? 200) || (method !== "HEAD" && body !== answer.expects)
        if (answer.expects !== undefined && wrong && !lost)
          done(`${answer.kind}: received ${response.statusCode} ${body.slice(0, 200)}`)
        else done(true)
      })
    })
    request.end(method === "POST" && !upgrade ? Buffer.alloc(length, "b") : undefined)
  })

/** Runs so many exchanges, half of them on either side of the proxy. */
export const fuzz = (exchanges: number, seed: number, report: (done: number) => void = () => undefined) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { directory, provider, ref } = yield* bench
      const stackOf = (name: string, program: string) =>
        ref(name, {
          artifact: fileURLToPath(new URL("../fixtures/fuzz", import.meta.url)),
          command: ["node", program],
          instances: 1,
          readiness: { path: "/up", timeout: "20 seconds", interval: "1 second" },
          drain: "2 minutes"
        })
      const stacks = [stackOf("attacked", "good.mjs"), stackOf("hostile", "hostile.mjs"), stackOf("steady", "good.mjs")]
      const ports: Array<number> = []
      for (const stack of stacks) {
        yield* deploy(provider, stack, "v1")
        ports.push(Number((yield* provider.observe(stack)).outputs["port"]))
      }
      const [attacked, hostile, calm] = ports as [number, number, number]
      const supervisor = supervisorOf(directory)!

      const failures: Array<string> = []
      const kinds: Record<string, { count: number; answered: number }> = {}
      let steady = 0
      let over = false
      const started = performance.now()
      const steadily = async () => {
        while (!over) {
          const path = `/steady/${++steady}`
          const answer = await send(`http://127.0.0.1:${calm}${path}`).catch((error: Error) => ({
            status: 0,
            body: error.message
          }))
          if (answer.status !== 200 || answer.body !== `GET ${path} 0`)
            failures.push(`steady: ${answer.status} ${answer.body}`)
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
      }
      let given = 0
      const lane = async () => {
        while (given < exchanges && failures.length < 50) {
          const current = given++
          const own = (seed + current) >>> 0
          const side = current % 2 === 0 ? "client" : "application"
          const outcome = await (side === "client" ? attack(attacked, own) : visit(hostile, own))
          const kind = `${side}: ${side === "client" ? attemptOf(own).kind : answerOf(own).kind}`
          const counted = (kinds[kind] ??= { count: 0, answered: 0 })
          counted.count += 1
          if (outcome === true) counted.answered += 1
          if (typeof outcome === "string") failures.push(`${kind}, seed ${own}: ${outcome}`)
          report(current)
        }
      }
      yield* Effect.promise(async () => {
        const calmly = [steadily(), steadily()]
        await Promise.all(Array.from({ length: lanes }, lane))
        over = true
        await Promise.all(calmly)
      })
      const milliseconds = performance.now() - started
      const supervisorKept = supervisorOf(directory) === supervisor && isAlive(supervisor)
      // Requests that count as in flight still hold this up.
      const stopping = performance.now()
      for (const stack of stacks) yield* provider.destroy(stack, mutation(`destroy-${stack.stack}`, 2))
      const stopMilliseconds = performance.now() - stopping
      const figures: Figures = {
        exchanges: given,
        kinds,
        steady,
        failures,
        supervisorKept,
        milliseconds,
        stopMilliseconds
      }
      return figures
    })
  )
