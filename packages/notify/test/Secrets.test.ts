/**
 * Forty planted secrets, in every option that takes one: none occurs in what is rendered, received, returned or reported, also if
 * a message repeats them.
 */
import { fromNotifier } from "@signalbox/core/plugin"
import { type Json, messageText, type Notifier } from "@signalbox/core/spi"
import { sampleMessage, withOutsideText } from "@signalbox/core/testing"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { open as openEmail } from "../src/email/EmailChannel.ts"
import { openGitHubServer, openPagerDutyServer, openSlackServer, openWebhookReceiver } from "../src/testing/index.ts"
import { openMailServer } from "./email/MailServer.ts"
import { opened, scoped } from "./support/opened.ts"

const planted = Array.from({ length: 40 }, (_, index) => createHash("sha256").update(`planted ${index}`).digest("hex"))
const from = (first: number, count: number) => planted.slice(first, first + count)
const ref = (name: string) => ({ $secret: name })
const allow = ["127.0.0.1"]

/** A channel, its receiver, and the secrets that are planted in it. */
interface Case {
  readonly secrets: ReadonlyArray<string>
  readonly notifier: Notifier
  /** Everything that the receiver was told, except the credentials themselves. */
  readonly received: () => string
  readonly fault: (fault: never) => void
}

const webhook = (secrets: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const receiver = yield* scoped(openWebhookReceiver)
    const [path = "", ...others] = secrets
    const signing = others.slice(0, 4)
    const env = Object.fromEntries([
      ["URL", `${receiver.url}/${path}`],
      ...signing.map((secret, index) => [`S${index}`, `whsec_${secret.slice(0, 60)}`]),
      ...others.slice(4).map((secret, index) => [`H${index}`, secret])
    ])
    const options = {
      url: ref("URL"),
      signingSecrets: signing.map((_, index) => ref(`S${index}`)),
      headers: Object.fromEntries(others.slice(4).map((_, index) => [`x-token-${index}`, ref(`H${index}`)])),
      allow
    }
    const received = () =>
      receiver.calls
        .map(({ body, headers }) => `${body} ${headers["webhook-signature"]} ${headers["ce-id"]}`)
        .join("\n")
    return { secrets, notifier: yield* opened("webhook", options, env), received, fault: receiver.fault }
  })

const slack = ([secret = ""]: ReadonlyArray<string>, isBot: boolean) =>
  Effect.gen(function* () {
    const receiver = yield* scoped(() => openSlackServer(secret))
    const notifier = isBot
      ? opened("slack", { token: ref("T"), channel: "C0DEPLOYS", endpoint: receiver.endpoint, allow }, { T: secret })
      : opened("slack", { webhookUrl: ref("U"), allow }, { U: `${receiver.url}/services/T0/${secret}` })
    const received = () => receiver.calls.map(({ body }) => body).join("\n")
    return { secrets: [secret], notifier: yield* notifier, received, fault: receiver.fault }
  })

const pagerDuty = ([secret = ""]: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const receiver = yield* scoped(() => openPagerDutyServer(secret))
    const notifier = yield* opened("pagerduty", { routingKey: ref("K"), endpoint: receiver.url, allow }, { K: secret })
    // The key is part of the body: PagerDuty has no other place for it.
    const received = () => receiver.calls.map(({ body }) => body.replace(`"routing_key":"${secret}"`, "")).join("\n")
    return { secrets: [secret], notifier, received, fault: receiver.fault }
  })

const gitHub = ([secret = ""]: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const receiver = yield* scoped(() => openGitHubServer(secret))
    const options = { repository: "acme/shop", token: ref("T"), ref: "main", endpoint: receiver.url, allow }
    const received = () => receiver.calls.map(({ body, path }) => path + body).join("\n")
    return {
      secrets: [secret],
      notifier: yield* opened("github", options, { T: secret }),
      received,
      fault: receiver.fault
    }
  })

const mail = ([secret = ""]: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const onAuth = (_: unknown, __: unknown, done: (error: null, user: { readonly user: string }) => void) =>
      done(null, { user: "signalbox" })
    const server = yield* scoped(() => openMailServer({ disabledCommands: [], onAuth }))
    const options: Json = {
      host: "127.0.0.1",
      port: server.port,
      user: "signalbox",
      password: ref("P"),
      from: "signalbox@example.com",
      to: ["ops@example.com"]
    }
    const plugin = {
      load: (context: Parameters<typeof openEmail>[0]) => openEmail(context, { rejectUnauthorized: false })
    }
    const place = { directory: ".", stateDirectory: ".signalbox" }
    const notifier = yield* fromNotifier("email", plugin, place, () => secret).make("ops", options)
    const received = () =>
      server
        .shown()
        .map(({ html, raw, text }) => raw + text + html)
        .join("\n")
    return { secrets: [secret], notifier, received, fault: server.fault }
  })

/** A secret as it is, and as it would be hidden from a simple search. */
const forms = (secret: string) => [
  secret,
  secret.slice(0, 60),
  Buffer.from(secret).toString("base64").slice(0, 60),
  encodeURIComponent(secret)
]

it.live("lets none of 40 secrets out", () =>
  Effect.scoped(
    Effect.gen(function* () {
      const cases: ReadonlyArray<Case> = yield* Effect.all([
        ...[0, 8, 16].map((first) => webhook(from(first, 8))),
        ...[24, 25, 26, 27].map((first) => slack(from(first, 1), true)),
        ...[28, 29, 30, 31].map((first) => slack(from(first, 1), false)),
        ...[32, 33, 34].map((first) => pagerDuty(from(first, 1))),
        ...[35, 36, 37].map((first) => gitHub(from(first, 1))),
        ...[38, 39].map((first) => mail(from(first, 1)))
      ])
      assert.deepStrictEqual(
        cases.flatMap(({ secrets }) => secrets),
        planted
      )
      let searched = 0
      for (const { fault, notifier, received, secrets } of cases) {
        const told: Array<string> = []
        const isUrl = secrets.length > 1 || notifier.capabilities.dedupe === "none"
        // What a URL contains is no value of its own, so a message that repeats it is not recognised.
        const repeated = isUrl ? "" : secrets.join(" ")
        for (const tag of [undefined, "RateLimited", "Unavailable", "Drop", "Denied", "Gone"] as const) {
          if (tag !== undefined) fault({ _tag: tag, retryAfterMs: 1_000 } as never)
          const message = withOutsideText(sampleMessage("failed", { stream: `e-${tag ?? "none"}` }), repeated)
          const rendered = notifier.render(message, messageText(message))
          const delivery = {
            id: `d-${tag}`,
            thread: message.stream,
            attempt: 1,
            at: Date.now(),
            earlier: null,
            message
          }
          const outcome = yield* Effect.result(notifier.send(delivery, rendered))
          told.push(JSON.stringify([rendered, outcome]))
          if (outcome._tag === "Failure") told.push(JSON.stringify([outcome.failure.message, outcome.failure.info]))
        }
        const everything = `${told.join("\n")}\n${received()}`
        assert.include(everything, "production")
        for (const secret of secrets) {
          for (const form of forms(secret)) assert.isFalse(everything.includes(form), `${notifier.kind} tells a secret`)
        }
        searched += everything.length
      }
      assert.isAbove(searched, 40_000)
    })
  )
)
