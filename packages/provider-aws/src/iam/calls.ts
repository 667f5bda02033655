/**
 * Every call that the plug-in makes, with the purpose that needs it. Policies are printed from this table, and code
 * can make no call that is not in it.
 */

/** What credentials are for: to look and preview; to deploy, roll back and destroy; to keep the shared store; to create its table. */
export type Purpose = "plan" | "deploy" | "store" | "bootstrap"

/** The calls of CloudFormation. Credentials to deploy may also plan. */
export const cloudFormationCalls = {
  DescribeStacks: "plan",
  GetTemplate: "plan",
  DescribeStackEvents: "plan",
  ListStackResources: "plan",
  DetectStackDrift: "plan",
  DescribeStackDriftDetectionStatus: "plan",
  DescribeStackResourceDrifts: "plan",
  DescribeStackResource: "deploy",
  CreateStack: "deploy",
  UpdateStack: "deploy",
  DeleteStack: "deploy",
  ListChangeSets: "deploy",
  CreateChangeSet: "deploy",
  DescribeChangeSet: "deploy",
  ExecuteChangeSet: "deploy",
  DeleteChangeSet: "deploy",
  CancelUpdateStack: "deploy",
  ContinueUpdateRollback: "deploy",
  RollbackStack: "deploy"
} as const satisfies Readonly<Record<string, Purpose>>

/** Calls that IAM cannot limit to a stack. */
export const unlimitedCalls: ReadonlyArray<string> = [
  "cloudformation:DescribeStackDriftDetectionStatus",
  "cloudwatch:DescribeAlarms"
]

/** The name of a call of CloudFormation. */
export type CloudFormationCall = keyof typeof cloudFormationCalls

/** The calls of DynamoDB. A transaction needs the permissions of what is in it. */
export const storeCalls = {
  BatchGetItem: "store",
  BatchWriteItem: "store",
  ConditionCheckItem: "store",
  DeleteItem: "store",
  GetItem: "store",
  PutItem: "store",
  Query: "store",
  UpdateItem: "store",
  CreateTable: "bootstrap",
  DescribeTable: "bootstrap",
  DescribeTimeToLive: "bootstrap",
  UpdateContinuousBackups: "bootstrap",
  UpdateTimeToLive: "bootstrap"
} as const satisfies Readonly<Record<string, Purpose>>
