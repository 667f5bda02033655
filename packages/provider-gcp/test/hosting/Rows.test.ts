/**
 * What happens between the steps of a deployment: to its files, its channel, its version, and by others.
 */
import type { ProviderError } from "@signalbox/core/spi"
import { testMutation } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { afterEach, assert, beforeEach, describe, expect, it } from "vitest"
import { ApiError, retryInfo, startGcpSimulator } from "../../src/testing/index.ts"
import {
  candidate,
  deploy,
  type Platform,
  platform,
  project,
  providerOf,
  ref,
  refOf,
  shown,
  site,
  write
} from "./platform.ts"

let here: Platform
beforeEach(async () => {
  here = await platform()
})
afterEach(() => here.close())

const run = Effect.runPromise
const reasonOf = async (call: Effect.Effect<unknown, ProviderError>) => (await run(Effect.flip(call))).reason

const staging = async (version: string, key: string) => {
  const provider = providerOf(here)
  const plan = await run(provider.plan(ref, candidate(version)))
  return { plan, stage: provider.stage(ref, { plan, capacityPercent: 100 }, testMutation(key)) }
}

const shift = (id: string, key: string) =>
  providerOf(here).traffic!.shift(ref, { releaseId: id, percent: 100 }, testMutation(key))

const count = (method: string) => here.simulator.calls.filter((call) => call.method === method && !call.failed).length

/** Waits until a call has arrived. */
const arrived = async (method: string, times = 1) => {
  while (here.simulator.calls.filter((call) => call.method === method).length < times) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe("files", () => {
  it("are sent once for each content, in batches, and only if the platform lacks them", async () => {
    const many = Object.fromEntries(Array.from({ length: 2_100 }, (_, n) => [`many/${n}.txt`, `content ${n % 1_500}`]))
    write(here.directory, many)
    await run((await staging("many", "first")).stage)
    assert.strictEqual(count("PopulateFiles"), 3)
    assert.strictEqual(count("UploadFile"), 1_500)
    write(here.directory, { "many/new.txt": "new" })
    await run((await staging("many", "second")).stage)
    assert.strictEqual(count("UploadFile"), 1_501)
  })

  it("that are there already count as sent", async () => {
    here.simulator.fault({ method: "UploadFile", nth: 1, lost: true })
    await run((await staging("v1", "lost")).stage)
    expect(here.simulator.calls.filter(({ failed }) => failed === "ALREADY_EXISTS")).toHaveLength(1)
    assert.strictEqual(count("CreateVersion"), 1)
  })

  it("that were changed since the plan, or while they are sent, are not released", async () => {
    const { stage } = await staging("v1", "changed")
    write(here.directory, { "v1/index.html": "changed" })
    expect(await reasonOf(stage)).toMatchObject({ _tag: "Changed", field: "files" })
    assert.strictEqual(count("CreateVersion"), 0)

    const later = await staging("v2", "later")
    here.simulator.fault({ method: "CreateVersion", nth: 1, delayed: 300 })
    const fiber = Effect.runFork(Effect.flip(later.stage))
    await arrived("CreateVersion", 0)
    while (count("ListVersions") < 3) await new Promise((resolve) => setImmediate(resolve))
    write(here.directory, { "v2/index.html": "changed" })
    const { reason } = await run(Fiber.join(fiber))
    expect(reason).toMatchObject({ _tag: "Changed" })
    assert.strictEqual(count("CreateRelease"), 0)
  })

  it("of a folder that firebase.json does not want are left out", async () => {
    const { hosting } = here.simulator
    write(here.directory, { "v1/.secret": "x", "v1/firebase-debug.log": "x", "v1/sub/.dot/file": "x" })
    await deploy(here, "v1")
    assert.deepStrictEqual(Object.keys(hosting.files(hosting.versions(site)[0]!.name)), [
      "/index.html",
      "/sub/.dot/file",
      "/v1.txt"
    ])
  })
})

describe("commands of predeploy", () => {
  const settings = (predeploy: string) =>
    write(here.directory, { "firebase.json": JSON.stringify({ hosting: { public: "built", predeploy } }) })
  const planned = (mutation = true) =>
    providerOf(here).plan(ref, { version: "v1" }, ...(mutation ? [testMutation("plan")] : []))

  it("build the site, in an execution only", async () => {
    settings('mkdir -p built && echo "$GCLOUD_PROJECT $RESOURCE_DIR" > built/index.html')
    const preview = await run(planned(false))
    expect(preview.warnings.join()).toContain("predeploy runs first")
    const plan = await run(planned())
    await run(providerOf(here).stage(ref, { plan, capacityPercent: 100 }, testMutation("stage")))
    await run(shift(plan.candidate.id, "shift"))
    assert.strictEqual(await shown(here), `${project} ${here.directory}/built\n`)
  })

  it("that fail end the deployment, with what they said", async () => {
    settings("echo no such thing; exit 3")
    expect(await reasonOf(planned())).toMatchObject({
      _tag: "Broken",
      message: expect.stringMatching(/echo no such thing; exit 3 ended with 3\nno such thing$/)
    })
    assert.deepStrictEqual(here.simulator.changes, [])
  })
})

describe("a candidate", () => {
  it("whose channel has expired is not released, and is staged again without an upload", async () => {
    await deploy(here, "v1")
    const first = await staging("v2", "first")
    await run(first.stage)
    here.simulator.hosting.later(8 * 24 * 3600)
    expect(await reasonOf(shift(first.plan.candidate.id, "late"))).toMatchObject({ _tag: "Missing" })
    assert.strictEqual(await shown(here), "v1")
    const uploads = count("UploadFile")
    await deploy(here, "v2")
    assert.strictEqual(await shown(here), "v2")
    assert.strictEqual(count("UploadFile"), uploads)
  })

  it("whose upload was abandoned is uploaded again by the same step", async () => {
    const handles = new Map<string, string | null>()
    const provider = providerOf(here)
    const plan = await run(provider.plan(ref, candidate("slow")))
    const stage = provider.stage(ref, { plan, capacityPercent: 100 }, testMutation("stage", { handles }))
    const fiber = Effect.runFork(stage)
    await arrived("UploadFile", 2)
    await run(Fiber.interrupt(fiber))
    here.simulator.hosting.later(13 * 3600)
    await run(stage)
    expect(here.simulator.hosting.versions(site).map(({ status }) => status)).toEqual(["FINALIZED", "ABANDONED"])
    assert.strictEqual(count("UploadFile"), 2)
  })

  it("is not released over what others released since it was staged", async () => {
    await deploy(here, "v1")
    const { plan, stage } = await staging("v2", "stage")
    await run(stage)
    const { version } = await here.simulator.hosting.deploy(site, { "/index.html": "theirs" })
    expect(await reasonOf(shift(plan.candidate.id, "shift"))).toMatchObject({
      _tag: "Changed",
      field: "release",
      is: version!.name.replace(/.*\//, "")
    })
    assert.strictEqual(await shown(here), "theirs")
  })

  it("that was released at the same moment as something else says so", async () => {
    await deploy(here, "v1")
    const { plan, stage } = await staging("v2", "stage")
    await run(stage)
    const before = count("CreateRelease")
    const end = here.simulator.fault({ method: "GetChannel", delayed: 300 })
    const fiber = Effect.runFork(Effect.flip(shift(plan.candidate.id, "shift")))
    while (count("CreateRelease") === before) await new Promise((resolve) => setImmediate(resolve))
    await here.simulator.hosting.deploy(site, { "/index.html": "theirs" })
    expect((await run(Fiber.join(fiber))).reason).toMatchObject({
      _tag: "Conflict",
      message: expect.stringContaining("someone@example.com released")
    })
    end()
    // Repeated as core repeats it, it finds out that the site is another one now.
    expect(await reasonOf(shift(plan.candidate.id, "shift"))).toMatchObject({ _tag: "Changed" })
    assert.strictEqual(await shown(here), "theirs")
  })

  it("waits for as long as the platform asks for", async () => {
    const { stage } = await staging("v1", "stage")
    here.simulator.fault({
      method: "CreateVersion",
      nth: 1,
      refuse: new ApiError("RESOURCE_EXHAUSTED", "Too many requests.", [retryInfo(7)])
    })
    expect(await reasonOf(stage)).toMatchObject({ _tag: "Throttled", retryAfterMs: 7000 })
  })
})

describe("the quota of preview channels", () => {
  it("is made room for by own channels that have expired, and by no others", async () => {
    await here.close()
    const simulator = await startGcpSimulator({ channelLimit: 2 })
    await simulator.hosting.site(project, site)
    here = { ...(await platform()), simulator }
    const channel = (name: string) => refOf({ channel: name })
    const provider = providerOf(here)
    const stage = async (name: string) => {
      const stack = channel(name)
      const plan = await run(provider.plan(stack, candidate("v1")))
      return provider.stage(stack, { plan, capacityPercent: 100 }, testMutation(name))
    }
    await run(await stage("old"))
    simulator.hosting.later(8 * 24 * 3600)
    await simulator.hosting.channel(site, "theirs", 60)
    await run(await stage("new"))
    simulator.hosting.later(120)
    const names = () => simulator.hosting.channels(site).map(({ name }) => name.replace(/.*\//, ""))
    assert.deepStrictEqual(names(), ["new", "theirs", "live"])
    expect(await reasonOf(await stage("more"))).toMatchObject({
      _tag: "Quota",
      hint: expect.stringContaining("hosting:channel:list")
    })
    assert.deepStrictEqual(names(), ["new", "theirs", "live"])
  })
})
