import type { Plugin } from "@signalbox/core/plugin"

/**
 * Deploys CloudFormation stacks, and keeps a shared store in DynamoDB.
 */
export const aws = (): Plugin => ({
  name: "@signalbox/provider-aws",
  spiVersion: 1,
  stores: { dynamodb: { load: async (url) => (await import("./dynamodb/store.ts")).openStore(url) } },
  commands: {
    aws: {
      description: "Prepare AWS for Signalbox: bootstrap creates the table of a shared store",
      run: async (invocation) => (await import("./command.ts")).run(invocation)
    }
  }
})
