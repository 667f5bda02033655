import { NotifierSuite, sampleMessage } from "@signalbox/core/testing"
import { assert, describe, it } from "@effect/vitest"
import type { Receipt } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { openGitHubServer } from "../../src/testing/index.ts"
import { harness, kindOf, opened, scoped, send } from "../support/opened.ts"

const token = "ghp_planted0000000000000000000000000000"
const server = scoped(() => openGitHubServer(token))
const channel = (url: string, more: Readonly<Record<string, string>> = { ref: "main" }) =>
  opened(
    "github",
    { repository: "acme/shop", token: { $secret: "TOKEN" }, endpoint: url, allow: ["127.0.0.1"], ...more },
    { TOKEN: token }
  )

NotifierSuite.suite("deployments of GitHub", {
  capabilities: {
    update: true,
    thread: false,
    acknowledge: false,
    dedupe: "update",
    limits: { bytes: 6_000, perMinute: 60 }
  },
  faults: NotifierSuite.allFaults,
  secrets: [token],
  make: Effect.flatMap(server, (receiver) => harness(receiver, channel(receiver.url)))
})

describe.concurrent("deployments of GitHub", () => {
  it.live("has one deployment for an execution, of its commit, with its statuses", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const receiver = yield* server
        const gitHub = yield* channel(receiver.url)
        let earlier: Receipt | null = null
        for (const kind of ["waiting", "started", "approval_requested", "progress", "completed"] as const) {
          earlier = yield* send(gitHub, sampleMessage(kind), { id: kind, earlier })
        }
        const [one, ...others] = receiver.shown()
        assert.deepStrictEqual(others, [])
        assert.deepStrictEqual(
          [one?.ref, one?.task, one?.statuses],
          ["9fceb02", "deploy:e-2", ["queued", "in_progress", "pending", "in_progress", "success"]]
        )
      })
    )
  )

  it.live("finds the deployment of a process that lost its answer", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const receiver = yield* server
        const gitHub = yield* channel(receiver.url)
        receiver.faultOnCall(2, { _tag: "Drop" })
        const error = yield* Effect.flip(send(gitHub, sampleMessage("started")))
        assert.isTrue(error.maybeSent)
        yield* send(gitHub, sampleMessage("started"), { attempt: 2 })
        assert.strictEqual(receiver.shown().length, 1)
      })
    )
  )

  it.live("makes the deployment before inactive, in production, too", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const receiver = yield* server
        const gitHub = yield* channel(receiver.url)
        for (const stream of ["e-1", "e-2", "e-3"]) yield* send(gitHub, sampleMessage("completed", { stream }))
        assert.deepStrictEqual(
          receiver.shown().map(({ statuses }) => statuses.at(-1)),
          ["inactive", "inactive", "success"]
        )
      })
    )
  )

  it.live("asks for a ref where the commit is not known", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const receiver = yield* server
        const gitHub = yield* channel(receiver.url, {})
        const { execution, ...message } = sampleMessage("started")
        const { origin: _, ...unknown } = execution!
        const error = yield* Effect.flip(send(gitHub, { ...message, execution: unknown }))
        assert.deepStrictEqual(
          [error.reason._tag, error.info.path],
          ["Invalid", "notifications.channels.ops.options.ref"]
        )
      })
    )
  )

  it("checks its options", () => {
    const { check } = kindOf("github")
    assert.deepStrictEqual(check({ repository: "acme/shop", token: { $secret: "T" } }), [])
    assert.deepStrictEqual(check({ repository: "shop", token: { $secret: "T" } })[0]?.path, ["repository"])
    assert.deepStrictEqual(check({ repository: "acme/shop/../x", token: { $secret: "T" } })[0]?.path, ["repository"])
    assert.deepStrictEqual(check({ repository: "acme/shop", token: "ghp_x" })[0]?.path, ["token"])
  })
})
