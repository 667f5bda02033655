/**
 * A service of Cloud Run that the sites of several stacks pin, and sites that are deployed by hand.
 */
import type { StackRef } from "@signalbox/core/spi"
import { testMutation } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { afterEach, assert, beforeEach, describe, expect, it } from "vitest"
import { make as cloudRun } from "../../src/cloudrun/CloudRunProvider.ts"
import { firebase, program } from "./firebaseTools.ts"
import { candidate, deploy, type Platform, platform, project, providerOf, ref, site, write } from "./platform.ts"

const region = "europe-west1"
const service = `projects/${project}/locations/${region}/services/api`
const image = (version: string) => `example.com/shop/api:${version}`
const rewrites = [{ source: "/api/**", run: { serviceId: "api", region, pinTag: true } }]

let here: Platform
beforeEach(async () => {
  here = await platform()
  for (const version of ["b1", "b2", "b3"]) here.simulator.push(image(version), { body: version })
  write(here.directory, {
    "firebase.json": JSON.stringify({ hosting: { public: "dist", rewrites } }),
    "dist/index.html": "by hand"
  })
})
afterEach(() => here.close())

const run = Effect.runPromise
const apiRef = { ...ref, stack: "api" as typeof ref.stack, region, properties: { service: "api", project } }
const otherRef: StackRef = { ...ref, stack: "docs" as typeof ref.stack, properties: { site: "docs" } }

/** The version of the backend that a site leads to. */
const backendOf = async (id: string) => (await fetch(`${here.simulator.hosting.live(id)}/api/x`)).text()

const tags = () => here.simulator.service(service)!.traffic.flatMap(({ tag }) => tag ?? [])

const deployBackend = async (version: string) => {
  const { plan, stage, traffic } = cloudRun({
    endpoint: here.simulator.rest,
    transport: "rest",
    poll: { first: 5, most: 50 }
  })
  const planned = await run(plan(apiRef, { version, artifact: image(version) }))
  const { id } = planned.candidate
  const step = (name: string) => testMutation(`${name}-${version}`)
  await run(stage(apiRef, { plan: planned, capacityPercent: 100 }, step("stage")))
  await run(traffic!.shift(apiRef, { releaseId: id, percent: 100 }, step("shift")))
  await run(traffic!.retire(apiRef, { keep: id, capacityPercent: 0 }, step("retire")))
}

/** Brings in v2, lets others pin what it pins, and goes back without ever releasing it. */
const givenUp = async (meanwhile: () => Promise<void>) => {
  const { plan, rollback, stage } = providerOf(here)
  const planned = await run(plan(ref, candidate("v2")))
  await run(stage(ref, { plan: planned, capacityPercent: 100 }, testMutation("given-up")))
  await meanwhile()
  await run(rollback(ref, planned.checkpoint, testMutation("back")))
}

describe("a revision that several sites pin", () => {
  it("keeps its tag while the release of another stack needs it", async () => {
    await here.simulator.hosting.site(project, "docs")
    await deployBackend("b1")
    await deploy(here, "v1")
    await deployBackend("b2")
    await givenUp(async () => {
      const { plan, stage, traffic } = providerOf(here)
      const planned = await run(plan(otherRef, candidate("v1")))
      const { id } = planned.candidate
      await run(stage(otherRef, { plan: planned, capacityPercent: 100 }, testMutation("docs-stage")))
      await run(traffic!.shift(otherRef, { releaseId: id, percent: 100 }, testMutation("docs-shift")))
    })
    await deployBackend("b3")
    await deploy(here, "v2")
    assert.strictEqual(await backendOf(site), "b3")
    assert.strictEqual(await backendOf("docs"), "b2")
    assert.lengthOf(tags(), 3)
  })

  it("loses its tag when no site needs it", async () => {
    await here.simulator.hosting.site(project, "docs")
    await deployBackend("b1")
    await deploy(here, "v1")
    await deployBackend("b2")
    await givenUp(async () => {})
    await deployBackend("b3")
    await deploy(here, "v2")
    assert.lengthOf(tags(), 2)
  })
})

describe.skipIf(program === undefined)("a service whose sites are also deployed by hand", () => {
  const byHand = (id: string) => {
    write(here.directory, { "firebase.json": JSON.stringify({ hosting: { site: id, public: "dist", rewrites } }) })
    const { hosting, rest } = here.simulator
    return firebase({ directory: here.directory, project, url: hosting.url, run: rest }, "deploy", "--only", "hosting")
  }
  const bySignalbox = () =>
    write(here.directory, { "firebase.json": JSON.stringify({ hosting: { public: "dist", rewrites } }) })

  it("keeps the pins of both, and each site keeps its backend", async () => {
    await here.simulator.hosting.site(project, "docs")
    await deployBackend("b1")
    await byHand("docs")
    assert.strictEqual(await backendOf("docs"), "b1")
    expect(tags()).toEqual([expect.stringMatching(/^fh-/)])

    // Its replacement of the whole service is no change of ours, and its tag stays through our deployment.
    await deployBackend("b2")
    assert.strictEqual(await backendOf("docs"), "b1")
    bySignalbox()
    await deploy(here, "v1")
    assert.deepStrictEqual([await backendOf(site), await backendOf("docs")], ["b2", "b1"])

    // It uses the tag of ours that is there already, and adds one where there is none.
    await byHand("docs")
    assert.deepStrictEqual([await backendOf(site), await backendOf("docs")], ["b2", "b2"])
    await deployBackend("b3")
    await byHand("docs")
    assert.deepStrictEqual([await backendOf(site), await backendOf("docs")], ["b2", "b3"])
    assert.strictEqual(await fetch(here.simulator.service(service)!.uri!).then((answer) => answer.text()), "b3")
    expect(
      tags()
        .map((tag) => tag.slice(0, 3))
        .sort()
    ).toEqual(["fh-", "fh-", "sb-"])

    bySignalbox()
    await deploy(here, "v2")
    assert.deepStrictEqual([await backendOf(site), await backendOf("docs")], ["b3", "b3"])
    expect(
      tags()
        .map((tag) => tag.slice(0, 3))
        .sort()
    ).toEqual(["fh-", "fh-", "sb-", "sb-"])
  })
})
