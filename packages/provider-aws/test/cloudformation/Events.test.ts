import type { ResourceStatus } from "@aws-sdk/client-cloudformation"
import { testMutation } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { make } from "../../src/cloudformation/CloudFormationProvider.ts"
import { eventsPage } from "../../src/cloudformation/Console.ts"
import { operationsOf, providerEvent } from "../../src/cloudformation/events/StackEvents.ts"
import { refOf, templateOf } from "./platform.ts"
import { stackId, standIn } from "./standIn.ts"

const ref = refOf({ stackName: "the-api" })

describe("the events of a stack", () => {
  it("are read as far as they are new, however long the history is", async () => {
    const directory = mkdtempSync(join(tmpdir(), "signalbox-events-"))
    const artifact = join(directory, "v2.json")
    writeFileSync(artifact, JSON.stringify(templateOf("v2")))
    await using platform = await standIn("UPDATE_COMPLETE", "theirs", JSON.stringify(templateOf("v1")), 5_000)
    const provider = make({
      directory,
      endpoint: platform.url,
      region: "eu-west-1",
      credentials: { accessKeyId: "x", secretAccessKey: "x" },
      poll: { first: 1, most: 5 }
    })
    const run = Effect.runPromise
    const plan = await run(provider.plan(ref, { version: "v2", artifact }, testMutation("plan")))
    await run(provider.stage(ref, { plan, capacityPercent: 100 }, testMutation("stage")))
    assert.isAtMost(platform.pages(), 3)
    const before = platform.pages()
    const from = Date.parse("2026-01-02T03:04:05Z")
    const { cursor, events } = await run(provider.events!.since(ref, null, { from }))
    assert.isAbove(events.length, 0)
    const later = await run(provider.events!.since(ref, cursor, { from: 0 }))
    assert.deepStrictEqual(later.events, [])
    assert.isAtMost(platform.pages() - before, 3)
    rmSync(directory, { recursive: true })
  })

  it("belong to operations: a rollback to the one that failed, a deletion to one of its own", () => {
    let time = 0
    const own = (ResourceStatus: string, ClientRequestToken: string) => ({
      StackId: stackId,
      EventId: String(++time),
      StackName: "the-api",
      PhysicalResourceId: stackId,
      Timestamp: new Date(time),
      ResourceStatus: ResourceStatus as ResourceStatus,
      ClientRequestToken
    })
    const operations = operationsOf([
      own("UPDATE_COMPLETE", "cut off"),
      own("UPDATE_IN_PROGRESS", "a"),
      own("UPDATE_ROLLBACK_IN_PROGRESS", "cancel"),
      own("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "cancel"),
      own("UPDATE_ROLLBACK_COMPLETE", "cancel"),
      own("CREATE_IN_PROGRESS", "b"),
      own("DELETE_IN_PROGRESS", "c"),
      own("DELETE_COMPLETE", "c")
    ])
    assert.deepStrictEqual(
      operations.map(({ status, token }) => [token, status]),
      [
        ["a", "UPDATE_ROLLBACK_COMPLETE"],
        ["b", "SUPERSEDED"],
        ["c", "DELETE_COMPLETE"]
      ]
    )
  })

  it("have pages in the console of their partition, and none where there is no console", () => {
    const page = (partition: string, region: string) =>
      eventsPage(`arn:${partition}:cloudformation:${region}:123456789012:stack/a/b`)
    assert.strictEqual(
      page("aws", "eu-west-1"),
      "https://eu-west-1.console.aws.amazon.com/cloudformation/home?region=eu-west-1#/stacks/events?stackId=arn%3Aaws%3Acloudformation%3Aeu-west-1%3A123456789012%3Astack%2Fa%2Fb"
    )
    assert.match(page("aws-cn", "cn-north-1")!, /^https:\/\/cn-north-1\.console\.amazonaws\.cn\//)
    assert.match(page("aws-us-gov", "us-gov-west-1")!, /^https:\/\/us-gov-west-1\.console\.amazonaws-us-gov\.com\//)
    assert.isUndefined(page("aws-iso", "us-iso-east-1"))
  })

  it("are no failures where a resource was only cancelled because another one failed", () => {
    const event = {
      StackId: stackId,
      StackName: "the-api",
      EventId: "1",
      Timestamp: new Date(0),
      LogicalResourceId: "Queue",
      ResourceType: "AWS::SQS::Queue",
      ResourceStatus: "CREATE_FAILED" as const
    }
    assert.isTrue(providerEvent({ ...event, ResourceStatusReason: "denied" }).failed)
    assert.isUndefined(providerEvent({ ...event, ResourceStatusReason: "Resource creation cancelled" }).failed)
  })
})
