/**
 * Templates that are read from S3.
 */
import { faultProxy, operations } from "@signalbox/fault-proxy"
import { afterEach, assert, beforeEach, describe, expect, it } from "vitest"
import { endpoint } from "../emulator.ts"
import { templateOf } from "./platform.ts"
import { type World, world } from "./world.ts"

let w: World
beforeEach(() => {
  w = world()
})
afterEach(() => w.aws.close())

const planned = (w: World, artifact: string) => w.provider.plan(w.ref, { version: "v1", artifact }, w.mutation())

describe.skipIf(endpoint === undefined)("a template in S3", () => {
  it("is deployed", async () => {
    await w.aws.s3.createBucket({ Bucket: `templates-${w.aws.account}` })
    const Body = JSON.stringify(templateOf("v1"))
    await w.aws.s3.putObject({ Bucket: `templates-${w.aws.account}`, Key: "a/api.json", Body })
    const address = `s3://templates-${w.aws.account}/a/api.json`
    const plan = await w.run(planned(w, address))
    assert.strictEqual(plan.candidate.artifact, address)
    await w.run(w.stage(plan))
    assert.strictEqual(await w.aws.version(), "v1")
    expect(await w.reason(planned(w, `${address}l`))).toMatchObject({
      _tag: "Invalid",
      path: ["template"],
      message: expect.stringContaining("NoSuchKey")
    })
  })

  it("whose address is malformed is refused, and nothing is created", async () => {
    await using proxy = await faultProxy({ target: endpoint!, operationOf: operations.rest })
    const through = world({ url: proxy.url })
    for (const address of ["https://example.com/api.yaml", "s3://shop", "http://shop.s3.amazonaws.com/api.yaml"]) {
      expect(await through.reason(planned(through, address))).toMatchObject({ _tag: "Invalid", path: ["template"] })
    }
    // Who asks is known by then.
    expect(new Set(proxy.calls.map(({ operation }) => operation))).toEqual(new Set(["POST /"]))
    through.aws.close()
  })
})
