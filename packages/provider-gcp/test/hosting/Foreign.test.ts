/**
 * The official command of Firebase, used on a site of Signalbox by hand.
 */
import { testMutation } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { afterEach, assert, beforeEach, describe, expect, it } from "vitest"
import { firebase, program } from "./firebaseTools.ts"
import { candidate, deploy, type Platform, platform, project, providerOf, ref, shown, site, write } from "./platform.ts"

let here: Platform
beforeEach(async () => {
  here = await platform()
})
afterEach(() => here.close())

const run = Effect.runPromise

describe.skipIf(program === undefined)("a site that is also deployed by hand", () => {
  it("shows a deployment, a preview channel and a clone of others as such, and undoes none of them", async () => {
    const { hosting } = here.simulator
    const provider = providerOf(here)
    const byHand = (...args: ReadonlyArray<string>) =>
      firebase({ directory: here.directory, project, url: hosting.url }, ...args)
    await deploy(here, "v1")
    const planned = await run(provider.plan(ref, candidate("v2")))

    write(here.directory, { "dist/index.html": "by hand" })
    await byHand("hosting:channel:deploy", "review")
    assert.deepStrictEqual(await run(provider.drift!.detect(ref)), [])
    await byHand("deploy", "--only", "hosting")
    assert.strictEqual(await shown(here), "by hand")

    const seen = await run(provider.observe(ref))
    expect(seen.stable!.version).toMatch(/^found-/)
    const [drift] = await run(provider.drift!.detect(ref))
    expect(drift).toMatchObject({ field: "release", actual: expect.stringContaining(seen.stable!.version.slice(6)) })
    // The plan was made before.
    const stage = provider.stage(ref, { plan: planned, capacityPercent: 100 }, testMutation("late"))
    const { reason } = await run(Effect.flip(stage))
    expect(reason).toMatchObject({ _tag: "Changed", field: "release" })
    assert.strictEqual(await shown(here), "by hand")

    const { checkpoint } = await deploy(here, "v2")
    assert.strictEqual(await shown(here), "v2")
    await run(provider.rollback(ref, checkpoint, testMutation("back")))
    assert.strictEqual(await shown(here), "by hand")
    assert.deepStrictEqual(
      hosting.channels(site).map(({ name }) => name.replace(/.*\//, "")),
      ["review", "live"]
    )

    // A version of Signalbox at another site is no release of its stack there.
    await deploy(here, "v1")
    await hosting.site(project, "other")
    await byHand("hosting:clone", `${site}:live`, "other:live")
    const other = await run(provider.observe({ ...ref, properties: { site: "other" } }))
    expect(other.stable!.version).toMatch(/^found-/)
  })
})
