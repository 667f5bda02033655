/**
 * The smallest policies with which the plug-in works.
 */
import { cloudFormationCalls, type Purpose, storeCalls, unlimitedCalls } from "./calls.ts"

/** What a policy is for, and what it is limited to; everything of a kind by default. */
export interface PolicyRequest {
  readonly purpose: Purpose
  readonly partition?: string
  readonly region?: string
  readonly account?: string
  /** The name of a stack, or a pattern of names. */
  readonly stack?: string
  /** The role that CloudFormation uses, by ARN. */
  readonly role?: string
  /** The bucket of long templates. */
  readonly bucket?: string
  readonly table?: string
  /** Templates in S3, as bucket and key, or a pattern. */
  readonly templates?: string
}

interface Statement {
  readonly Sid: string
  readonly Effect: "Allow"
  readonly Action: ReadonlyArray<string>
  readonly Resource: string | ReadonlyArray<string>
  readonly Condition?: object
}

export interface Policy {
  readonly Version: "2012-10-17"
  readonly Statement: ReadonlyArray<Statement>
}

const named = (service: string, calls: Readonly<Record<string, Purpose>>, purposes: ReadonlyArray<Purpose>) =>
  Object.entries(calls)
    .filter(([, purpose]) => purposes.includes(purpose))
    .map(([call]) => `${service}:${call}`)
    .sort()

/** The policy for a purpose. Who may deploy may also plan. */
export const policyFor = ({
  account = "*",
  bucket,
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
