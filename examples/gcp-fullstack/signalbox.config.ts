import { defineConfig } from "@signalbox/core"
import { cloudRun, firebaseHosting, gcp } from "@signalbox/provider-gcp"
import { fileURLToPath } from "node:url"

export default defineConfig({
  organization: "acme",
  project: "shop",
  environments: { production: { account: "shop-prod", region: "europe-west1" } },
  plugins: [gcp()],
  stacks: [
    cloudRun({
      name: "api",
      // A person looks at 10 % and at 50 %; here, the program that sends the requests does.
      strategy: {
        type: "canary",
        steps: [
          { weight: 10, bake: "0 millis", approval: {} },
          { weight: 50, bake: "0 millis", approval: {} }
        ]
      },
      // Seconds here; the defaults are minutes.
      gate: { interval: "200 millis", consecutivePasses: 1, gracePeriod: "0 millis" },
      properties: { service: "api", image: "europe-docker.pkg.dev/shop-prod/apps/api:${version}" }
    }),
    firebaseHosting({
      name: "web",
      dependsOn: ["api"],
      strategy: { type: "blue_green", bake: "0 millis" },
      gate: { interval: "200 millis", consecutivePasses: 1, gracePeriod: "0 millis" },
      properties: {
        site: "shop",
        // The example keeps its state in another folder; otherwise "releases/${version}/firebase.json" would do.
        config: `${fileURLToPath(new URL("releases/", import.meta.url))}\${version}/firebase.json`
      }
    })
  ]
})
