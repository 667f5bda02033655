/**
 * Where a stack can go back to, and that it really gets there, or not.
 */
import { afterEach, assert, beforeEach, describe, expect, it } from "vitest"
import { endpoint } from "../emulator.ts"
import { templateOf } from "./platform.ts"
import { type World, world } from "./world.ts"

let w: World
beforeEach(() => {
  w = world({ env: { PASSWORD: "hunter2-8e0d" } })
})
afterEach(() => w.aws.close())

/** The version with a parameter that AWS does not show. */
const hiding = (version: string) => ({
  ...templateOf(version),
  Parameters: { Password: { Type: "String", NoEcho: true, ...(version === "v1" ? {} : { Default: "x" }) } }
})

const password = { parameters: { Password: "given" } }
const secret = { parameters: { Password: { $secret: "PASSWORD" } } }

describe.skipIf(endpoint === undefined)("the way back of a stack", () => {
  it("is an update, no change where it is there, and a creation where the stack is gone", async () => {
    await w.run(w.stage(await w.plan("v1", templateOf("v1"))))
    const plan = await w.plan("v2", templateOf("v2"))
    const way = async () => (await w.run(w.provider.canGoBack!(w.ref, plan.checkpoint))).how
    assert.strictEqual(await way(), "switch")
    await w.run(w.stage(plan))
    assert.strictEqual(await way(), "rebuild")
    await w.run(w.destroy())
    assert.strictEqual(await way(), "rebuild")
    await w.run(w.rollback(plan))
    assert.strictEqual(await w.aws.version(), "v1")
  })

  it("is lost with the value of a hidden parameter, unless that is a secret", async () => {
    await w.run(w.stage(await w.plan("v1", hiding("v1"), password), password))
    const plan = await w.plan("v2", hiding("v2"), password)
    await w.run(w.stage(plan, password))
    const way = (properties: object) => w.run(w.provider.canGoBack!(w.refWith(properties), plan.checkpoint))
    assert.strictEqual((await way({})).how, "rebuild")
    await w.run(w.destroy())
    expect(await way({})).toMatchObject({ how: "impossible", why: expect.stringContaining("Password") })
    assert.strictEqual((await way(secret)).how, "rebuild")
    await w.run(w.rollback(plan, secret))
    assert.strictEqual(await w.aws.version(), "v1")
  })
})
