import type { StackEvent } from "@aws-sdk/client-cloudformation"
import { it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { json } from "node:stream/consumers"
import { afterAll, assert, beforeAll, describe } from "vitest"
import { Aws } from "../../src/client/index.ts"
import { ServiceEvents } from "../../src/cloudformation/events/ServiceEvents.ts"
import { stackId } from "./standIn.ts"

const arn = "arn:aws:ecs:eu-west-1:123456789012:service/main/web"
const began = Date.parse("2026-01-02T03:04:05Z")

/** As ECS answers, newest first; the last one is from before the deployment. */
const recorded = [
  ["3", 130, "(service web) was unable to place a task because no container instance met all of its requirements."],
  ["2", 20, "(service web) has started 1 tasks: (task 0a1b)."],
  ["1", -3_600, "(service web) has reached a steady state."]
].map(([id, seconds, message]) => ({ id, createdAt: began / 1000 + Number(seconds), message }))

const asked: Array<unknown> = []
let denied = false
const server = createServer((request, response) => {
  void json(request).then((body) => {
    asked.push(body)
    response.setHeader("content-type", "application/x-amz-json-1.1")
    if (denied) {
      const message = "User: arn:aws:iam::123456789012:user/x is not authorized to perform: ecs:DescribeServices"
      return response.writeHead(400).end(JSON.stringify({ __type: "AccessDeniedException", message }))
    }
    return response.end(JSON.stringify({ services: [{ serviceArn: arn, events: recorded }] }))
  })
})
beforeAll(() => new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve)))
afterAll(() => server.close())

const services = () =>
  new ServiceEvents(
    new Aws({
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: { accessKeyId: "x", secretAccessKey: "x" }
    }),
    { region: "eu-west-1" },
    120_000
  )

const event = (ResourceStatus: StackEvent["ResourceStatus"]): StackEvent => ({
  StackId: stackId,
  StackName: "the-api",
  EventId: "1",
  LogicalResourceId: "Web",
  PhysicalResourceId: arn,
  ResourceType: "AWS::ECS::Service",
  ResourceStatus,
  Timestamp: new Date(began)
})

describe("a service of ECS", () => {
  it.effect("that takes longer than 2 minutes says why, once", () =>
    Effect.gen(function* () {
      const watch = services()
      const before = asked.length
      assert.deepStrictEqual(yield* watch.after([event("UPDATE_IN_PROGRESS")]), [])
      yield* TestClock.adjust(Duration.seconds(119))
      assert.deepStrictEqual(yield* watch.after([]), [])
      assert.strictEqual(asked.length, before)
      yield* TestClock.adjust(Duration.seconds(1))
      const told = yield* watch.after([])
      assert.deepStrictEqual(
        told.map(({ message, resource }) => [resource, message]),
        [
          ["Web", recorded[1]!.message],
          ["Web", recorded[0]!.message]
        ]
      )
      assert.deepStrictEqual(asked.at(-1), { cluster: "main", services: [arn] })
      assert.deepStrictEqual(yield* watch.after([]), [])
      const asks = asked.length
      assert.deepStrictEqual(yield* watch.after([event("UPDATE_COMPLETE")]), [])
      assert.strictEqual(asked.length, asks)
    })
  )

  it.effect("that may not be looked at disturbs nothing, and is asked about once", () =>
    Effect.gen(function* () {
      denied = true
      const watch = services()
      yield* watch.after([event("CREATE_IN_PROGRESS")])
      yield* TestClock.adjust(Duration.minutes(3))
      const before = asked.length
      assert.deepStrictEqual(yield* watch.after([]), [])
      assert.deepStrictEqual(yield* watch.after([]), [])
      assert.strictEqual(asked.length, before + 1)
      denied = false
    })
  )
})
