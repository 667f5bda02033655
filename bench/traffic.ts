import { Agent, request } from "node:http"
import { haproxy, httpxy, nginx, type Proxy, signalbox } from "./proxies.ts"
import { quantile, type Row } from "./measure.ts"

const perSecond = 1_000
const switches = 20
const between = 250

interface Outcome {
  readonly name: string
  readonly sent: number
  readonly failed: number
  /** Answered by the release that was switched away from, though asked after the switch had returned. */
  readonly stale: number
  readonly latencies: ReadonlyArray<number>
}

/** Constant load over kept-alive connections, every fifth a POST of 10 kB, while the proxy switches back and forth. */
const measure = async (proxy: Proxy): Promise<Outcome> => {
  const agent = new Agent({ keepAlive: true, maxSockets: 20 })
  const body = "x".repeat(10_000)
  const latencies: Array<number> = []
  let sent = 0
  let failed = 0
  let stale = 0
  let open = 0
  let wanted: "old" | "new" = "old"
  let settled = true
  const send = () => {
    sent += 1
    open += 1
    const expected = settled ? wanted : undefined
    const epoch = changes
    const started = performance.now()
    const post = sent % 5 === 0
    const finish = (text: string | undefined) => {
      open -= 1
      if (text === undefined) failed += 1
      else {
        latencies.push(performance.now() - started)
        if (expected !== undefined && epoch === changes && text !== expected) stale += 1
      }
    }
    const sending = request(
      { host: "127.0.0.1", port: proxy.port, method: post ? "POST" : "GET", agent, timeout: 5_000 },
      (response) => {
        let text = ""
        response.on("data", (data) => (text += String(data)))
        response.on("end", () => finish(response.statusCode === 200 ? text : undefined))
        response.on("error", () => finish(undefined))
      }
    )
    sending.on("error", () => finish(undefined))
    sending.on("timeout", () => sending.destroy(new Error("no answer")))
    sending.end(post ? body : undefined)
  }
  let changes = 0
  const startedAt = performance.now()
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1_000) * perSecond
    while (sent < due) send()
  }, 2)
  for (let n = 0; n < switches; n++) {
    await new Promise((resolve) => setTimeout(resolve, between))
    settled = false
    changes += 1
    wanted = wanted === "old" ? "new" : "old"
    await proxy.switchTo(wanted)
    settled = true
  }
  await new Promise((resolve) => setTimeout(resolve, between))
  clearInterval(timer)
  while (open > 0) await new Promise((resolve) => setTimeout(resolve, 10))
  agent.destroy()
  return { name: proxy.name, sent, failed, stale, latencies }
}

const both = (one: Outcome, other: Outcome): Outcome => ({
  name: one.name,
  sent: one.sent + other.sent,
  failed: one.failed + other.failed,
  stale: one.stale + other.stale,
  latencies: [...one.latencies, ...other.latencies]
})

/** Switches under load: no request is dropped, and none is answered by the old release after the switch returned. */
export const traffic = async (): Promise<ReadonlyArray<Row>> => {
  const outcomes: Array<Outcome> = []
  // In turns, so that a slow moment of the machine does not hit one of them alone.
  for (const make of [signalbox, httpxy, nginx, haproxy, signalbox, httpxy, signalbox, httpxy]) {
    const proxy = await make()
    if (proxy === undefined) {
      console.log(`  ${make.name} is not installed here: left out`)
      continue
    }
    try {
      const measured = await measure(proxy)
      const before = outcomes.findIndex(({ name }) => name === measured.name)
      if (before === -1) outcomes.push(measured)
      else outcomes[before] = both(outcomes[before]!, measured)
    } finally {
      await proxy.stop()
    }
  }
  const bare = outcomes.find(({ name }) => name === "bare httpxy")
  return outcomes.map(({ failed, latencies, name, sent, stale }): Row => {
    const value = quantile(latencies, 0.5)
    return {
      group: "traffic",
      what: `${name}: p50 while switching`,
      value,
      unit: "ms",
      note: `${sent} requests, ${failed} failed, ${stale} stale; p99 ${quantile(latencies, 0.99).toFixed(2)}`,
      ...(name === "signalbox" && bare !== undefined
        ? { against: "bare httpxy", ratio: value / quantile(bare.latencies, 0.5), goal: 1.2 }
        : {})
    }
  })
}
