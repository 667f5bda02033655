import { defineConfig } from "@signalbox/core"
import { fileURLToPath } from "node:url"
import { aws, cloudformation } from "@signalbox/provider-aws"

export default defineConfig({
  organization: "acme",
  project: "orders",
  environments: { production: { region: "eu-west-1" } },
  plugins: [aws()],
  stacks: [
    cloudformation({
      name: "orders",
      // Seconds here; the defaults are minutes.
      gate: { interval: "500 millis", consecutivePasses: 1, gracePeriod: "0 millis" },
      properties: {
        stackName: "acme-orders",
        // The example keeps its state in another folder; otherwise "orders.yaml" would do.
        template: fileURLToPath(new URL("orders.yaml", import.meta.url)),
        parameters: { Version: "${version}" },
        protect: ["AWS::DynamoDB::Table"]
      }
    })
  ]
})
