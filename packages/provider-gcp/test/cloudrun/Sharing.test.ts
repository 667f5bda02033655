/**
 * A service that others change too: by hand, by other tools, by another deployment.
 */
import * as Effect from "effect/Effect"
import { assert, describe, expect, it } from "vitest"
import {
  cloud,
  deploy,
  edit,
  failure,
  json,
  mutation,
  observe,
  plan,
  provider,
  run,
  settled,
  shift,
  simulated,
  stage,
  traffic
} from "./driver.ts"
import { candidate, image, parent, ref, refOf, service, sharesOf } from "./platform.ts"

simulated()

const latest = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
const byName = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
const templateOf = (version: string) => ({ containers: [{ image: image(version) }] })

const found = async (change: object = {}) => {
  await cloud().create(parent, "api", { template: { ...templateOf("v1"), revision: "api-found" }, ...change })
  await settled()
}

describe("a Cloud Run service that others change too", () => {
  it("pins what follows the latest revision before it makes a newer one", async () => {
    await found({ traffic: [{ type: latest, percent: 100 }] })
    const v2 = await plan("v2")
    await run(stage(v2))
    assert.deepStrictEqual(traffic(), [
      `0 ${json().latestCreatedRevision!.replace(/.*\//, "")} candidate`,
      "100 api-found"
    ])
    assert.deepStrictEqual(await sharesOf(cloud(), 10), { v1: 100 })
  })

  it("leaves the tags of others where they are, and shows none of them a candidate", async () => {
    await found({
      traffic: [
        { type: latest, percent: 100 },
        { type: latest, tag: "preview" }
      ]
    })
    const v2 = await plan("v2")
    expect(v2.warnings.join()).toContain("preview follows the latest revision")
    await run(stage(v2))
    await run(shift(v2, 100))
    const preview = json().trafficStatuses.find(({ tag }) => tag === "preview")!.uri!
    assert.strictEqual(await (await fetch(preview)).text(), "v1")
    await run(provider().rollback(ref, v2.checkpoint, mutation()))
    assert.deepStrictEqual(traffic(), ["0 api-found preview", "100 api-found"])
  })

  it("takes the revision with traffic for the stable one, not the first entry nor one with a tag alone", async () => {
    await found()
    await edit({
      template: { ...templateOf("v2"), revision: "api-tagged" },
      traffic: [
        { type: byName, revision: "api-tagged", tag: "green" },
        { type: byName, revision: "api-found", percent: 100 }
      ]
    })
    const { candidate, stable } = await observe()
    assert.strictEqual(stable?.version, "found-api-found")
    assert.isNull(candidate)
  })

  it("puts back a split that a failed revision left behind, before it stages", async () => {
    await deploy("v1")
    const stable = json().latestReadyRevision!.replace(/.*\//, "")
    await edit({ template: templateOf("broken"), traffic: [{ type: latest, percent: 100 }] })
    assert.deepStrictEqual(traffic(), ["100 latest"])
    const before = cloud().changes.length
    await run(stage(await plan("v2")))
    const [repair, staged] = cloud()
      .changes.slice(before)
      .map(({ request }) => String(request["updateMask"]))
    assert.deepStrictEqual([repair, staged], ["traffic,annotations", "traffic,template,annotations"])
    assert.include(traffic(), `100 ${stable}`)
    assert.deepStrictEqual(await sharesOf(cloud(), 10), { v1: 100 })
  })

  it("records and restores a split between several revisions", async () => {
    await found()
    const split = [
      { type: byName, revision: "api-found", percent: 70 },
      { type: byName, revision: "api-other", percent: 30 }
    ]
    await edit({ template: { ...templateOf("v2"), revision: "api-other" }, traffic: split })
    cloud().push(image("v3"), { body: "v3" })
    const v3 = await plan("v3")
    expect(v3.rollback).toContain("70 % api-found, 30 % api-other")
    await run(stage(v3))
    assert.deepStrictEqual(await sharesOf(cloud(), 10), { v1: 70, v2: 30 })
    await run(shift(v3, 100))
    await run(provider().rollback(ref, v3.checkpoint, mutation()))
    assert.deepStrictEqual(traffic(), ["30 api-other", "70 api-found"])
    assert.deepStrictEqual(await sharesOf(cloud(), 10), { v1: 70, v2: 30 })
  })

  it("stops where the traffic was changed since the plan, and names both", async () => {
    await deploy("v1")
    const v2 = await plan("v2")
    await edit({
      template: { ...templateOf("v1"), revision: "api-by-hand", labels: { by: "hand" } },
      traffic: [{ type: latest, percent: 100 }]
    })
    const { reason } = await failure(stage(v2))
    assert.strictEqual(reason._tag, "Changed")
    expect(reason).toMatchObject({ field: "traffic", is: "100 % api-by-hand" })
  })

  it("makes a revision of its own name after an edit that kept the name of the last one", async () => {
    await found()
    await edit({ labels: { by: "hand" } })
    const v2 = await deploy("v2")
    assert.notStrictEqual(json().template.revision, "api-found")
    assert.strictEqual((await observe()).stable?.id, v2.candidate.id)
  })

  it("loses a race as a conflict, and writes nothing over the winner", async () => {
    await deploy("v1")
    const v2 = await plan("v2")
    const byHand = Effect.promise(() => edit({ annotations: { ...json().annotations, by: "hand" } }))
    // The first guard comes before the service is read, the second one between reading and writing.
    let guards = 0
    const guard = Effect.suspend(() => (++guards === 2 ? byHand : Effect.void))
    const { isRetryable, reason } = await failure(
      provider().stage(ref, { plan: v2, capacityPercent: 100 }, { ...mutation("race"), guard })
    )
    assert.strictEqual(reason._tag, "Conflict")
    assert.isTrue(isRetryable)
    await run(stage(v2, "race"))
    assert.strictEqual(json().annotations!["by"], "hand")
  })

  it("refuses a service of another stack", async () => {
    await deploy("v1")
    const other = { ...refOf(), stack: "web" as typeof ref.stack }
    const { reason } = await failure(provider().plan(other, candidate("v2")))
    expect(reason).toMatchObject({
      _tag: "Invalid",
      path: ["service"],
      message: "api belongs to stack DX6604E/test/api"
    })
  })

  it("finds what others changed, and gives the traffic back", async () => {
    await deploy("v1")
    const stable = json().latestReadyRevision!.replace(/.*\//, "")
    assert.deepStrictEqual(await run(provider().drift!.detect(ref)), [])
    await edit({
      template: {
        containers: [{ image: image("v2"), env: [{ name: "LEVEL", value: "debug" }] }],
        scaling: { minInstanceCount: 3 }
      },
      traffic: [{ type: latest, percent: 100 }]
    })
    const drift = await run(provider().drift!.detect(ref))
    const fields = drift.map(({ field }) => field)
    expect(fields).toEqual(expect.arrayContaining(["traffic", "image", "env.LEVEL.value", "scaling.minInstanceCount"]))
    assert.notInclude(JSON.stringify(drift), "debug")
    await run(provider().drift!.correct(ref, fields, mutation()))
    assert.deepStrictEqual(traffic(), [`100 ${stable}`])
    assert.deepStrictEqual(await run(provider().drift!.detect(ref)), [])
    assert.deepStrictEqual(await sharesOf(cloud(), 10), { v1: 100 })
    assert.isDefined(cloud().service(service))
  })
})
