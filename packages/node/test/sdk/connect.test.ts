import { ConflictError, InterruptedError } from "@signalbox/node"
import { connect } from "@signalbox/node"
import { DeploymentId, EnvironmentName, StackName } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { temporaryDirectory } from "../support/directory.ts"
import { collect, configuration, connected, deployed, endless, environment, rejected, seen } from "./support.ts"

const start = async () => {
  const world = await connected()
  const deploymentId = await deployed(world.signalbox, endless)
  return { ...world, deploymentId, request: { configuration: endless, deploymentId, environment, version: "2.0.0" } }
}

describe("the Promise facade", () => {
  it("creates a deployment, plans, deploys and reports the state", async () => {
    const { signalbox } = await connected()
    const config = configuration()
    const { deploymentId } = await signalbox.deployments.init({ configuration: config })
    const request = { configuration: config, deploymentId, environment, version: "1.0.0" }
    expect((await signalbox.plan(request)).map(({ name, plan }) => [name, plan?.action])).toEqual([["web", "create"]])

    const execution = await signalbox.deploy({ ...request, correlationId: "first", reason: "because" })
    expect(execution).toMatchObject({ correlationId: "first", joined: false })
    expect(await execution.done).toMatchObject({
      status: "completed",
      triggeredBy: "ada",
      reason: "because",
      version: "1.0.0"
    })
    expect(await execution.state()).toEqual(await execution.done)

    const again = await signalbox.deploy({ ...request, correlationId: "first" })
    expect(again.joined).toBe(true)
    expect((await again.done).status).toBe("completed")

    const next = await signalbox.deployStack({ ...request, version: "2.0.0", stack: "web" })
    expect((await next.done).status).toBe("completed")
    expect(await signalbox.deployments.get(deploymentId)).toMatchObject({
      project: "shop",
      inEnvironments: [{ environment, status: "deployed", stacks: [{ name: "web", release: { version: "2.0.0" } }] }]
    })
    const observed = await signalbox.deployments.observe(request)
    expect(observed).toMatchObject([{ name: "web", observation: { stable: { version: "2.0.0" } } }])

    expect((await (await signalbox.rollback(request)).done).stacks[0]?.release?.version).toBe("1.0.0")
    expect((await (await signalbox.destroyStack({ ...request, stack: "web" })).done).status).toBe("completed")
    expect((await (await signalbox.destroy(request)).done).status).toBe("completed")
    const page = await signalbox.executions.list({ deploymentId, environment, limit: 2 })
    expect(page.items.map(({ kind }) => kind)).toEqual(["destroy", "destroy-stack"])
    const rest = await signalbox.executions.list({ deploymentId, cursor: page.next!, until: new Date() })
    expect(rest.items.map(({ kind }) => kind)).toEqual(["rollback", "deploy-stack", "deploy"])
  })

  it("rolls back to an execution, and says which ones it can go back to", async () => {
    const { signalbox } = await connected()
    const config = configuration()
    const { deploymentId } = await signalbox.deployments.init({ configuration: config })
    const request = { configuration: config, deploymentId, environment }
    for (const version of ["1.0.0", "2.0.0", "3.0.0"]) {
      await (
        await signalbox.deploy({ ...request, version, correlationId: `d${version[0]}` })
      ).done
    }
    const { items } = await signalbox.executions.list({ deploymentId })
    expect(items.map(({ correlationId, restorable }) => [correlationId, restorable])).toEqual([
      ["d3", false],
      ["d2", true],
      ["d1", true]
    ])
    const back = await (await signalbox.rollback({ ...request, to: "1.0.0" })).done
    expect(back).toMatchObject({ status: "completed", to: "d1", stacks: [{ release: { version: "1.0.0" } }] })
    expect(await rejected(signalbox.rollback({ ...request, to: "0.9.0" }))).toMatchObject({ code: "unknown_target" })
  })

  it("takes an artifact for all stacks, or one for each", async () => {
    const { signalbox } = await connected()
    const config = configuration()
    const { deploymentId } = await signalbox.deployments.init({ configuration: config })
    const request = { configuration: config, deploymentId, environment, version: "1.0.0" }
    const artifactOf = async (artifact: string | Record<string, string>) =>
      (await signalbox.plan({ ...request, artifact })).map(({ plan }) => plan?.candidate.artifact)
    expect(await artifactOf("./all")).toEqual(["./all"])
    expect(await artifactOf({ web: "./web" })).toEqual(["./web"])
    expect(await rejected(signalbox.deploy({ ...request, artifact: { wep: "./web" } }))).toMatchObject({
      code: "artifact_without_stack",
      hint: expect.stringContaining('"web"')
    })
    expect(await rejected(signalbox.deploy({ ...request, artifact: { "no name": "./web" } }))).toMatchObject({
      code: "input_invalid"
    })
  })

  it("reads the logs of the stacks, and follows them until it is stopped", async () => {
    const { cloud, signalbox } = await connected(undefined, {}, { capabilities: { logs: true } })
    const deploymentId = await deployed(signalbox)
    const ref = {
      deploymentId: DeploymentId.make(deploymentId),
      environment: EnvironmentName.make(environment),
      stack: StackName.make("web"),
      properties: {}
    }
    const write = (text: string) => Effect.runPromise(cloud.write(ref, text))
    await write("one")
    await write("two")
    const place = { deploymentId, environment }
    const [line, ...others] = await collect(signalbox.deployments.logs({ ...place, stack: "web", lines: 1 }))
    expect(line).toMatchObject({ stack: "web", version: "1.0.0", text: "two", at: expect.any(Date) })
    expect(others).toEqual([])

    const stop = new AbortController()
    const seen: Array<string> = []
    const following = (async () => {
      for await (const { text } of signalbox.deployments.logs({ ...place, follow: true, signal: stop.signal })) {
        seen.push(text)
        if (text === "two") await write("three")
        if (text === "three") stop.abort()
      }
    })()
    await following
    expect(seen).toEqual(["one", "two", "three"])

    const wrong = (options: object) => rejected(collect(signalbox.deployments.logs({ ...place, ...options })))
    expect(await wrong({ release: "9.0.0" })).toMatchObject({ code: "unknown_release" })
    expect(await wrong({ stack: "wep" })).toMatchObject({ code: "unknown_stack" })
    expect(await wrong({ lines: 0 })).toMatchObject({ code: "input_invalid", path: "lines" })
    const { signalbox: without } = await connected()
    const other = await deployed(without)
    expect(await rejected(collect(without.deployments.logs({ deploymentId: other, environment })))).toMatchObject({
      code: "logs_unsupported"
    })
  })

  it("makes nothing in its folder before something is written", async () => {
    const directory = temporaryDirectory(onTestFinished)
    const { signalbox } = await connected(join(directory, "state"))
    expect((await signalbox.executions.list()).items).toEqual([])
    expect(existsSync(join(directory, "state"))).toBe(false)
  })
})

describe("replay", () => {
  it("judges the record again, by another gate", async () => {
    const { signalbox } = await connected()
    const deploymentId = await deployed(signalbox)
    const { correlationId } = (await signalbox.executions.list({ deploymentId })).items[0]!
    expect(await signalbox.executions.replay(correlationId)).toMatchObject({
      changed: false,
      replayed: { kind: "passes" }
    })
    const strict = await signalbox.executions.replay(correlationId, {
      gate: { maxErrorCount: 0, minSamples: 5 },
      strategy: "canary"
    })
    expect(strict.recorded.kind).toBe("passes")
    expect((await rejected(signalbox.executions.replay("nothing")))._tag).toBe("NotFoundError")
    const wrong = signalbox.executions.replay(correlationId, { gate: { maxErorCount: 0 } as never })
    expect(await rejected(wrong)).toMatchObject({ _tag: "ConfigurationError", path: "maxErorCount" })
  })
})

describe("rejections", () => {
  it("reports all mistakes of a configuration, and does nothing", async () => {
    const { signalbox } = await connected()
    const broken = { ...configuration(), stacks: [{ name: "web", provider: "nowhere" }], projct: "x" } as never
    const error = await rejected(signalbox.deployments.init({ configuration: broken }))
    if (error._tag !== "ConfigurationError") throw error
    expect(error.issues.map(({ path }) => path)).toEqual(["projct", "stacks[0].provider"])
    expect(error).toMatchObject({ code: "configuration_invalid", path: "projct", isRetryable: false })
    expect(error.hint).toBeTypeOf("string")
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({
      error: { code: error.code, message: error.message, hint: error.hint, path: error.path }
    })
  })

  it("distinguishes errors by their tag, with code, hint and path", async () => {
    const { signalbox } = await connected()
    const config = configuration()
    const request = { configuration: config, deploymentId: "DX6604E", environment }
    const told = async (promise: Promise<unknown>) => {
      const { _tag, code, name, path } = await rejected(promise)
      return [_tag, name, code, path]
    }
    const invalid = ["InvalidInputError", "InvalidInputError"]
    expect(await told(signalbox.deploy({ ...request, deploymentId: "x" }))).toEqual([
      ...invalid,
      "input_invalid",
      "deploymentId"
    ])
    expect(await told(signalbox.deploy({ ...request, environment: "prod" }))).toEqual([
      ...invalid,
      "unknown_environment",
      "environments"
    ])
    expect(await told(signalbox.executions.attach("no such id"))).toEqual([
      ...invalid,
      "input_invalid",
      "correlationId"
    ])
    expect(await told(signalbox.deploy(request))).toEqual([
      "NotFoundError",
      "NotFoundError",
      "unknown_deployment",
      undefined
    ])
    expect((await rejected(signalbox.executions.attach("nothing")))._tag).toBe("NotFoundError")
    expect((await rejected(signalbox.deployments.get("DX6604E")))._tag).toBe("NotFoundError")
    expect((await rejected(signalbox.executions.command("nothing", "abort")))._tag).toBe("NotFoundError")
    const events = signalbox.executions.events("nothing")[Symbol.asyncIterator]()
    expect((await rejected(events.next()))._tag).toBe("NotFoundError")

    const deploymentId = await deployed(signalbox)
    const conflict = await rejected(signalbox.deployments.init({ configuration: config, deploymentId }))
    expect(conflict).toMatchObject({ _tag: "ConflictError", code: "deployment_exists" })
  })

  it("names the blocking execution", async () => {
    const { request, signalbox } = await start()
    const running = await signalbox.deploy(request)
    const error = await rejected(signalbox.deploy({ ...request, version: "3.0.0" }))
    expect(error).toMatchObject({ _tag: "BlockedError", isRetryable: true, lease: { holder: running.correlationId } })
  })

  it("reports an unavailable store", async () => {
    const refused = connect({ url: "postgres://nobody@127.0.0.1:1/none", providers: [] })
    expect(await rejected(refused)).toMatchObject({
      _tag: "StoreFailedError",
      reason: "Unavailable",
      isRetryable: true
    })
  })
})

describe("an AbortSignal", () => {
  it("does nothing in a call that is already aborted", async () => {
    const { signalbox } = await connected()
    const reason = new Error("too late")
    const error = await rejected(
      signalbox.deployments.init({
        configuration: configuration(),
        deploymentId: "DX6604E",
        signal: AbortSignal.abort(reason)
      })
    )
    expect(error).toBeInstanceOf(InterruptedError)
    expect(error).toMatchObject({ name: "AbortError", cause: reason })
    expect((await rejected(signalbox.deployments.get("DX6604E")))._tag).toBe("NotFoundError")
  })

  it("pauses an execution as Ctrl-C does: without leases, resumable by any process", async () => {
    const { open, request, signalbox } = await start()
    const stop = new AbortController()
    const execution = await signalbox.deploy({ ...request, signal: stop.signal })
    await seen(execution.events(), "VerdictReached")
    stop.abort()
    expect(await rejected(execution.done)).toBeInstanceOf(InterruptedError)
    expect((await execution.state()).status).toBe("paused")

    const other = await open()
    const attached = await other.executions.attach(execution.correlationId)
    await attached.promote()
    expect((await attached.done).status).toBe("completed")
  })

  it("blocks no other, at whatever moment it comes", async () => {
    const { request, signalbox } = await start()
    for (let turns = 0; turns < 30; turns++) {
      const stop = new AbortController()
      const starting = signalbox.deploy({ ...request, correlationId: `cut-${turns}`, signal: stop.signal })
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
      stop.abort()
      const execution = await starting.catch((error: unknown) => {
        expect(error).toBeInstanceOf(InterruptedError)
        return undefined
      })
      if (execution !== undefined) expect(await rejected(execution.done)).toBeInstanceOf(InterruptedError)
    }
    const next = await signalbox.deploy({ ...request, correlationId: "next" })
    await seen(next.events(), "VerdictReached")
    await next.abort()
    expect((await next.done).status).toBe("rolled_back")
  })

  it("is not abort, which rolls back", async () => {
    const { request, signalbox } = await start()
    const execution = await signalbox.deploy(request)
    await seen(execution.events(), "VerdictReached")
    await execution.abort("changed my mind")
    const state = await execution.done
    expect(state.status).toBe("rolled_back")
    expect(state.error?.message).toBe("aborted by ada: changed my mind")
    expect(state.stacks[0]?.release?.version).toBe("1.0.0")
  })
})

describe("events", () => {
  it("come from the first to the last, then end; after a number they go on from there", async () => {
    const { request, signalbox } = await start()
    const execution = await signalbox.deploy(request)
    const all = collect(execution.events())
    await seen(execution.events(), "VerdictReached")
    await execution.promote({ stack: "web" })
    const events = await all
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    expect(events[0]?.event._tag).toBe("ExecutionRequested")
    expect(events.at(-1)?.event).toMatchObject({ _tag: "ExecutionTransitioned", on: "completed" })
    const rest = await collect(signalbox.executions.events(execution.correlationId, { after: events.length - 2 }))
    expect(rest).toEqual(events.slice(-2))
    expect(await collect(signalbox.executions.events(execution.correlationId, { after: events.length }))).toEqual([])
  })

  it("are read at the reader's pace, and none is lost", async () => {
    const { request, signalbox } = await start()
    const execution = await signalbox.deploy(request)
    const iterator = execution.events()[Symbol.asyncIterator]()
    const first = await iterator.next()
    await seen(execution.events(), "VerdictReached")
    await execution.promote()
    const last = await execution.done
    expect(first.value).toMatchObject({ seq: 1 })
    const rest = await collect({ [Symbol.asyncIterator]: () => iterator })
    expect(rest.map(({ seq }) => seq)).toEqual(rest.map((_, index) => index + 2))
    expect(rest.at(-1)?.at).toBeGreaterThanOrEqual(last.finishedAt!.getTime())
  })

  it("give back what they hold when the loop is left, the signal is aborted or the connection closed", async () => {
    const { request, signalbox } = await start()
    const { correlationId } = await signalbox.deploy(request)
    const stop = new AbortController()
    const aborted = signalbox.executions.events(correlationId, { signal: stop.signal })[Symbol.asyncIterator]()
    const closed = signalbox.executions.events(correlationId)[Symbol.asyncIterator]()
    const left = signalbox.executions.events(correlationId)[Symbol.asyncIterator]()
    const drain = async (iterator: AsyncIterator<unknown>) => {
      for (;;) if ((await iterator.next()).done === true) return
    }
    const aborting = rejected(drain(aborted))
    const closing = rejected(drain(closed))
    await left.next()
    expect(await left.return?.()).toEqual({ done: true, value: undefined })
    expect(await left.next()).toEqual({ done: true, value: undefined })
    stop.abort(new Error("enough"))
    expect((await aborting).cause).toMatchObject({ message: "enough" })
    expect(await aborted.next()).toEqual({ done: true, value: undefined })
    await signalbox.close()
    expect(await closing).toBeInstanceOf(InterruptedError)
  })
})

describe("close", () => {
  it("pauses running executions, once, and rejects later calls", async () => {
    const { open, request, signalbox } = await start()
    const execution = await signalbox.deploy(request)
    await seen(execution.events(), "VerdictReached")
    await Promise.all([signalbox.close(), signalbox.close()])
    expect(await rejected(execution.done)).toBeInstanceOf(InterruptedError)
    expect(await rejected(execution.state())).toBeInstanceOf(ConflictError)
    const events = signalbox.executions.events(execution.correlationId)[Symbol.asyncIterator]()
    expect(await rejected(events.next())).toBeInstanceOf(ConflictError)
    const other = await open()
    expect((await other.executions.get(execution.correlationId)).status).toBe("paused")
    // No lease is left: another execution gets the environment at once.
    const next = await other.deploy({ ...request, version: "3.0.0" })
    await next.abort()
    await next.done
    const [requested] = await collect(next.events())
    expect(requested?.event).toMatchObject({ supersedes: execution.correlationId })
  })

  it("is what `await using` does", async () => {
    const { directory, request } = await start()
    let kept
    {
      await using signalbox = await connect({ directory, providers: [], by: "ada" })
      kept = signalbox
      expect((await signalbox.deployments.get(request.deploymentId)).deploymentId).toBe(request.deploymentId)
    }
    expect(await rejected(kept.deployments.get(request.deploymentId))).toBeInstanceOf(ConflictError)
  })
})
