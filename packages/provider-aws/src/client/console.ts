/**
 * Pages of the console.
 */
import { parseArn } from "./arns.ts"

const domains: Readonly<Record<string, string>> = {
  aws: "console.aws.amazon.com",
  "aws-cn": "console.amazonaws.cn",
  "aws-us-gov": "console.amazonaws-us-gov.com"
}

const page = (arn: string, fragment: string): string | undefined => {
  const { partition, region } = parseArn(arn)
  const domain = domains[partition]
  return domain === undefined ? undefined : `https://${region}.${domain}/ec2/home?region=${region}#${fragment}`
}

/** A listener with its rules. */
export const listenerPage = (listener: string): string | undefined =>
  page(listener, `ListenerDetails:listenerArn=${encodeURIComponent(listener)}`)

/** An Auto Scaling group, on the tab with what it does. */
export const groupPage = (arn: string, name: string, view = "activity"): string | undefined =>
  page(arn, `AutoScalingGroupDetails:id=${encodeURIComponent(name)};view=${view}`)
