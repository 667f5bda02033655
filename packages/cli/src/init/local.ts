/**
 * The files of `init --template local`: a working configuration and application, on this machine only.
 */
import type { Template } from "./write.ts"

const config = `// A configuration that works as it is. From here: signalbox deploy --version v1
import { defineConfig } from "@signalbox/core"

export default defineConfig({
  organization: "acme",
  project: "hello",

  // Each environment has its own releases, status and lock. With more than one, commands want --environment.
  environments: { production: {} },

  stacks: [
    {
      name: "web",
      provider: "local", // processes on this machine, behind a proxy

      // A new release comes up beside the old one, takes over all requests, and is watched for 3 seconds. A canary
      // gives it a share of them first, and needs requests to judge by:
      // strategy: { type: "canary", steps: [{ weight: 10, bake: "5 minutes" }] },
      strategy: { type: "blue_green", bake: "3 seconds" },

      // What a release has to show, else everything goes back. Seconds here; the defaults are minutes.
      gate: {
        minHealthyPercentage: 80,
        maxErrorCount: 10,
        errorWindow: "1 minute",
        gracePeriod: "2 seconds",
        interval: "500 millis",
        consecutivePasses: 2,
        minSamples: 0 // it need not have been asked anything
      },

      // What the provider is told: what to run, and how often.
      properties: {
        artifact: "./app",
        command: ["node", "server.mjs"],
        instances: 2,
        readiness: { path: "/" }
      }
    }
  ]
})
`

const server = `// Listens where it is told to, and says which version it is.
import { createServer } from "node:http"

const { PORT, SIGNALBOX_VERSION } = process.env
createServer((_, response) => response.end(\`hello from \${SIGNALBOX_VERSION}\\n\`)).listen(Number(PORT), "127.0.0.1")
`

export const local: Template = [
  ["signalbox.config.ts", config],
  ["app/server.mjs", server]
]
