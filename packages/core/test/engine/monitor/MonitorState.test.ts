import { causeInfo, errorInfo } from "@signalbox/core/spi"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import type { Event, StoredEvent } from "../../../src/domain/index.ts"
import * as Monitor from "../../../src/engine/monitor/MonitorState.ts"
import * as StallDetection from "../../../src/engine/monitor/StallDetection.ts"
import { correlationId, requested, stacks } from "../../domain/arbitraries.ts"

const stallAfterMs = 600_000
const limits: StallDetection.AlertLimits = { stallAfterMs, overdueAfterMs: 3_600_000 }

/** A log that drops an event whose id it already has. */
class Log {
  readonly events: Array<StoredEvent> = []

  append(at: number, id: string, event: Event): void {
    if (this.events.some((known) => known.id === id)) return
    const position = this.events.length + 1
    const { deploymentId, environment } = requested("deploy")
    this.events.push({ stream: correlationId, seq: position, position, deploymentId, environment, id, at, event })
  }

  get told(): ReadonlyArray<string> {
    return this.events.flatMap(({ event }) => (event._tag === "AlertRaised" ? [event.kind] : []))
  }
}

const begin = () => {
  const log = new Log()
  log.append(0, "requested", requested("deploy"))
  log.append(0, "execution/started", { _tag: "ExecutionTransitioned", on: "started" })
  return log
}

/** A monitor as a process: it remembers what it has seen until it is killed. */
const monitorOf = (log: Log, given: StallDetection.AlertLimits = limits) => {
  let state = Monitor.initial
  const due = (now: number) => {
    for (const event of log.events.slice(state.position)) {
      state = Monitor.observeEvent(state, event, Math.min(event.at, now))
    }
    return StallDetection.dueAlerts(state, now, given)
  }
  const look = (now: number): void => {
    let before: number
    do {
      before = log.events.length
      for (const { event, id } of due(now)) log.append(now, id, event)
    } while (log.events.length > before)
  }
  return { due, look }
}

const progress = (message: string): Event => ({ _tag: "ProgressReported", stack: stacks.api, message })
const minutes = (count: number) => count * 60_000

const upTo = (maximum: number) => Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum })))
const what = ["progress", "look", "look", "half", "half", "kill", "pause", "resume"] as const
/** Events after some minutes, of the execution or of its watchers, and which of them. */
const moments = Arbitrary.array(Arbitrary.all([upTo(16), upTo(what.length - 1), upTo(1)]), {
  minLength: 10,
  maxLength: 40
})

describe("alerts of a monitor", () => {
  it.prop(
    "are raised once, by two monitors however often they are killed, and the same as by one that never is",
    [moments],
    ([all]) => {
      const log = begin()
      const alone = begin()
      const both = [log, alone]
      const never = monitorOf(alone)
      const two = [monitorOf(log), monitorOf(log)]
      let now = 0
      let paused = false
      for (const [n, [after, which, who]] of all.entries()) {
        now += minutes(after)
        switch (what[which]!) {
          case "progress":
            for (const one of both) one.append(now, `progress/${n}`, progress(`${n}`))
            break
          case "pause":
          case "resume":
            if (paused === (what[which] === "pause")) break
            paused = !paused
            for (const one of both) {
              one.append(now, `paused/${n}`, { _tag: "ExecutionTransitioned", on: paused ? "paused" : "resumed" })
            }
            break
          case "look":
            two[who]!.look(now)
            never.look(now)
            break
          case "kill":
            two[who] = monitorOf(log)
            break
          case "half": {
            // Both have decided before either has written; one of them is killed in the middle of it.
            const first = two[0]!.due(now)
            const second = two[1]!.due(now + 1)
            never.look(now)
            now += 1
            for (const { event, id } of first.slice(0, 1)) log.append(now, id, event)
            two[0] = monitorOf(log)
            for (const { event, id } of second) log.append(now, id, event)
            two[1]!.look(now)
            never.look(now)
          }
        }
      }
      for (const one of both) one.append(now + 1, "end", { _tag: "ExecutionTransitioned", on: "completed" })
      two[0]!.look(now + 1)
      two[1]!.look(now + 1)
      never.look(now + 1)

      const ids = (one: Log) => one.events.flatMap(({ event, id }) => (event._tag === "AlertRaised" ? [id] : []))
      assert.deepStrictEqual(ids(log).toSorted(), ids(alone).toSorted())
      assert.strictEqual(new Set(ids(log)).size, ids(log).length)
      assert.strictEqual(log.told.filter((what) => what === "succeeded").length, 1)
      assert.isAtMost(log.told.filter((what) => what === "overdue").length, 1)
      // Each stall is followed by a word that things move, but for the last one.
      const stalls = log.told.filter((what) => what === "stalled").length
      const moves = log.told.filter((what) => what === "recovered").length
      assert.isTrue(stalls - moves === 0 || stalls - moves === 1, `${stalls} stalls, ${moves} times moving`)
    }
  )

  it("is a stall from ten minutes without an event on, and not before", () => {
    const log = begin()
    const monitor = monitorOf(log)
    monitor.look(minutes(10) - 1)
    assert.deepStrictEqual(log.told, [])
    monitor.look(minutes(10))
    monitor.look(minutes(11))
    assert.deepStrictEqual(log.told, ["stalled"])
    log.append(minutes(12), "progress", progress("on"))
    monitor.look(minutes(12))
    assert.deepStrictEqual(log.told, ["stalled", "recovered"])
    monitor.look(minutes(22))
    assert.deepStrictEqual(log.told, ["stalled", "recovered", "stalled"])
  })

  it("is no stall while people are waited for, or a turn", () => {
    const asked = begin()
    asked.append(minutes(1), "question", {
      _tag: "ApprovalRequested",
      stack: stacks.api,
      question: causeInfo("canary_ready", { version: "2", weight: 10 }),
      expiresAt: minutes(120),
      otherwise: "abort"
    })
    const queued = new Log()
    queued.append(0, "requested", { ...requested("deploy"), queue: "fifo" })
    for (const log of [asked, queued]) {
      monitorOf(log).look(minutes(100))
      assert.notInclude(log.told, "stalled")
    }
  })

  it("does not count the time in which people were waited for as long work", () => {
    const log = begin()
    log.append(minutes(1), "paused", { _tag: "ExecutionTransitioned", on: "paused" })
    log.append(minutes(100), "resumed", { _tag: "ExecutionTransitioned", on: "resumed" })
    const monitor = monitorOf(log)
    monitor.look(minutes(109))
    assert.deepStrictEqual(log.told, [])
    log.append(minutes(150), "progress", progress("on"))
    monitor.look(minutes(159))
    assert.deepStrictEqual(log.told, ["overdue"])
  })

  it("names the stage that lasts longer than those before it, though events go on", () => {
    const log = begin()
    log.append(0, "stage/api", { _tag: "StageTransitioned", stage: "deployment", on: "started", stack: stacks.api })
    const monitor = monitorOf(log, {
      ...limits,
      unusual: ({ stage }, _execution, elapsedMs) =>
        stage === "deployment" && elapsedMs > minutes(3) ? { threshold: minutes(3), n: 20 } : undefined
    })
    for (let minute = 1; minute < 8; minute++) {
      log.append(minutes(minute), `progress/${minute}`, progress(`${minute}`))
      monitor.look(minutes(minute))
    }
    assert.deepStrictEqual(log.told, ["stalled"])
    const [stalled] = log.events.flatMap(({ event }) => (event._tag === "AlertRaised" ? [event] : []))
    assert.strictEqual(stalled!.stack, stacks.api)
    assert.deepInclude(stalled, {
      stall: "stage",
      stage: "deployment",
      elapsedMs: minutes(4),
      thresholdMs: minutes(3),
      n: 20
    })
    log.append(minutes(8), "stage/api/end", {
      _tag: "StageTransitioned",
      stage: "deployment",
      on: "succeeded",
      stack: stacks.api
    })
    monitor.look(minutes(8))
    assert.deepStrictEqual(log.told, ["stalled", "recovered"])
  })

  it("names the resource that takes longer than others of its type, until it is done or its stage over", () => {
    const seen = (resource: string, done?: boolean): Event => ({
      _tag: "ProgressReported",
      stack: stacks.api,
      message: resource,
      resource,
      resourceType: "Database",
      ...(done === undefined ? {} : { done })
    })
    const log = begin()
    const stage = (on: "started" | "succeeded"): Event => ({
      _tag: "StageTransitioned",
      stage: "deployment",
      on,
      stack: stacks.api
    })
    log.append(0, "stage/api", stage("started"))
    const monitor = monitorOf(log, {
      ...limits,
      unusual: ({ resource }, _execution, elapsedMs) =>
        resource?.type === "Database" && elapsedMs > minutes(3) ? { threshold: minutes(3), n: 20 } : undefined
    })
    log.append(0, "quick", seen("quick"))
    log.append(minutes(1), "slow", seen("slow"))
    log.append(minutes(2), "quick/done", seen("quick", true))
    log.append(minutes(3), "slow/again", seen("slow"))
    monitor.look(minutes(4))
    assert.deepStrictEqual(log.told, [])
    monitor.look(minutes(5))
    const [stalled] = log.events.flatMap(({ event }) => (event._tag === "AlertRaised" ? [event] : []))
    assert.deepInclude(stalled, { resource: "slow", resourceType: "Database", elapsedMs: minutes(4), n: 20 })
    log.append(minutes(6), "slow/done", seen("slow", true))
    monitor.look(minutes(6))
    assert.deepStrictEqual(log.told, ["stalled", "recovered"])
    log.append(minutes(6), "third", seen("third"))
    log.append(minutes(7), "stage/api/end", stage("succeeded"))
    monitor.look(minutes(15))
    assert.deepStrictEqual(log.told, ["stalled", "recovered"])
  })

  it("is how it ended and why, once, whichever end it is", () => {
    for (const on of ["failed", "cancelled"] as const) {
      const log = begin()
      log.append(minutes(2), "end", {
        _tag: "ExecutionTransitioned",
        on,
        error: errorInfo("foreign_failed", {})
      })
      monitorOf(log).look(minutes(3))
      monitorOf(log).look(minutes(4))
      const found = log.events.flatMap(({ event }) => (event._tag === "AlertRaised" ? [event] : []))
      assert.deepStrictEqual<ReadonlyArray<ReadonlyArray<unknown>>>(
        found.map(({ elapsedMs, error, execution, kind, status }) => [kind, execution, status, elapsedMs, error?.code]),
        [["failed", "deploy", on, minutes(2), "foreign_failed"]]
      )
    }
  })
})
