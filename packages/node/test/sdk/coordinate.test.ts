import { ConflictError, InterruptedError } from "@signalbox/node"
import type { AdmissionProgress } from "@signalbox/core/api"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { temporaryDirectory } from "../support/directory.ts"
import { until } from "../support/until.ts"
import { configuration, connected, deployed, endless, environment, rejected, seen } from "./support.ts"

const project = "acme/shop"
const place = { project, environment }

/** A running deployment that only ends when it is aborted. */
const busy = async () => {
  const world = await connected()
  const deploymentId = await deployed(world.signalbox, endless)
  const request = { configuration: endless, deploymentId, environment }
  const running = await world.signalbox.deploy({ ...request, version: "2.0.0" })
  await seen(running.events(), "VerdictReached")
  return { ...world, deploymentId, request, running, next: { ...request, configuration: configuration() } }
}

describe("the queue", () => {
  it("makes a deployment wait for the previous one", async () => {
    const { next, running, signalbox } = await busy()
    const second = await signalbox.deploy({ ...next, version: "3.0.0", queue: "fifo", correlationId: "second" })
    expect((await second.state()).status).toBe("queued")
    await running.abort()
    expect((await running.done).status).toBe("rolled_back")
    expect(await second.done).toMatchObject({ status: "completed", version: "3.0.0" })
  })

  it("gives up after the time given, and leaves nothing behind", async () => {
    const { next, running, signalbox } = await busy()
    const second = await signalbox.deploy({ ...next, version: "3.0.0", queue: "fifo", queueTimeout: 50 })
    const error = await rejected(second.done)
    expect(error).toMatchObject({
      _tag: "QueueTimeoutError",
      name: "TimeoutError",
      code: "queue_timeout",
      message: "still queued after 50ms",
      correlationId: second.correlationId,
      isRetryable: true
    })
    expect(await second.state()).toMatchObject({ status: "cancelled", error: { code: "queue_timeout" } })
    expect((await signalbox.locks.show(next)).queue).toEqual([])
    expect((await running.state()).status).toBe("in_progress")
  })

  it("does not give up if it was admitted in time", async () => {
    const { signalbox } = await connected()
    const deploymentId = await deployed(signalbox)
    const request = { configuration: configuration(), deploymentId, environment, version: "2.0.0" }
    const execution = await signalbox.deploy({ ...request, queue: "fifo", queueTimeout: 60_000 })
    expect((await execution.done).status).toBe("completed")
  })

  it("is left by a process that stops waiting, at whatever moment", async () => {
    const { next, signalbox } = await busy()
    for (let turns = 0; turns < 20; turns++) {
      const stop = new AbortController()
      const options = { ...next, queue: "fifo", correlationId: `cut-${turns}`, signal: stop.signal } as const
      const starting = signalbox.deploy(options)
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
      stop.abort()
      const execution = await starting.catch((error: unknown) => {
        expect(error).toBeInstanceOf(InterruptedError)
        return undefined
      })
      if (execution !== undefined) expect(await rejected(execution.done)).toBeInstanceOf(InterruptedError)
    }
    expect((await signalbox.locks.show(next)).queue).toEqual([])
  })

  it("replaces waiting requests with `latest_wins`", async () => {
    const { next, signalbox } = await busy()
    const second = await signalbox.deploy({ ...next, version: "3.0.0", queue: "fifo" })
    const third = await signalbox.deploy({ ...next, version: "4.0.0", queue: "latest_wins" })
    expect(await second.done).toMatchObject({ status: "cancelled", error: { code: "overtaken" } })
    expect((await signalbox.locks.show(next)).queue.map(({ correlationId }) => correlationId)).toEqual([
      third.correlationId
    ])
  })
})

describe("blockers", () => {
  it("comes with the refusal: all of it, with dates", async () => {
    const { next, running, signalbox } = await busy()
    await signalbox.locks.hold({ ...next, reason: "maintenance", until: new Date(Date.now() + 60_000) })
    const error = await rejected(signalbox.deploy({ ...next, version: "3.0.0" }))
    if (error._tag !== "BlockedError") throw error
    expect(error.blockers.map(({ kind, who }) => [kind, who])).toEqual([
      ["lease", running.correlationId],
      ["lock", "ada"]
    ])
    expect(error.blockers[0]?.since).toBeInstanceOf(Date)
    expect(error.blockers[1]?.clearsAt?.point.getTime()).toBeGreaterThan(Date.now())
  })

  it("are listed without changing anything", async () => {
    const { next, running, signalbox } = await busy()
    const answer = await signalbox.canDeploy({ ...next, version: "3.0.0" })
    expect(answer).toMatchObject({ canDeploy: false, degraded: false, degradedReason: null, queue: { length: 0 } })
    expect(answer.blockers).toMatchObject([{ kind: "lease", who: running.correlationId }])
    expect(answer.checkedAt).toBeInstanceOf(Date)
    expect(await signalbox.canDeploy({ ...next, environment: "staging" })).toMatchObject({ canDeploy: true })
  })

  it("are none for an unknown project, and asking creates none", async () => {
    const directory = join(temporaryDirectory(onTestFinished), "state")
    const { signalbox } = await connected(directory)
    expect(await signalbox.canDeploy({ ...place, version: "1.0.0" })).toMatchObject({ canDeploy: true, blockers: [] })
    expect(await signalbox.locks.show(place)).toMatchObject({ lease: null, lock: null, queue: [] })
    expect(existsSync(directory)).toBe(false)
  })

  it("include a newer commit that was deployed before, without an override", async () => {
    const { signalbox } = await connected()
    const deploymentId = await deployed(signalbox)
    const request = { configuration: configuration(), deploymentId, environment }
    const newer = { commit: "beef", committedAt: new Date("2026-11-21T10:00:00Z") }
    const older = { commit: "cafe", committedAt: new Date("2026-11-21T09:00:00Z"), workflowRun: "42" }
    await (
      await signalbox.deploy({ ...request, version: "2.0.0", origin: newer })
    ).done
    const refused = await rejected(signalbox.deploy({ ...request, version: "1.5.0", origin: older }))
    expect(refused).toMatchObject({ code: "blocked_by_stale_order", blockers: [{ kind: "stale_order" }] })
    const override = "the newer one is broken"
    const forced = await signalbox.deploy({ ...request, version: "1.5.0", origin: older, override })
    expect(await forced.done).toMatchObject({
      status: "completed",
      override,
      commit: "cafe",
      committedAt: older.committedAt,
      workflowRun: "42"
    })
  })
})

describe("a turn", () => {
  it("is registered, waited for and given back, from any connection", async () => {
    const { open, signalbox } = await connected()
    const other = await open()
    const first = await signalbox.queue.register({ ...place, correlationId: "first", version: "1.0.0" })
    expect(first).toMatchObject({ correlationId: "first", status: "queued", position: 1, duplicate: false })
    expect((await signalbox.queue.register({ ...place, correlationId: "first", version: "1.0.0" })).duplicate).toBe(
      true
    )
    const turn = await signalbox.queue.waitForAdmission("first", { holdMs: 60_000 })
    expect(turn.turnAt).toBeInstanceOf(Date)

    const second = await other.queue.register({ ...place, correlationId: "second" })
    expect(second).toMatchObject({ deploymentId: first.deploymentId, position: 1, ahead: ["first"] })
    const told: Array<AdmissionProgress> = []
    const waiting = other.queue.waitForAdmission("second", {
      intervalMs: 20,
      onProgress: (progress) => {
        told.push(progress)
        throw new Error("a mistake of the caller")
      }
    })
    await until("it was told twice", () => told.length > 1)
    expect(told[0]).toMatchObject({ position: 1, ahead: ["first"], blockers: [{ kind: "lease", who: "first" }] })
    const done = { correlationId: "first", was: "queued", now: "completed", released: true }
    expect(await other.queue.cleanup("first", { status: "succeeded", reason: "it is out" })).toEqual(done)
    expect((await waiting).correlationId).toBe("second")
    expect(await signalbox.queue.cleanup("first")).toEqual({ ...done, was: "completed", released: false })
    expect(await signalbox.queue.cleanup("none")).toEqual({
      correlationId: "none",
      was: null,
      now: null,
      released: false
    })
  })

  it("is kept for a process that stops waiting", async () => {
    const { signalbox } = await connected()
    await signalbox.queue.register({ ...place, correlationId: "first" })
    await signalbox.queue.waitForAdmission("first")
    const origin = { commit: "c0ffee", workflowRun: "https://ci.example/runs/2" }
    await signalbox.queue.register({ ...place, correlationId: "second", origin })
    const stop = new AbortController()
    const waiting = signalbox.queue.waitForAdmission("second", {
      signal: stop.signal,
      intervalMs: 1,
      onProgress: () => stop.abort()
    })
    expect(await rejected(waiting)).toMatchObject({
      _tag: "InterruptedError",
      message: "interrupted: the place in the queue is kept"
    })
    expect((await signalbox.locks.show(place)).queue).toMatchObject([
      { correlationId: "second", kind: "run", ...origin }
    ])
    await signalbox.queue.cleanup("first")
    expect((await signalbox.queue.waitForAdmission("second")).correlationId).toBe("second")
  })

  it("never happens after a withdrawal", async () => {
    const { signalbox } = await connected()
    await signalbox.queue.register({ ...place, correlationId: "first" })
    await signalbox.queue.waitForAdmission("first")
    await signalbox.queue.register({ ...place, correlationId: "second" })
    let waits = false
    const onProgress = () => (waits = true)
    const waiting = rejected(signalbox.queue.waitForAdmission("second", { intervalMs: 1, onProgress }))
    await until("it waits", () => waits)
    await signalbox.queue.register({ ...place, correlationId: "third", queue: "latest_wins" })
    const error = await waiting
    expect(error).toBeInstanceOf(ConflictError)
    expect(error).toMatchObject({ code: "overtaken", isRetryable: false })
    expect((await rejected(signalbox.queue.waitForAdmission("nobody")))._tag).toBe("NotFoundError")
  })

  it("of a deployment is carried on by attaching to it", async () => {
    const { signalbox } = await connected()
    const deploymentId = await deployed(signalbox)
    const request = { configuration: configuration(), deploymentId, environment, version: "2.0.0" }
    const { correlationId } = await signalbox.queue.register({ ...request, kind: "deploy" })
    await signalbox.queue.waitForAdmission(correlationId)
    const execution = await signalbox.executions.attach(correlationId)
    expect(await execution.done).toMatchObject({ status: "completed", kind: "deploy", version: "2.0.0" })
  })
})

describe("what people decide", () => {
  it("keeps a version out until the veto is lifted", async () => {
    const { signalbox } = await connected()
    const deploymentId = await deployed(signalbox)
    const request = { configuration: configuration(), deploymentId, environment, version: "6.6.6" }
    const veto = { deploymentId, version: "6.6.6", reason: "it loses orders" }
    const [one] = await signalbox.veto({ ...veto, by: "grace" })
    expect(one).toMatchObject({ version: "6.6.6", environment: null, by: "grace", reason: "it loses orders" })
    expect(one?.since).toBeInstanceOf(Date)
    const error = await rejected(signalbox.deploy(request))
    expect(error).toMatchObject({ code: "blocked_by_veto", blockers: [{ kind: "veto", who: "grace" }] })
    expect((await signalbox.deploy({ ...request, override: "it is for a demo" })).joined).toBe(false)
    expect(await signalbox.liftVeto(veto)).toEqual([])
    expect(await rejected(signalbox.liftVeto(veto))).toMatchObject({ _tag: "ConflictError", code: "not_vetoed" })
    expect(await signalbox.veto({ ...veto, environment: "staging" })).toMatchObject([{ environment: "staging" }])
    const unknown = signalbox.veto({ ...veto, deploymentId: "DX6604E" })
    expect((await rejected(unknown))._tag).toBe("NotFoundError")
  })

  it("vetoes versions of a project without a configuration too", async () => {
    const { signalbox } = await connected()
    await signalbox.veto({ project, version: "6.6.6", reason: "it loses orders" })
    expect(await signalbox.canDeploy({ ...place, version: "6.6.6" })).toMatchObject({ blockers: [{ kind: "veto" }] })
    expect(await signalbox.canDeploy({ ...place, version: "6.6.7" })).toMatchObject({ canDeploy: true })
  })

  it("locks an environment, and unlocks it", async () => {
    const { signalbox } = await connected()
    const end = new Date(Date.now() + 3_600_000)
    const held = await signalbox.locks.hold({ ...place, reason: "the database is moved", until: end, by: "grace" })
    expect(held).toMatchObject({ environment, lease: null, lock: { environment, by: "grace", until: end } })
    expect((await signalbox.canDeploy(place)).blockers).toMatchObject([{ kind: "lock", clearsAt: { point: end } }])
    const other = { ...place, reason: "me too", by: "ada" }
    await expect(signalbox.locks.hold(other)).rejects.toMatchObject({
      code: "already_locked",
      message: expect.stringContaining("already locked by grace: the database is moved")
    })
    expect((await signalbox.locks.hold({ ...other, force: true })).lock).toMatchObject({ by: "ada", until: null })
    expect((await signalbox.locks.release({ ...place, reason: "it is there" })).lock).toBeNull()
    const again = signalbox.locks.release({ ...place, reason: "it is there" })
    expect(await rejected(again)).toMatchObject({ _tag: "ConflictError", code: "not_locked" })
  })

  it("revokes a lease of any holder", async () => {
    const { next, running, signalbox } = await busy()
    const shown = await signalbox.locks.show(next)
    expect(shown.lease).toMatchObject({ holder: running.correlationId, dead: false })
    expect(shown.lease?.expiresAt.getTime()).toBeGreaterThan(Date.now())
    const revoked = await signalbox.locks.revoke({ ...next, reason: "it hangs" })
    expect(revoked?.holder).toBe(running.correlationId)
    expect((await rejected(running.done))._tag).toBe("LeaseLostError")
    expect(await signalbox.locks.revoke({ ...next, reason: "once more" })).toBeNull()
  })
})

describe("an estimate", () => {
  it("estimates an execution, and is null after its end", async () => {
    const { running, signalbox } = await busy()
    expect(await signalbox.executions.estimate(running.correlationId)).toMatchObject({
      coverage: 0.8,
      basis: expect.any(String)
    })
    await running.abort()
    await running.done
    expect(await signalbox.executions.estimate(running.correlationId)).toBeNull()
    expect((await rejected(signalbox.executions.estimate("nothing")))._tag).toBe("NotFoundError")
  })
})

describe("wrong input", () => {
  it("is refused with its path, and nothing is written", async () => {
    const { signalbox } = await connected()
    const deploymentId = await deployed(signalbox)
    const config = configuration()
    const told = async (promise: Promise<unknown>) => {
      const { _tag, code, path } = await rejected(promise)
      expect(_tag).toBe("InvalidInputError")
      return [code, path]
    }
    const reason = "because"
    const target = { configuration: config, deploymentId, environment }
    expect(await told(signalbox.queue.register({ deploymentId, environment: "prod" }))).toEqual([
      "unknown_environment",
      "environment"
    ])
    expect(await told(signalbox.queue.register({ project: "a/b/c", environment }))).toEqual([
      "input_invalid",
      "project"
    ])
    expect(await told(signalbox.queue.register({ project: "acme/ shop", environment }))).toEqual([
      "input_invalid",
      "project"
    ])
    expect(await told(signalbox.queue.register({ environment } as never))).toEqual(["input_invalid", "deploymentId"])
    expect(await told(signalbox.queue.register({ ...place, kind: "deploy" }))).toEqual([
      "configuration_missing",
      "configuration"
    ])
    expect(await told(signalbox.queue.register({ ...target, kind: "deploy-stack" }))).toEqual([
      "stack_missing",
      "stacks"
    ])
    expect(await told(signalbox.queue.register({ ...place, queue: "lifo" as never }))).toEqual([
      "input_invalid",
      "queue"
    ])
    expect(await told(signalbox.queue.register({ ...place, override: "" }))).toEqual(["input_invalid", "override"])
    const never = { committedAt: new Date(Number.NaN) }
    expect(await told(signalbox.queue.register({ ...place, origin: never }))).toEqual([
      "input_invalid",
      "origin.committedAt"
    ])
    expect(await told(signalbox.deploy({ ...target, queueTimeout: -1 }))).toEqual(["input_invalid", "queueTimeout"])
    expect(await told(signalbox.locks.hold({ ...place, reason: "" }))).toEqual(["input_invalid", "reason"])
    expect(await told(signalbox.veto({ project, version: "", reason }))).toEqual(["input_invalid", "version"])
    expect(await told(signalbox.queue.waitForAdmission("first", { holdMs: Number.NaN }))).toEqual([
      "input_invalid",
      "holdMs"
    ])
    expect((await signalbox.executions.list()).items).toHaveLength(1)
    expect((await signalbox.deployments.get(deploymentId)).environments).toEqual(["production", "staging"])
  })
})
