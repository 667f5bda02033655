/**
 * The file of `init --template cloud-run`: a configuration to begin with.
 */
import type { Template } from "./write.ts"

const config = `// From here: npm install --save-dev @signalbox/core @signalbox/provider-gcp, signalbox init, signalbox deploy --dry-run
import { defineConfig } from "@signalbox/core"
import { cloudRun, gcp } from "@signalbox/provider-gcp"

export default defineConfig({
  organization: "acme",
  project: "hello",

  // account is the project. A plan that leads to another one, or to another region, is rejected.
  environments: { production: { account: "acme-prod", region: "europe-west1" } },

  plugins: [gcp()],

  stacks: [
    cloudRun({
      name: "hello",

      // The new revision is ready, under an address of its own, before it gets any traffic.
      strategy: { type: "blue_green" },
      properties: {
        service: "hello",
        image: "europe-west1-docker.pkg.dev/acme-prod/apps/hello:\${version}"
      }
    })
  ]
})
`

export const cloudRun: Template = [["signalbox.config.ts", config]]
