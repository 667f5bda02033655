/**
 * Rewrites that are pinned to a revision of Cloud Run.
 */
import { testMutation } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { afterEach, assert, beforeEach, describe, expect, it } from "vitest"
import { make as cloudRun } from "../../src/cloudrun/CloudRunProvider.ts"
import { candidate, deploy, type Platform, platform, project, providerOf, ref, refOf, site, write } from "./platform.ts"

const region = "europe-west1"
const parent = `projects/${project}/locations/${region}`
const service = `${parent}/services/api`
const image = (version: string) => `example.com/shop/api:${version}`
const latest = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"

let here: Platform
beforeEach(async () => {
  here = await platform()
  for (const version of ["b1", "b2", "b3"]) here.simulator.push(image(version), { body: version })
  const run = { serviceId: "api", region, pinTag: true }
  write(here.directory, {
    "firebase.json": JSON.stringify({ hosting: { public: "dist", rewrites: [{ source: "/api/**", run }] } })
  })
})
afterEach(() => here.close())

const run = Effect.runPromise
const json = () => here.simulator.service(service)!

const settled = async () => {
  while (json().reconciling) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** A service that a person made, whose traffic follows its latest revision. */
const byHand = async (version: string) => {
  await here.simulator.create(parent, "api", {
    template: { containers: [{ image: image(version) }] },
    traffic: [{ type: latest, percent: 100 }]
  })
  await settled()
}

const backend = async () => (await fetch(`${here.simulator.hosting.live(site)}/api/x`)).text()

/** Traffic and tags, as they were asked for. */
const traffic = () =>
  json().traffic.map(({ percent = 0, tag, type }) =>
    [percent, type === latest ? "latest" : "named", tag ?? ""].join(" ")
  )

const provider = () => cloudRun({ endpoint: here.simulator.rest, transport: "rest", poll: { first: 5, most: 50 } })
const apiRef = { ...ref, stack: "api" as typeof ref.stack, region, properties: { service: "api", project } }

/** Deploys the backend as an engine does it. */
const deployBackend = async (version: string) => {
  const { plan, stage, traffic } = provider()
  const planned = await run(plan(apiRef, { version, artifact: image(version) }))
  const { id } = planned.candidate
  const step = (name: string) => testMutation(`${name}-${version}`)
  await run(stage(apiRef, { plan: planned, capacityPercent: 100 }, step("stage")))
  await run(traffic!.shift(apiRef, { releaseId: id, percent: 100 }, step("shift")))
  await run(traffic!.retire(apiRef, { keep: id, capacityPercent: 0 }, step("retire")))
}

describe("a rewrite that is pinned", () => {
  it("leads to the revision that had the traffic, by a tag, and changes nothing else of the service", async () => {
    await byHand("b1")
    await here.simulator.edit(service, { labels: { team: "shop" } })
    await settled()
    await deploy(here, "v1")
    assert.strictEqual(await backend(), "b1")
    expect(traffic()).toEqual(["100 latest ", expect.stringMatching(/^0 named sb-[0-9a-f]{8}$/)])
    expect(json()["labels"]).toEqual({ team: "shop" })
    const [update] = here.simulator.changes.filter(({ method }) => method === "UpdateService")
    expect(update!.request["updateMask"]).toMatch(/^traffic,annotations$|^annotations,traffic$/)
    expect((update!.request["service"] as { readonly etag?: string }).etag).toMatch(/^".+"$/)

    // What follows the latest revision still does.
    await here.simulator.edit(service, { template: { containers: [{ image: image("b2") }] } })
    await settled()
    assert.strictEqual(await (await fetch(json().uri!)).text(), "b2")
    assert.strictEqual(await backend(), "b1")
  })

  it("keeps its backend when that is deployed again, and goes back with it", async () => {
    await deployBackend("b1")
    const first = await deploy(here, "v1")
    await deployBackend("b2")
    assert.strictEqual(await backend(), "b1")
    const second = await deploy(here, "v2")
    assert.notStrictEqual(second.candidate.id, first.candidate.id)
    assert.strictEqual(await backend(), "b2")
    await deployBackend("b3")
    await run(providerOf(here).rollback(ref, second.checkpoint, testMutation("back")))
    assert.strictEqual(await backend(), "b1")
    // Both are tagged, because both versions may be released again.
    assert.lengthOf(
      traffic().filter((target) => target.includes("sb-")),
      2
    )
  })

  it("can name its revision, and then the site has nothing to change while that is the same", async () => {
    await deployBackend("b1")
    const revision = json().latestReadyRevision!.replace(/.*\//, "")
    await deployBackend("b2")
    const stack = refOf({ pins: { api: revision } })
    const { plan, stage, traffic } = providerOf(here)
    const planned = await run(plan(stack, candidate("v1")))
    expect(planned.changes.join()).toContain(`pinned to ${revision} of api`)
    await run(stage(stack, { plan: planned, capacityPercent: 100 }, testMutation("stage")))
    await run(traffic!.shift(stack, { releaseId: planned.candidate.id, percent: 100 }, testMutation("shift")))
    await run(traffic!.retire(stack, { keep: planned.candidate.id, capacityPercent: 0 }, testMutation("retire")))
    assert.strictEqual(await backend(), "b1")
    assert.strictEqual((await run(plan(stack, candidate("v1")))).action, "none")
    const gone = refOf({ pins: { api: "api-gone" } })
    const lost = await run(plan(gone, candidate("v2")))
    const { reason } = await run(Effect.flip(stage(gone, { plan: lost, capacityPercent: 100 }, testMutation("gone"))))
    expect(reason).toMatchObject({ _tag: "Missing", message: expect.stringContaining("api-gone") })
  })
})
