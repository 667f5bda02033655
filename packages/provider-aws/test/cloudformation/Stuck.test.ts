/**
 * Stacks in states that only some ways lead out of, brought there for real.
 */
import type { ProviderEvent } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { afterEach, assert, beforeEach, describe, expect, it } from "vitest"
import { endpoint } from "../emulator.ts"
import { answer, functionResources, neverSignalled, templateOf } from "./platform.ts"
import { stackName, type World, world } from "./world.ts"

let w: World
beforeEach(() => {
  w = world()
})
afterEach(() => w.aws.close())

const withFunction = (version: string, resources: object = {}) =>
  templateOf(version, { ...functionResources, ...resources })

describe.skipIf(endpoint === undefined)("a stack of CloudFormation", () => {
  it("in ROLLBACK_COMPLETE after our own creation is deleted and created again", async () => {
    const failed = await w.plan("v1", templateOf("v1", neverSignalled))
    expect(await w.reason(w.stage(failed))).toMatchObject({ _tag: "Broken", resource: "Wait" })
    assert.strictEqual(await w.status(), "ROLLBACK_COMPLETE")
    const plan = await w.plan("v2", templateOf("v2"))
    assert.strictEqual(plan.action, "create")
    expect(plan.changes[0]).toContain("delete what is left")
    await w.run(w.stage(plan))
    assert.strictEqual(await w.aws.version(), "v2")
  })

  it("in ROLLBACK_COMPLETE after a creation by others is not deleted", async () => {
    const TemplateBody = JSON.stringify(templateOf("v1", neverSignalled))
    await w.aws.client.createStack({ StackName: stackName, TemplateBody })
    assert.strictEqual(await w.rest(), "ROLLBACK_COMPLETE")
    const artifact = w.aws.write("v2.json", templateOf("v2"))
    const reason = await w.reason(w.provider.plan(w.ref, { version: "v2", artifact }, w.mutation()))
    expect(reason).toMatchObject({ _tag: "Invalid", hint: expect.stringContaining("delete-stack") })
    assert.strictEqual(await w.status(), "ROLLBACK_COMPLETE")
  })

  it("in DELETE_FAILED says which resource stays, and goes away if that is allowed", async () => {
    const kept = withFunction("v1", { Kept: answer({ fail: "Delete" }) })
    await w.run(w.stage(await w.plan("v1", kept)))
    expect(await w.reason(w.destroy())).toMatchObject({ _tag: "Broken", resource: "Kept" })
    assert.strictEqual(await w.status(), "DELETE_FAILED")
    await w.run(w.destroy({ retainOnDestroy: ["Kept"] }))
    assert.isUndefined(await w.status())
  })

  it("is destroyed in one go if whatever cannot be deleted may stay", async () => {
    await w.run(w.stage(await w.plan("v1", withFunction("v1", { Kept: answer({ fail: "Delete" }) }))))
    await w.run(w.destroy({ forceDestroy: true }))
    assert.isUndefined(await w.status())
  })

  it("in ROLLBACK_FAILED is deleted by a rollback to nothing", async () => {
    const plan = await w.plan(
      "v1",
      withFunction("v1", { Kept: answer({ fail: "Delete" }), Broken: answer({ fail: "Create" }, ["Kept"]) })
    )
    expect(await w.reason(w.stage(plan))).toMatchObject({ _tag: "Broken", resource: "Broken" })
    assert.strictEqual(await w.status(), "ROLLBACK_FAILED")
    await w.run(w.rollback(plan, { forceDestroy: true }))
    assert.isUndefined(await w.status())
  })

  it("in UPDATE_ROLLBACK_FAILED continues its rollback, and skips only what is configured", async () => {
    await w.run(w.stage(await w.plan("v1", withFunction("v1", { Sticky: answer({ fail: "Update", v: "1" }) }))))
    const plan = await w.plan(
      "v2",
      withFunction("v2", { Sticky: answer({ v: "2" }), Broken: answer({ fail: "Create" }, ["Sticky"]) })
    )
    expect(await w.reason(w.stage(plan))).toMatchObject({ _tag: "Broken", resource: "Broken" })
    assert.strictEqual(await w.status(), "UPDATE_ROLLBACK_FAILED")
    const artifact = w.aws.write("v3.json", withFunction("v3"))
    expect(await w.reason(w.provider.plan(w.ref, { version: "v3", artifact }))).toMatchObject({
      _tag: "Invalid",
      hint: expect.stringContaining("Roll it back")
    })
    expect(await w.reason(w.rollback(plan))).toMatchObject({
      _tag: "Broken",
      message: expect.stringContaining("UPDATE_ROLLBACK_FAILED")
    })
    await w.run(w.rollback(plan, { resourcesToSkip: ["Sticky"] }))
    assert.strictEqual(await w.status(), "UPDATE_ROLLBACK_COMPLETE")
    assert.strictEqual(await w.aws.version(), "v1")
  })

  it("in UPDATE_FAILED, where others have disabled the rollback, is rolled back", async () => {
    await w.run(w.stage(await w.plan("v1", templateOf("v1"))))
    const plan = await w.plan("v2", templateOf("v2"))
    await w.aws.client.updateStack({
      StackName: stackName,
      TemplateBody: JSON.stringify(templateOf("v2", neverSignalled)),
      DisableRollback: true
    })
    assert.strictEqual(await w.rest(), "UPDATE_FAILED")
    await w.run(w.rollback(plan))
    assert.strictEqual(await w.aws.version(), "v1")
  })

  it("whose change set is obsolete is planned again", async () => {
    await w.run(w.stage(await w.plan("v1", templateOf("v1"))))
    const plan = await w.plan("v2", templateOf("v2"))
    const TemplateBody = JSON.stringify(templateOf("other"))
    await w.aws.client.updateStack({ StackName: stackName, TemplateBody })
    await w.rest()
    await w.run(w.stage(plan))
    assert.strictEqual(await w.aws.version(), "v2")
  })

  it("that others have announced by a change set is created by one", async () => {
    await w.aws.client.createChangeSet({
      StackName: stackName,
      ChangeSetName: "theirs",
      ChangeSetType: "CREATE",
      TemplateBody: JSON.stringify(templateOf("v1"))
    })
    assert.strictEqual(await w.status(), "REVIEW_IN_PROGRESS")
    assert.strictEqual((await w.run(w.provider.observe(w.ref))).status, "absent")
    await w.run(w.stage(await w.plan("v2", templateOf("v2"))))
    assert.strictEqual(await w.aws.version(), "v2")
  })

  it("names the first cause of a failure two nested stacks deep", async () => {
    const client = w.aws.s3
    const Bucket = `templates-${w.aws.account}`
    const nested = (file: string) => ({
      Nested: { Type: "AWS::CloudFormation::Stack", Properties: { TemplateURL: `${endpoint}/${Bucket}/${file}` } }
    })
    await client.createBucket({ Bucket })
    const upload = (Key: string, Resources: object) =>
      client.putObject({ Bucket, Key, Body: JSON.stringify({ Resources }) })
    await upload("inner1", templateOf("v1").Resources)
    await upload("inner2", { ...templateOf("v2").Resources, ...neverSignalled })
    await upload("outer1", nested("inner1"))
    await upload("outer2", nested("inner2"))
    await w.run(w.stage(await w.plan("v1", { Resources: nested("outer1") })))
    const plan = await w.plan("v2", { Resources: nested("outer2") })
    const told: Array<ProviderEvent> = []
    const mutation = { ...w.mutation(), progress: (event: ProviderEvent) => Effect.sync(() => void told.push(event)) }
    const reason = await w.reason(w.provider.stage(w.ref, { plan, capacityPercent: 100 }, mutation))
    expect(told.find(({ failed }) => failed === true)).toMatchObject({
      resource: "Wait",
      message: expect.stringContaining("WaitCondition timed out")
    })
    expect(reason).toMatchObject({
      _tag: "Broken",
      resource: "Wait",
      hint: expect.stringContaining("console.aws.amazon.com")
    })
  })

  it("whose template is too long for a call goes through the bucket, or says that it needs one", async () => {
    const texts = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [`Text${index}`, { Value: String(index).repeat(500) }])
    )
    const template = { ...templateOf("v1"), Outputs: texts }
    const artifact = w.aws.write("long.json", template)
    expect(await w.reason(w.provider.plan(w.ref, { version: "v1", artifact }))).toMatchObject({
      _tag: "Invalid",
      hint: expect.stringContaining("bucket")
    })
    const Bucket = `bucket-${w.aws.account}`
    await w.aws.s3.createBucket({ Bucket })
    const other = world({ account: w.aws.account, bucket: Bucket })
    await other.run(other.stage(await other.plan("v1", template)))
    assert.strictEqual(await w.aws.version(), "v1")
    assert.strictEqual((await w.aws.s3.listObjects({ Bucket })).Contents?.length, 1)
    const next = { ...template, ...templateOf("v2"), Outputs: texts }
    await other.run(other.stage(await other.plan("v2", next)))
    assert.strictEqual(await w.aws.version(), "v2")
    other.aws.close()
  })

  it("that was changed behind its back shows the property, with both values", async () => {
    await w.run(w.stage(await w.plan("v1", templateOf("v1"))))
    await w.aws.changeVersion("by hand")
    const drifts = await w.run(w.provider.drift!.detect(w.ref))
    expect(drifts).toEqual([{ field: "Version/Value", expected: "v1", actual: "by hand", owned: false }])
  })
})
