import type { Plugin } from "@signalbox/core/plugin"

/**
 * Deploys CloudFormation stacks, and keeps a shared store in DynamoDB.
 */
export const aws = (): Plugin => ({
  name: "@signalbox/provider-aws",
  spiVersion: 1
})
