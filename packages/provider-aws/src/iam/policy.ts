/**
 * The smallest policies with which the plug-in works.
 */
import { cloudFormationCalls, type Purpose, storeCalls, unlimitedCalls } from "./calls.ts"
import { groupStatements } from "./groups.ts"
import { named, type Policy, type Statement } from "./statement.ts"

export type { Policy } from "./statement.ts"

/** The kinds of stacks that a policy can be for. */
export const kinds = ["cloudformation", "alb", "asg"] as const
export type Kind = (typeof kinds)[number]

/** What a policy is for, and what it is limited to; everything of a kind by default. */
export interface PolicyRequest {
  readonly purpose: Purpose
  /** The kind of stacks to plan and to deploy (default `cloudformation`). */
  readonly kind?: Kind
  readonly partition?: string
  readonly region?: string
  readonly account?: string
  /** The name of a stack, or a pattern of names. */
  readonly stack?: string
  /** The name of an Auto Scaling group, or a pattern of names. */
  readonly group?: string
  /** The role that CloudFormation or the instances use, by ARN. */
  readonly role?: string
  /** The bucket of long templates. */
  readonly bucket?: string
  readonly table?: string
  /** Templates in S3, as bucket and key, or a pattern. */
  readonly templates?: string
}

/** The policy for a purpose. Who may deploy may also plan. */
export const policyFor = ({
  account = "*",
  bucket,
  group = "*",
  kind = "cloudformation",
  partition = "aws",
  purpose,
  region = "*",
  role,
  stack = "*",
  table = "signalbox",
  templates
}: PolicyRequest): Policy => {
  const arn = (service: string, what: string) => `arn:${partition}:${service}:${region}:${account}:${what}`
  if (purpose === "store" || purpose === "bootstrap") {
    const statements: ReadonlyArray<Statement | false> = [
      {
        Sid: purpose === "store" ? "Store" : "Table",
        Effect: "Allow",
        Action: named("dynamodb", storeCalls, [purpose]),
        Resource: arn("dynamodb", `table/${table}`)
      },
      purpose === "bootstrap" &&
        bucket !== undefined && {
          Sid: "Bucket",
          Effect: "Allow",
          Action: ["s3:CreateBucket"],
          Resource: `arn:${partition}:s3:::${bucket}`
        }
    ]
    return { Version: "2012-10-17", Statement: statements.filter((statement) => statement !== false) }
  }
  const purposes: ReadonlyArray<Purpose> = purpose === "deploy" ? ["plan", "deploy"] : ["plan"]
  if (kind !== "cloudformation") {
    return { Version: "2012-10-17", Statement: groupStatements({ arn, group, kind, purpose, role }) }
  }
  const statements: ReadonlyArray<Statement | false> = [
    {
      Sid: "Stacks",
      Effect: "Allow",
      Action: named("cloudformation", cloudFormationCalls, purposes).filter((call) => !unlimitedCalls.includes(call)),
      Resource: arn("cloudformation", `stack/${stack}/*`)
    },
    { Sid: "Everywhere", Effect: "Allow", Action: unlimitedCalls, Resource: "*" },
    purpose === "deploy" && {
      Sid: "Services",
      Effect: "Allow",
      Action: ["ecs:DescribeServices"],
      Resource: arn("ecs", "service/*")
    },
    templates !== undefined && {
      Sid: "Read",
      Effect: "Allow",
      Action: ["s3:GetObject", "s3:GetObjectVersion"],
      Resource: `arn:${partition}:s3:::${templates}`
    },
    purpose === "deploy" &&
      bucket !== undefined && {
        Sid: "Templates",
        Effect: "Allow",
        Action: ["s3:GetObject", "s3:PutObject"],
        Resource: `arn:${partition}:s3:::${bucket}/signalbox/templates/*`
      },
    purpose === "deploy" &&
      role !== undefined && {
        Sid: "Role",
        Effect: "Allow",
        Action: ["iam:PassRole"],
        Resource: role,
        Condition: { StringEquals: { "iam:PassedToService": "cloudformation.amazonaws.com" } }
      }
  ]
  return { Version: "2012-10-17", Statement: statements.filter((statement) => statement !== false) }
}
