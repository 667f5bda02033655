import { defineConfig, output } from "@signalbox/core"

/** Seconds where a real service would take minutes: so that the demo is over in one. */
const gate = {
  gracePeriod: "1 second",
  interval: "200 millis",
  consecutivePasses: 3,
  minSamples: 20,
  maxErrorCount: 10,
  errorWindow: "1 minute"
} as const

const service = (role: string) => ({
  command: ["node", "server.mjs", role],
  instances: 2,
  readiness: { path: "/ready", interval: "200 millis" },
  drain: "2 seconds"
})

export default defineConfig({
  organization: "acme",
  project: "shop",
  environments: { production: {} },
  notifications: {
    channels: { terminal: { kind: "console" } },
    routes: [{ when: { kind: ["started", "completed", "failed", "rolled_back"] }, to: "terminal" }]
  },
  stacks: [
    {
      name: "inventory",
      provider: "local",
      gate,
      properties: service("inventory")
    },
    {
      name: "api",
      provider: "local",
      dependsOn: ["inventory"],
      strategy: { type: "rolling", batches: 2 },
      gate,
      properties: { ...service("api"), env: { UPSTREAM: output("inventory", "url") } }
    },
    {
      name: "web",
      provider: "local",
      dependsOn: ["api"],
      strategy: {
        type: "canary",
        steps: [
          { weight: 10, bake: "3 seconds" },
          { weight: 50, bake: "3 seconds" },
          { weight: 100, bake: "2 seconds" }
        ]
      },
      gate,
      properties: {
        ...service("web"),
        port: Number(process.env["DEMO_PORT"] ?? 8080),
        env: { UPSTREAM: output("api", "url") }
      }
    }
  ]
})
