import { messageText, notificationKinds, type NotifyError, utf8Length } from "@signalbox/core/spi"
import { sampleMessage, sampleMessages, withOutsideText } from "@signalbox/core/testing"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Webhook } from "standardwebhooks"
import { openWebhookReceiver } from "../../src/testing/index.ts"
import { cdEvent } from "../../src/webhook/cdEvent.ts"
import { kindOf, opened, scoped, send } from "../support/opened.ts"
import { CdEvent } from "./specification.ts"

const secretOf = (fill: number, length = 32) => `whsec_${Buffer.alloc(length, fill).toString("base64")}`
const env = { OLD: secretOf(1, 24), NEW: secretOf(2, 64) }
const optionsOf = (url: string, ...names: ReadonlyArray<string>) => ({
  url,
  signingSecrets: names.map((name) => ({ $secret: name })),
  allow: ["127.0.0.1"]
})

describe.concurrent("a webhook", () => {
  it.live("is signed so that the library of the standard verifies it, also while secrets rotate", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const receiver = yield* scoped(openWebhookReceiver)
        const messages = sampleMessages().flatMap((one) => [one, withOutsideText(one, 'ü€😀"\\<&>')])
        for (const names of [["OLD"], ["NEW", "OLD"], ["NEW"]]) {
          const notifier = yield* opened("webhook", optionsOf(receiver.url, ...names), env)
          for (const [index, message] of messages.entries()) {
            yield* send(notifier, message, { id: `${names}-${index}`.replace(",", "-") })
            const { body, headers } = receiver.calls.at(-1)!
            for (const [name, secret] of Object.entries(env)) {
              const verify = () => new Webhook(secret).verify(body, headers as Record<string, string>)
              if (names.includes(name)) assert.deepStrictEqual(verify(), JSON.parse(body))
              else assert.throws(verify)
            }
          }
        }
        assert.strictEqual(receiver.calls.length, 3 * messages.length)
      })
    )
  )

  it.live("keeps its id in a repeat and renews its time and signature", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const receiver = yield* scoped(openWebhookReceiver)
        const notifier = yield* opened("webhook", optionsOf(receiver.url, "OLD"), env)
        yield* send(notifier, sampleMessage("failed"), { at: 1_790_000_000_000 })
        yield* send(notifier, sampleMessage("failed"), { at: 1_790_000_060_000, attempt: 2 })
        const [first, second] = receiver.calls.map(({ headers }) => headers)
        assert.strictEqual(first?.["webhook-id"], second?.["webhook-id"])
        assert.strictEqual(Number(second?.["webhook-timestamp"]) - Number(first?.["webhook-timestamp"]), 60)
        assert.notStrictEqual(first?.["webhook-signature"], second?.["webhook-signature"])
        assert.strictEqual(receiver.shown().length, 1)
      })
    )
  )

  it.live("carries the attributes of its event in its headers", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const receiver = yield* scoped(openWebhookReceiver)
        const notifier = yield* opened("webhook", optionsOf(receiver.url, "OLD"), env)
        yield* send(notifier, sampleMessage("rolled_back"))
        const { body, headers } = receiver.calls[0]!
        const { context, subject } = JSON.parse(body)
        assert.strictEqual(headers["content-type"], "application/json")
        assert.deepStrictEqual(
          [headers["ce-specversion"], headers["ce-id"], headers["ce-source"], headers["ce-type"]],
          ["1.0", context.id, context.source, context.type]
        )
        assert.deepStrictEqual([headers["ce-subject"], headers["ce-time"]], [subject.id, context.timestamp])
        assert.strictEqual(context.chainId, "e-2")
        assert.strictEqual(subject.content.outcome, "failure")
      })
    )
  )

  it("has an event of CDEvents for the course of an execution, and its own for the rest", () => {
    const types = Object.fromEntries(
      sampleMessages().map((message) => {
        const { context } = cdEvent(message, messageText(message)) as { readonly context: { readonly type: string } }
        return [message.facts.kind, context.type]
      })
    )
    assert.strictEqual(types["waiting"], "dev.cdevents.pipelinerun.queued.0.3.0")
    assert.strictEqual(types["started"], "dev.cdevents.pipelinerun.started.0.3.0")
    for (const kind of ["completed", "failed", "cancelled", "rolled_back"]) {
      assert.strictEqual(types[kind], "dev.cdevents.pipelinerun.finished.0.3.0")
    }
    assert.strictEqual(types["approval_requested"], "dev.cdeventsx.signalbox-notification.approvalrequested.0.1.0")
    assert.strictEqual(Object.keys(types).length, notificationKinds.length)
  })

  it("sends what the specification allows, whatever the texts are", () => {
    const decode = Schema.decodeUnknownSync(CdEvent)
    for (const text of [
      "1.4.2",
      "x".repeat(5_000),
      "ü€😀".repeat(2_000),
      "a\r\nb\u001b[31m\u202e\ud800%",
      " ",
      "/?#"
    ]) {
      for (const message of sampleMessages().map((one) => withOutsideText(one, text))) {
        decode(cdEvent(message, messageText(message)), { onExcessProperty: "error" })
      }
    }
  })

  it("stays below 20 kB with very many stacks", () => {
    const message = withOutsideText(sampleMessage("failed"), '"\\€'.repeat(2_000))
    const many = { ...message, stacks: Array.from({ length: 500 }, () => message.stacks[0]!) }
    assert.isAtMost(utf8Length(JSON.stringify(cdEvent(many, messageText(many)))), 20_000)
  })

  it.live("is rejected with a signing secret that is too short, and does not show it", () =>
    Effect.gen(function* () {
      const short = `whsec_${Buffer.alloc(16, 3).toString("base64")}`
      const error: NotifyError = yield* Effect.flip(
        opened("webhook", optionsOf("https://hooks.example.com/x", "SHORT"), { SHORT: short })
      )
      assert.strictEqual(error.reason._tag, "Invalid")
      assert.strictEqual(error.info.path, "notifications.channels.ops.options.signingSecrets.0")
      assert.notInclude(JSON.stringify(error.info), short)
    })
  )
})

describe("the options of a webhook", () => {
  const { check } = kindOf("webhook")
  const signingSecrets = [{ $secret: "NEW" }]

  it.each([
    [{ url: "https://hooks.example.com/x", signingSecrets }, undefined],
    [{ url: { $secret: "URL" }, signingSecrets, allow: ["10.2.0.0/16"] }, undefined],
    [{ url: "http://10.2.0.7/x", signingSecrets, allow: ["10.2.0.0/16"] }, undefined],
    [{ signingSecrets }, ["url"]],
    [{ url: "http://hooks.example.com/x", signingSecrets }, ["url"]],
    [{ url: "ftp://hooks.example.com/x", signingSecrets }, ["url"]],
    [{ url: "https://user:pass@hooks.example.com/x", signingSecrets }, ["url"]],
    [{ url: "https://hooks.example.com/x", signingSecrets: [] }, ["signingSecrets"]],
    [{ url: "https://hooks.example.com/x", signingSecrets: ["whsec_x"] }, ["signingSecrets", "0"]],
    [{ url: "https://hooks.example.com/x", signingSecrets, allow: ["10.2.0.0/40"] }, ["allow", "0"]],
    [{ url: "https://hooks.example.com/x", signingSecrets, headers: { "webhook-id": "x" } }, ["headers", "webhook-id"]],
    [{ url: "https://hooks.example.com/x", signingSecrets, headers: { "x-a": "a\r\nb: c" } }, ["headers", "x-a"]],
    [{ url: "https://hooks.example.com/x", signingSecret: 1 }, ["signingSecret"]]
  ])("%j", (options, path) => {
    assert.deepStrictEqual(check(options as never)[0]?.path.map(String), path)
  })
})
