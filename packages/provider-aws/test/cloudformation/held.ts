/**
 * Resources that CloudFormation waits for until a test lets them go on.
 */
import { assert } from "vitest"
import { eventually } from "./eventually.ts"
import type { Platform } from "./platform.ts"

/** A resource that is there once `release` was called. */
export const held = {
  SlowHandle: { Type: "AWS::CloudFormation::WaitConditionHandle" },
  Slow: {
    Type: "AWS::CloudFormation::WaitCondition",
    Properties: { Handle: { Ref: "SlowHandle" }, Timeout: "300" }
  }
}

/** Lets the held resource of a stack go on, once its turn has come. */
export const release = async ({ client }: Platform, stack: string): Promise<void> => {
  let url = ""
  await eventually("the held resource", async () => {
    const { StackResources = [] } = await client
      .describeStackResources({ StackName: stack, LogicalResourceId: "SlowHandle" })
      .catch(() => ({ StackResources: [] }))
    url = StackResources[0]?.PhysicalResourceId ?? ""
    return url.startsWith("http")
  })
  // The receiver wants no type of content, which a text would bring with it.
  const signal = Buffer.from(JSON.stringify({ Status: "SUCCESS", Reason: "released", UniqueId: "1", Data: "" }))
  assert.strictEqual((await fetch(url, { method: "PUT", body: signal })).status, 200)
}
