import { NotifierSuite } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { openWebhookReceiver } from "../../src/testing/index.ts"
import { harness, opened, scoped } from "../support/opened.ts"

const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`
const token = "Bearer t0p-s3cr3t-token"

NotifierSuite.suite("a webhook", {
  capabilities: { update: false, thread: false, acknowledge: true, dedupe: "key", limits: { bytes: 20_000 } },
  faults: NotifierSuite.allFaults,
  secrets: [secret, token],
  make: Effect.flatMap(scoped(openWebhookReceiver), (receiver) =>
    harness(
      receiver,
      opened(
        "webhook",
        {
          url: `${receiver.url}/hooks/signalbox`,
          signingSecrets: [{ $secret: "SIGNING" }],
          headers: { authorization: { $secret: "AUTH" } },
          allow: ["127.0.0.1"]
        },
        { SIGNING: secret, AUTH: token }
      )
    )
  )
})
