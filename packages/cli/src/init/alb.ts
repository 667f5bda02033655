/**
 * The file of `init --template alb`: a configuration to begin with.
 */
import type { Template } from "./write.ts"

const config = `// From here: npm install --save-dev @signalbox/core @signalbox/provider-aws, signalbox init, signalbox deploy --dry-run
import { defineConfig } from "@signalbox/core"
import { alb, aws } from "@signalbox/provider-aws"

const arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012"

export default defineConfig({
  organization: "acme",
  project: "hello",

  // A plan that leads to another account is rejected.
  environments: { production: { region: "eu-west-1", account: "123456789012" } },

  plugins: [aws()],

  stacks: [
    alb({
      name: "hello",

      // A candidate is judged by the requests that CloudWatch has counted, minute by minute.
      strategy: { type: "canary", steps: [{ weight: 10, bake: "5 minutes" }] },
      properties: {
        listener: arn + ":listener/app/hello/0123456789abcdef/0123456789abcdef",

        // A release is brought in on the one that has no traffic.
        blue: { targetGroup: arn + ":targetgroup/hello-blue/0123456789abcdef", autoScalingGroup: "hello-blue" },
        green: { targetGroup: arn + ":targetgroup/hello-green/0123456789abcdef", autoScalingGroup: "hello-green" },

        // Each release gets a version of its own, made from this one.
        launchTemplate: { id: "lt-0123456789abcdef0", version: 1 },
        artifact: "s3://acme-builds/hello-\${version}.zip",
        capacity: 2
      }
    })
  ]
})
`

export const alb: Template = [["signalbox.config.ts", config]]
