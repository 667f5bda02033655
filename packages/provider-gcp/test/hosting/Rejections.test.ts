/**
 * Mistakes that are found before anything is changed: most of them before anything is called.
 */
import type { ProviderReason, StackRef } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { afterEach, assert, beforeEach, describe, expect, it } from "vitest"
import { ApiError, errorInfo } from "../../src/testing/index.ts"
import { candidate, type Platform, platform, providerOf, refOf, site, write } from "./platform.ts"

let here: Platform
beforeEach(async () => {
  here = await platform({ "empty/.keep": "" })
})
afterEach(() => here.close())

/** Why a plan fails. */
const refusal = async (properties: object, artifact?: string): Promise<ProviderReason> => {
  const given = artifact === undefined ? { version: "v1" } : { version: "v1", artifact }
  // Without the ones that are undefined.
  const whole = JSON.parse(JSON.stringify({ site, ...properties })) as StackRef["properties"]
  const plan = providerOf(here).plan({ ...refOf(), properties: whole }, given)
  return (await Effect.runPromise(Effect.flip(plan))).reason
}

const settings = (hosting: unknown) => write(here.directory, { "firebase.json": JSON.stringify({ hosting }) })
const targets = (shop: ReadonlyArray<string>) =>
  write(here.directory, { ".firebaserc": JSON.stringify({ targets: { "shop-1": { hosting: { shop } } } }) })

describe("a mistake in the properties", () => {
  it.each([
    [{ sites: "shop" }, ["sites"], "not a known property", "site"],
    [{ site: "Shop" }, ["site"], "lower-case"],
    [{ site, target: "shop" }, ["target"], "either site or target"],
    [{ expires: "31d" }, ["expires"], "at most 30d"],
    [{ expires: "soon" }, ["expires"], "a time such as"],
    [{ channel: "live" }, ["channel"], "not live"],
    [{ config: "other.json" }, ["config"], "there is no other.json"],
    [{ public: "missing" }, ["public"], "the folder missing is not there"],
    [{ public: "empty" }, ["public"], "has no files"],
    [{ public: "v1", pins: { api: "api-1" } }, ["pins", "api"], "no rewrite with pinTag"]
  ])("is named with its path, and nothing is called: %o", async (properties, path, ...words) => {
    const reason = await refusal(properties)
    expect(reason).toMatchObject({ _tag: "Invalid", path })
    for (const word of words) expect(`${reason.message} ${reason.hint}`).toContain(word)
    assert.deepStrictEqual(here.simulator.calls, [])
  })

  it("may be one of the artifact", async () => {
    expect(await refusal({}, "missing")).toMatchObject({ _tag: "Invalid", path: ["public"] })
    assert.deepStrictEqual(here.simulator.calls, [])
  })
})

describe("a mistake in firebase.json", () => {
  const both = [
    { site: "one", public: "v1" },
    { target: "shop", public: "v2" }
  ]

  it.each([
    ["a site that is not there", both, { site: "three" }, ["site"], "firebase.json has one, target shop"],
    ["several sites, and none is named", both, { site: undefined }, ["site"], "has several sites"],
    ["a target that is not there", both, { site: undefined, target: "x" }, ["target"], "no target x"],
    ["a target without a site", both, { site: undefined, target: "shop" }, ["target"], ".firebaserc has no"],
    ["a web framework", { source: "." }, {}, ["config"], "built by firebase-tools only"],
    ["neither files nor rules", {}, {}, ["config"], "neither public nor"],
    [
      "a rule with two patterns",
      { public: "v1", headers: [{ source: "a", regex: "b" }] },
      {},
      ["config"],
      "either source"
    ],
    ["a rewrite to nothing", { public: "v1", rewrites: [{ source: "a" }] }, {}, ["config"], "a rewrite has one of"],
    ["i18n without root", { public: "v1", i18n: {} }, {}, ["config"], "i18n needs root"],
    [
      "a pinned function",
      { public: "v1", rewrites: [{ source: "a", function: { functionId: "f", pinTag: true } }] },
      {},
      ["config"],
      "cannot be pinned"
    ]
  ])("is named, and nothing is called: %s", async (_, hosting, properties, path, words) => {
    settings(hosting)
    const reason = await refusal(properties)
    expect(reason).toMatchObject({ _tag: "Invalid", path })
    expect(`${reason.message} ${reason.hint}`).toContain(words)
    assert.deepStrictEqual(here.simulator.calls, [])
  })

  it("may be in .firebaserc", async () => {
    settings(both)
    targets(["one", "two"])
    expect(await refusal({ site: undefined, target: "shop" })).toMatchObject({
      path: ["target"],
      message: expect.stringContaining("several sites: one, two")
    })
    write(here.directory, { "firebase.json": "{" })
    expect(await refusal({})).toMatchObject({ path: ["config"], message: expect.stringContaining("cannot be read") })
    assert.deepStrictEqual(here.simulator.calls, [])
  })
})

describe("a mistake that only the platform knows", () => {
  it("is a site that does not exist, with the command that creates it", async () => {
    expect(await refusal({ site: "other", public: "v1" })).toMatchObject({
      _tag: "Missing",
      hint: "Create it: firebase hosting:sites:create other --project shop-1"
    })
    assert.deepStrictEqual(here.simulator.changes, [])
  })

  it("is a preview channel of the same name that others have made", async () => {
    await here.simulator.hosting.channel(site, "signalbox")
    expect(await refusal({ public: "v1" })).toMatchObject({ _tag: "Invalid", path: ["channel"] })
    expect(await refusal({ public: "v1", channel: "mine" }).catch(() => "planned")).toBe("planned")
    assert.deepStrictEqual(here.simulator.changes, [])
  })

  it("is an API that is not enabled, or a permission that is missing", async () => {
    const info = errorInfo("SERVICE_DISABLED", {
      service: "firebasehosting.googleapis.com",
      consumer: "projects/shop-1"
    })
    const end = here.simulator.fault({ refuse: new ApiError("PERMISSION_DENIED", "It is disabled.", [info]) })
    expect(await refusal({ public: "v1" })).toMatchObject({
      _tag: "Denied",
      hint: "Enable it: gcloud services enable firebasehosting.googleapis.com --project shop-1"
    })
    end()
    here.simulator.fault({ refuse: new ApiError("PERMISSION_DENIED", "The caller does not have permission") })
    expect(await refusal({ public: "v1" })).toMatchObject({ _tag: "Denied", action: "firebasehosting.sites.get" })
    assert.deepStrictEqual(here.simulator.changes, [])
  })

  it("is another stack that the site belongs to", async () => {
    const { plan } = providerOf(here)
    const provider = providerOf(here)
    const planned = await Effect.runPromise(plan(refOf(), candidate("v1")))
    const { testMutation } = await import("@signalbox/core/testing")
    await Effect.runPromise(provider.stage(refOf(), { plan: planned, capacityPercent: 100 }, testMutation("stage")))
    const options = { releaseId: planned.candidate.id, percent: 100 }
    await Effect.runPromise(provider.traffic!.shift(refOf(), options, testMutation("shift")))
    const stranger = { ...refOf(), stack: "docs" as ReturnType<typeof refOf>["stack"] }
    const { reason } = await Effect.runPromise(Effect.flip(plan(stranger, candidate("v2"))))
    expect(reason).toMatchObject({ _tag: "Invalid", path: ["site"], message: "shop belongs to stack DX6604E/test/web" })
  })
})
