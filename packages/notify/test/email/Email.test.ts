import { NotifierSuite, sampleMessage, withOutsideText } from "@signalbox/core/testing"
import { fromNotifier } from "@signalbox/core/plugin"
import type { Json } from "@signalbox/core/spi"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { open } from "../../src/email/EmailChannel.ts"
import { smtpReason } from "../../src/email/smtpReason.ts"
import { kindOf, opened, scoped, send } from "../support/opened.ts"
import { openMailServer } from "./MailServer.ts"

const password = "s3cr3t-mail-password"
const from = "signalbox@example.com"
const to = ["team@example.com", "ops@example.com"]
const local = (port: number, more: object = {}) => ({ host: "127.0.0.1", port, security: "none", from, to, ...more })

/** A channel that takes the certificate of the test's server, or of no one. */
const encrypted = (options: Json, rejectUnauthorized: boolean) =>
  fromNotifier(
    "email",
    { load: (context) => open(context, { rejectUnauthorized }) },
    { directory: ".", stateDirectory: ".signalbox" },
    () => password
  ).make("ops", options)

const login = { security: "starttls", user: "signalbox", password: { $secret: "PASSWORD" } }

NotifierSuite.suite("mail", {
  capabilities: { update: false, thread: true, acknowledge: true, dedupe: "key", limits: { bytes: 60_000 } },
  // Handshakes are slow: what needs a password is tested below.
  faults: NotifierSuite.allFaults.filter((fault) => fault !== "Denied"),
  make: Effect.gen(function* () {
    const server = yield* scoped(openMailServer)
    const channel = opened("email", local(server.port, { to: to.slice(0, 1) }))
    return {
      notifier: yield* channel,
      another: channel,
      received: Effect.sync(server.shown),
      connections: Effect.sync(server.connections),
      fault: (fault) => Effect.sync(() => server.fault(fault))
    }
  })
})

describe.concurrent("mail", () => {
  it.live("is in one thread for an execution, marked as automatic, in text and HTML", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* scoped(openMailServer)
        const mail = yield* opened("email", local(server.port))
        const earlier = yield* send(mail, sampleMessage("started"), { id: "d-1" })
        yield* send(mail, sampleMessage("failed"), { id: "d-2", earlier })
        const [first, second] = server.shown()
        assert.strictEqual(first?.header("References"), undefined)
        assert.strictEqual(second?.header("References"), first?.id)
        assert.strictEqual(second?.header("In-Reply-To"), first?.id)
        assert.strictEqual(second?.header("Auto-Submitted"), "auto-generated")
        assert.match(second?.header("Subject") ?? "", /shop production.*FAILED/)
        assert.strictEqual(second?.header("To"), to.join(", "))
        assert.match(second?.html ?? "", /<h1[^>]*>shop production.*FAILED/)
      })
    )
  )

  it.live("has no markup from outside in HTML, and no link but to http", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* scoped(openMailServer)
        const mail = yield* opened("email", local(server.port))
        const message = withOutsideText(sampleMessage("failed"), `<script>alert(1)</script><img src="x" onerror='y'>`)
        yield* send(mail, { ...message, links: [{ to: "trace", url: "javascript:alert(1)" }] })
        const [{ html } = { html: "" }] = server.shown()
        assert.include(html, "&lt;script&gt;")
        assert.notMatch(html, /<script|<img|href="javascript/)
      })
    )
  )

  it.live("sends neither password nor mail without encryption or a valid certificate", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const plain = yield* scoped(openMailServer)
        const withTls = yield* scoped(() => openMailServer({ disabledCommands: [] }))
        for (const { port } of [plain, withTls]) {
          const mail = yield* encrypted(local(port, login), true)
          const error = yield* Effect.flip(send(mail, sampleMessage("failed")))
          assert.strictEqual(error.reason._tag, "Unavailable")
          assert.include(error.message, "certificate")
        }
        assert.deepStrictEqual([...plain.shown(), ...withTls.shown()], [])
        const mail = yield* encrypted(local(withTls.port, login), false)
        withTls.fault({ _tag: "Denied" })
        const denied = yield* Effect.flip(send(mail, sampleMessage("failed")))
        assert.strictEqual(denied.reason._tag, "Denied")
        yield* send(mail, sampleMessage("failed"))
        assert.deepStrictEqual(
          withTls.shown().map(({ secure }) => secure),
          [true]
        )
      })
    )
  )

  it.live("reaches the other recipients if one is gone, and says so in the receipt", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const server = yield* scoped(openMailServer)
        const mail = yield* opened("email", local(server.port, { to: ["gone@example.com", ...to] }))
        const receipt = yield* send(mail, sampleMessage("failed"))
        assert.strictEqual(receipt["rejected"], 1)
        assert.strictEqual(server.shown().length, 1)
      })
    )
  )
})

describe("failures of SMTP", () => {
  it.each([
    [421, "421 4.3.2 closing", "Unavailable"],
    [450, "450 4.7.1 greylisted", "RateLimited"],
    [452, "452 4.2.2 full", "Unavailable"],
    [535, "535 5.7.8 no", "Denied"],
    [550, "550 5.1.1 no such user", "Gone"],
    [550, "550 5.7.1 not allowed", "Denied"],
    [552, "552 5.3.4 too big", "TooLarge"],
    [554, "554 5.6.0 no", "Invalid"]
  ] as const)("%i: %s is %s", (responseCode, response, tag) => {
    const reason = smtpReason("mail", { responseCode, response }, true)
    assert.strictEqual(reason._tag, tag)
    assert.notInclude(reason.message, response.slice(10))
  })
})

describe("the options of mail", () => {
  const { check } = kindOf("email")
  const options = { host: "mail.example.com", from, to }
  const secret = { $secret: "PASSWORD" }
  it.each([
    [options, undefined],
    [{ ...options, user: "signalbox", password: secret }, undefined],
    [{ ...options, user: "signalbox" }, ["password"]],
    [{ ...options, user: "signalbox", password: secret, security: "none" }, ["security"]],
    [{ ...options, to: [] }, ["to"]],
    [{ ...options, to: ["a@example.com\r\nBcc: b@example.com"] }, ["to", "0"]],
    [{ ...options, from: "Signalbox <a@example.com>" }, ["from"]],
    [{ ...options, port: 0 }, ["port"]],
    [{ ...options, hots: "x" }, ["hots"]]
  ])("%j", (options, path) => {
    assert.deepStrictEqual(check(options as never)[0]?.path.map(String), path)
  })
})
