import { defineConfig } from "@signalbox/core"
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
        template: "orders.yaml",
        parameters: { Version: "${version}" },
        protect: ["AWS::DynamoDB::Table"]
      }
    })
  ]
})
