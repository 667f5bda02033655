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

/** The calls of load balancing. */
export const loadBalancingCalls = {
  DescribeListeners: "plan",
  DescribeRules: "plan",
  DescribeTags: "plan",
  DescribeTargetGroups: "plan",
  DescribeTargetHealth: "plan",
  AddTags: "deploy",
  RemoveTags: "deploy",
  ModifyListener: "deploy",
  ModifyRule: "deploy"
} as const satisfies Readonly<Record<string, Purpose>>

/** The calls of Auto Scaling. */
export const autoScalingCalls = {
  DescribeAutoScalingGroups: "plan",
  DescribeInstanceRefreshes: "plan",
  DescribeScalingActivities: "plan",
  CreateOrUpdateTags: "deploy",
  DeleteTags: "deploy",
  RollbackInstanceRefresh: "deploy",
  CancelInstanceRefresh: "deploy",
  StartInstanceRefresh: "deploy",
  UpdateAutoScalingGroup: "deploy"
} as const satisfies Readonly<Record<string, Purpose>>

/** The calls of EC2. */
export const ec2Calls = {
  DescribeLaunchTemplateVersions: "plan",
  CreateLaunchTemplateVersion: "deploy"
} as const satisfies Readonly<Record<string, Purpose>>

/** The calls of CloudWatch. */
export const cloudWatchCalls = {
  DescribeAlarms: "plan",
  GetMetricData: "plan"
} as const satisfies Readonly<Record<string, Purpose>>

export type LoadBalancingCall = keyof typeof loadBalancingCalls
export type AutoScalingCall = keyof typeof autoScalingCalls
export type Ec2Call = keyof typeof ec2Calls
export type CloudWatchCall = keyof typeof cloudWatchCalls

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
