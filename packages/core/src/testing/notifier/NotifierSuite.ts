/**
 * The contract of every notifier, as tests. Authors of a channel run this suite on it, against a receiver that answers as the
 * real one does.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { Message } from "../../domain/notification/index.ts"
import {
  type Delivery,
  type Notifier,
  type NotifierCapabilities,
  type NotifyError,
  type Receipt,
  utf8Length
} from "../../spi/index.ts"
import { messageText } from "../../text/index.ts"
import { sampleMessage, sampleMessages, withOutsideText } from "./sampleMessages.ts"
import type { NotifierHarness, Received, ReceiverFault } from "./NotifierSuiteHarness.ts"
import { eventually } from "../suites/storeSuiteStores.ts"

export type { NotifierHarness, Received, ReceiverFault } from "./NotifierSuiteHarness.ts"

/**
 * The options of the suite.
 *
 * *Details*: `capabilities` are the expected ones. `faults` names the faults that the receiver of the harness can have (default
 * none). `secrets` are the values of the channel's secrets: none of them may be rendered, returned or reported. `hostile` are
 * texts with the channel's own markup, and what the receiver must then not get. `timeoutMillis` bounds each test (default
 * 60,000).
 */
export interface NotifierSuiteOptions {
  readonly capabilities: NotifierCapabilities
  readonly make: Effect.Effect<NotifierHarness, unknown, Scope.Scope>
  readonly faults?: ReadonlyArray<ReceiverFault["_tag"]>
  readonly secrets?: ReadonlyArray<string>
  readonly hostile?: ReadonlyArray<{ readonly text: string; readonly forbidden: string | RegExp }>
  readonly timeoutMillis?: number
}

const deliveryOf = (message: Message, id: string, more: Partial<Delivery> = {}): Effect.Effect<Delivery> =>
  Effect.map(Clock.currentTimeMillis, (at) => ({
    id,
    thread: message.stream,
    attempt: 1,
    at: Math.floor(at),
    earlier: null,
    message,
    ...more
  }))

const render = (notifier: Notifier, message: Message) => notifier.render(message, messageText(message))

/** What the database gives back of a receipt. */
const stored = (receipt: Receipt): Receipt => JSON.parse(JSON.stringify(receipt)) as Receipt

const send = (notifier: Notifier, message: Message, id: string, more: Partial<Delivery> = {}) =>
  Effect.flatMap(deliveryOf(message, id, more), (delivery) => notifier.send(delivery, render(notifier, message)))

/**
 * Declares the suite: call it at the top of a test file. The tests run on the real clock.
 *
 * *Example*
 *
 * ```ts
 * NotifierSuite.suite("webhook", { capabilities, make: Effect.map(receiver, harness), faults: NotifierSuite.allFaults })
 * ```
 */
export const suite = (name: string, options: NotifierSuiteOptions): void => {
  const { capabilities, faults = [], hostile = [], secrets = [], timeoutMillis = 60_000 } = options
  const check = (title: string, body: (harness: NotifierHarness) => Effect.Effect<unknown, unknown, Scope.Scope>) =>
    it.live(title, () => Effect.scoped(Effect.flatMap(options.make, body)), timeoutMillis)
  const clean = (what: string, text: string) => {
    for (const secret of secrets) assert.isFalse(text.includes(secret), `${what} holds a secret`)
  }

  describe(`${name} keeps the Notifier port`, () => {
    check("declares its capabilities honestly", ({ notifier }) =>
      Effect.sync(() => assert.deepStrictEqual(notifier.capabilities, options.capabilities))
    )

    check("shows each notification once, with its project and environment", ({ notifier, received }) =>
      Effect.gen(function* () {
        yield* send(notifier, sampleMessage("completed", { stream: "e-1" }), "id-1")
        yield* send(notifier, sampleMessage("failed", { stream: "e-2" }), "id-2")
        const seen = roots(yield* received)
        assert.strictEqual(seen.length, 2)
        for (const { text } of seen) {
          assert.include(text, "shop")
          assert.include(text, "production")
        }
        if (capabilities.dedupe === "key") {
          assert.deepStrictEqual(
            seen.map(({ key }) => key),
            ["id-1", "id-2"]
          )
        }
      })
    )

    check("renders the same message the same way", ({ notifier }) =>
      Effect.sync(() => {
        for (const message of sampleMessages()) {
          assert.deepStrictEqual(render(notifier, message), render(notifier, message))
        }
      })
    )

    check("sends every kind of notification", ({ notifier }) =>
      Effect.gen(function* () {
        for (const message of sampleMessages()) yield* send(notifier, message, `id-${message.facts.kind}`)
      })
    )

    check("a repeat shows nothing new, or carries the same key", ({ notifier, received }) =>
      Effect.gen(function* () {
        const message = sampleMessage("failed")
        const receipt = yield* send(notifier, message, "id-1")
        const before = yield* received
        yield* send(notifier, message, "id-1", {
          attempt: 2,
          ...(capabilities.dedupe === "update" ? { earlier: stored(receipt) } : {})
        })
        const after = yield* received
        if (capabilities.dedupe === "none") return
        const fresh = after.slice(before.length)
        assert.deepStrictEqual(
          fresh.filter(({ key }) => key !== "id-1"),
          []
        )
        if (capabilities.dedupe === "update") assert.deepStrictEqual(fresh, [])
      })
    )

    check("continues a thread from a receipt, also in another process", ({ another, notifier, received }) =>
      Effect.gen(function* () {
        const receipt = yield* send(notifier, sampleMessage("started", { seq: 1 }), "id-1")
        const [root] = roots(yield* received)
        const other = another === undefined ? notifier : yield* another
        yield* send(other, sampleMessage("failed", { seq: 9 }), "id-2", { earlier: stored(receipt) })
        const seen = yield* received
        if (capabilities.update) {
          const now = seen.find(({ id }) => id === root?.id)
          assert.isAbove(now?.changes ?? 0, root?.changes ?? 0, "the first notification was not changed")
        }
        if (capabilities.thread) {
          assert.isNotEmpty(
            seen.filter(({ under }) => under === root?.id),
            "nothing stands in the thread"
          )
        }
        if (capabilities.update || capabilities.thread) assert.strictEqual(roots(seen).length, 1)
        else assert.strictEqual(roots(seen).length, 2)
      })
    )

    check("stays within the limits whatever the texts are", ({ notifier }) =>
      Effect.gen(function* () {
        const texts = ["x".repeat(5_000), "ü€😀".repeat(2_000), '"\\'.repeat(2_500), "<&>*_~`".repeat(800)]
        for (const [index, text] of texts.entries()) {
          for (const kind of ["failed", "progress", "recovery_summary", "vetoed"] as const) {
            const large = withOutsideText(sampleMessage(kind), text)
            const size = utf8Length(JSON.stringify(render(notifier, large)))
            assert.isAtMost(size, capabilities.limits.bytes, `${kind} with ${text.slice(0, 6)}…`)
            yield* send(notifier, large, `id-${kind}-${index}`)
          }
        }
      })
    )

    check("passes on no line breaks, escape sequences or markup from outside", ({ notifier, received }) =>
      Effect.gen(function* () {
        const texts = [
          { text: "a\r\nBcc: all@example.com\r\n", forbidden: /^Bcc:/m },
          { text: "\u001b[31mred\u0007", forbidden: "\u001b" },
          { text: "\u202egnp.exe", forbidden: "\u202e" },
          ...hostile
        ]
        for (const [index, { forbidden, text }] of texts.entries()) {
          for (const kind of ["failed", "vetoed"] as const) {
            yield* send(notifier, withOutsideText(sampleMessage(kind), text), `id-${kind}-${index}`)
          }
          for (const { raw, text: shown } of yield* received) {
            for (const part of [raw, shown]) {
              assert.isFalse(
                typeof forbidden === "string" ? part.includes(forbidden) : forbidden.test(part),
                `${JSON.stringify(text)} came through`
              )
            }
          }
        }
      })
    )

    check("renders and returns no secret", ({ notifier }) =>
      Effect.gen(function* () {
        for (const message of sampleMessages()) {
          clean("what is rendered", JSON.stringify(render(notifier, message)))
          clean("the receipt", JSON.stringify(yield* send(notifier, message, `id-${message.facts.kind}`)))
        }
      })
    )

    const failing = (
      tag: ReceiverFault["_tag"],
      fault: ReceiverFault,
      title: string,
      judge: (error: NotifyError) => void
    ) => {
      if (!faults.includes(tag)) return
      check(title, ({ fault: set, notifier, received }) =>
        Effect.gen(function* () {
          yield* set!(fault)
          const message = sampleMessage("failed")
          const error = yield* Effect.flip(send(notifier, message, "id-1"))
          judge(error)
          clean("the error", JSON.stringify([error.message, error.info]))
          // The next attempt succeeds, unless the receiver was lost for good.
          yield* send(notifier, message, "id-1", { attempt: 2 })
          assert.isNotEmpty(yield* received)
        })
      )
    }

    failing(
      "RateLimited",
      { _tag: "RateLimited", retryAfterMs: 7_000 },
      "reports a rate limit with its pause",
      (error) => {
        assert.strictEqual(error.reason._tag, "RateLimited")
        if (error.reason._tag === "RateLimited") assert.isAtLeast(error.reason.retryAfterMs, 6_000)
        assert.isTrue(error.isRetryable)
        assert.isFalse(error.maybeSent)
      }
    )
    failing("Unavailable", { _tag: "Unavailable" }, "reports a receiver that fails", (error) => {
      assert.strictEqual(error.reason._tag, "Unavailable")
      assert.isTrue(error.isRetryable)
    })
    failing("Drop", { _tag: "Drop" }, "reports a lost answer as perhaps sent", (error) => {
      assert.strictEqual(error.reason._tag, "Unknown")
      assert.isTrue(error.isRetryable)
      assert.isTrue(error.maybeSent)
    })
    failing("Gone", { _tag: "Gone" }, "reports a receiver that is gone for good", (error) => {
      assert.strictEqual(error.reason._tag, "Gone")
      assert.isFalse(error.isRetryable)
    })
    failing("Denied", { _tag: "Denied" }, "reports refused credentials", (error) => {
      assert.strictEqual(error.reason._tag, "Denied")
      assert.isFalse(error.isRetryable)
    })

    if (faults.includes("Hang")) {
      check("closes its connection when it is interrupted", ({ connections, fault, notifier }) =>
        Effect.gen(function* () {
          const open = (expected: boolean) =>
            eventually(Effect.flatMap(connections!, (now) => (now > 0 === expected ? Effect.void : Effect.fail(now))))
          yield* fault!({ _tag: "Hang" })
          const sending = yield* Effect.forkChild(send(notifier, sampleMessage("failed"), "id-1"))
          yield* open(true)
          yield* Fiber.interrupt(sending)
          yield* open(false)
        })
      )
    }
  })
}

/** All faults that a receiver can have. */
export const allFaults: ReadonlyArray<ReceiverFault["_tag"]> = [
  "RateLimited",
  "Unavailable",
  "Hang",
  "Drop",
  "Gone",
  "Denied"
]

const roots = (all: ReadonlyArray<Received>): ReadonlyArray<Received> => all.filter(({ under }) => under === undefined)
