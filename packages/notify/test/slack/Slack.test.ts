import { messageText } from "@signalbox/core/spi"
import { sampleMessage, sampleMessages, withOutsideText } from "@signalbox/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { rootMessage, threadMessage } from "../../src/slack/blocks.ts"
import { blocksTooLarge } from "../../src/testing/slackLimits.ts"
import { openSlackServer } from "../../src/testing/index.ts"
import { fuzzed } from "../support/fuzzed.ts"
import { kindOf, opened, scoped, send } from "../support/opened.ts"

const token = "xoxb-1"
const setUp = Effect.gen(function* () {
  const slack = yield* scoped(() => openSlackServer(token))
  const options = { token: { $secret: "T" }, channel: "#deployments", endpoint: slack.endpoint, allow: ["127.0.0.1"] }
  return { slack, bot: yield* opened("slack", options, { T: token }) }
})
const start = 1_790_000_000_000

describe.concurrent("a bot of Slack", () => {
  it.live(
    "has one message for an execution: progress changes it, and only a failure is broadcast from its thread",
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const { bot, slack } = yield* setUp
          const kinds = ["started", "progress", "stalled", "recovered", "failed"] as const
          let earlier = null
          for (const [index, kind] of kinds.entries()) {
            const at = start + index * 10_000
            earlier = yield* send(bot, sampleMessage(kind), { id: `d-${index}`, at, earlier })
          }
          const [root, ...replies] = slack.shown()
          assert.strictEqual(root?.changes, 4)
          assert.include(root?.text, "FAILED")
          assert.deepStrictEqual(
            replies.map(({ broadcast, under }) => ({ broadcast, under })),
            [
              { broadcast: false, under: root?.id },
              { broadcast: false, under: root?.id },
              { broadcast: true, under: root?.id }
            ]
          )
          assert.deepStrictEqual(earlier, { channel: "C0DEPLOYS", ts: root!.id, last: "d-4", at: start + 40_000 })
        })
      )
  )

  it.live("changes its message for progress at most every 3 seconds, and at once for a change of state", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { bot, slack } = yield* setUp
        let earlier = yield* send(bot, sampleMessage("started"), { at: start })
        for (let second = 1; second <= 9; second++) {
          const more = { id: `p-${second}`, at: start + second * 1_000, earlier }
          earlier = yield* send(bot, sampleMessage("progress"), more)
        }
        assert.strictEqual(slack.shown()[0]?.changes, 3)
        yield* send(bot, sampleMessage("completed"), { id: "d-2", at: start + 9_100, earlier })
        assert.strictEqual(slack.shown()[0]?.changes, 4)
      })
    )
  )

  it.live("posts a new message where the old one was deleted", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { bot, slack } = yield* setUp
        const earlier = yield* send(bot, sampleMessage("started"), { at: start })
        slack.lose(String(earlier["ts"]))
        const receipt = yield* send(bot, sampleMessage("failed"), { id: "d-2", at: start + 10_000, earlier })
        assert.notStrictEqual(receipt["ts"], earlier["ts"])
        assert.deepStrictEqual(
          slack.shown().map(({ id, under }) => ({ id, under })),
          [{ id: String(receipt["ts"]), under: undefined }]
        )
      })
    )
  )

  it.live("adds no second message if a reply fails after the change of the first", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { bot, slack } = yield* setUp
        const earlier = yield* send(bot, sampleMessage("started"), { at: start })
        const more = { id: "d-2", at: start + 10_000, earlier }
        slack.faultOnCall(3, { _tag: "RateLimited", retryAfterMs: 1_000 })
        const error = yield* Effect.flip(send(bot, sampleMessage("failed"), more))
        assert.strictEqual(error.reason._tag, "RateLimited")
        yield* send(bot, sampleMessage("failed"), { ...more, attempt: 2 })
        assert.strictEqual(slack.shown().filter(({ under }) => under === undefined).length, 1)
        assert.strictEqual(slack.shown().length, 2)
      })
    )
  )

  it.live("says what a missing scope or an unknown channel needs", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { slack } = yield* setUp
        const options = { token: { $secret: "T" }, channel: "#gone", endpoint: slack.endpoint, allow: ["127.0.0.1"] }
        const gone = yield* Effect.flip(
          Effect.flatMap(opened("slack", options, { T: token }), (bot) => send(bot, sampleMessage("test")))
        )
        assert.deepStrictEqual(
          [gone.reason._tag, gone.message, gone.reason.hint?.includes("invited")],
          ["Gone", "Slack answers channel_not_found", true]
        )
        const wrong = yield* Effect.flip(
          Effect.flatMap(opened("slack", options, { T: "xoxb-2" }), (bot) => send(bot, sampleMessage("test")))
        )
        assert.strictEqual(wrong.reason._tag, "Denied")
      })
    )
  )
})

describe("a message of Slack", () => {
  it("stays within the limits of Slack for 1,000 random messages", () => {
    let largest = 0
    for (let seed = 1; seed <= 1_000; seed++) {
      const message = fuzzed(seed)
      const text = messageText(message)
      for (const one of [rootMessage(message, text), threadMessage(message, text)]) {
        assert.isUndefined(blocksTooLarge(one), `seed ${seed}`)
        largest = Math.max(largest, JSON.stringify(one.blocks).length)
      }
    }
    // The largest ones come near to the limit: they are not just cut short.
    assert.isAbove(largest, 8_000)
  })

  it("has text without blocks' markup in every kind", () => {
    for (const message of sampleMessages().map((one) => withOutsideText(one, "*b* _i_ ~s~ `c` :bomb: <!here>"))) {
      const { blocks } = rootMessage(message, messageText(message))
      assert.notInclude(JSON.stringify(blocks), "mrkdwn")
      assert.notInclude(JSON.stringify(blocks), "<!here>")
    }
  })
})

describe("the options of Slack", () => {
  const { check } = kindOf("slack")
  const token = { $secret: "T" }
  it.each([
    [{ token, channel: "C0123ABCD" }, undefined],
    [{ token, channel: "#deployments" }, undefined],
    [{ webhookUrl: token }, undefined],
    [{ token }, ["channel"]],
    [{ channel: "#deployments" }, ["token"]],
    [{ token, channel: "deployments" }, ["channel"]],
    [{ webhookUrl: token, channel: "#deployments" }, ["channel"]],
    [{ token: "xoxb-1", channel: "#deployments" }, ["token"]],
    [{ tokn: token, channel: "#deployments" }, ["tokn"]]
  ])("%j", (options, path) => {
    assert.deepStrictEqual(check(options as never)[0]?.path.map(String), path)
  })
})
