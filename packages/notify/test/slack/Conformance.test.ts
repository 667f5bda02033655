import { NotifierSuite } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { openSlackServer } from "../../src/testing/index.ts"
import { harness, opened, scoped } from "../support/opened.ts"

const token = "xoxb-planted-0000-bot-token"
const hostile = [
  { text: "<!channel> *now*", forbidden: "<!channel>" },
  { text: "<https://evil.example|Console>", forbidden: "<https" },
  { text: "<@U0123ABCD>", forbidden: "<@" }
]
const server = scoped(() => openSlackServer(token))

NotifierSuite.suite("a bot of Slack", {
  capabilities: {
    update: true,
    thread: true,
    acknowledge: true,
    dedupe: "update",
    limits: { bytes: 22_100, perMinute: 50 }
  },
  faults: NotifierSuite.allFaults,
  secrets: [token],
  hostile,
  make: Effect.flatMap(server, (slack) =>
    harness(
      slack,
      opened(
        "slack",
        { token: { $secret: "TOKEN" }, channel: "#deployments", endpoint: slack.endpoint, allow: ["127.0.0.1"] },
        { TOKEN: token }
      )
    )
  )
})

NotifierSuite.suite("an incoming webhook of Slack", {
  capabilities: {
    update: false,
    thread: false,
    acknowledge: true,
    dedupe: "none",
    limits: { bytes: 11_000, perMinute: 60 }
  },
  faults: NotifierSuite.allFaults,
  secrets: ["s3cr3t-path-of-a-webhook"],
  hostile,
  make: Effect.flatMap(server, (slack) =>
    harness(
      slack,
      opened("slack", { webhookUrl: { $secret: "HOOK" }, allow: ["127.0.0.1"] }, { HOOK: slack.webhookUrl })
    )
  )
})
