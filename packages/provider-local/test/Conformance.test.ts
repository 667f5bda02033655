import * as Effect from "effect/Effect"
import { ProviderSuite } from "@signalbox/core/testing"
import { LocalProvider } from "../src/index.ts"
import { bench, localProvider, mutation, probe, write } from "./harness.ts"

ProviderSuite.suite("local", {
  capabilities: LocalProvider.capabilities,
  groups: ["metrics", "drift", "restart", "fence", "canGoBack", "logs"],
  make: Effect.map(bench, ({ directory, provider, ref }) => ({
    provider,
    another: Effect.sync(() => localProvider({ directory })),
    // However busy the machine is.
    ref: ref("api", { instances: 1, readiness: { path: "/", timeout: "2 minutes", interval: "200 millis" } }),
    candidates: {
      v1: { version: "v1" },
      v2: { version: "v2" },
      broken: { version: "broken" },
      slow: { version: "slow" }
    },
    write: (text) => Effect.promise(() => write(directory, "api", `${text}\n`)),
    probe: probe(directory, "api")
  })),
  classify: [
    {
      name: "the properties are wrong",
      reason: "Invalid",
      provoke: ({ provider, ref }) => provider.plan({ ...ref, properties: { command: [] } }, { version: "v1" })
    },
    {
      name: "the artifact does not exist",
      reason: "Missing",
      provoke: ({ provider, ref }) => provider.plan(ref, { version: "v1", artifact: "no/such/folder" })
    },
    {
      name: "the artifact's host does not answer",
      reason: "Unavailable",
      provoke: ({ provider, ref }) => provider.plan(ref, { version: "v1", artifact: "http://127.0.0.1:9/app.tgz" })
    },
    {
      name: "nothing is deployed",
      reason: "Missing",
      provoke: ({ provider, ref }) => provider.restart!(ref, mutation("restart"))
    }
  ]
})
