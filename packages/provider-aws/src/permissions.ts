/**
 * The permissions that Signalbox needs: the calls that it makes, and on what.
 */

/** The calls by purpose. A transaction needs the permissions of its writes. */
const calls = {
  store: [
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem"
  ],
  bootstrap: [
    "dynamodb:CreateTable",
    "dynamodb:DescribeTable",
    "dynamodb:DescribeTimeToLive",
    "dynamodb:UpdateContinuousBackups",
    "dynamodb:UpdateTimeToLive"
  ]
} as const satisfies Readonly<Record<string, ReadonlyArray<string>>>

/** What a policy is for. */
export type Purpose = keyof typeof calls

export const purposes = Object.keys(calls) as ReadonlyArray<Purpose>

const partitionOf = (region: string): string =>
  region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws"

/** The smallest policy for a purpose, on the table of a store. */
export const policyFor = (
  purpose: Purpose,
  { region = "*", table }: { readonly table: string; readonly region?: string }
) => ({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Action: calls[purpose],
      Resource: `arn:${partitionOf(region)}:dynamodb:${region}:*:table/${table}`
    }
  ]
})
