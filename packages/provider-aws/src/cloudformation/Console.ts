/**
 * Pages of the console, in whatever partition a stack is.
 */

const domains: Readonly<Record<string, string>> = {
  aws: "console.aws.amazon.com",
  "aws-cn": "console.amazonaws.cn",
  "aws-us-gov": "console.amazonaws-us-gov.com"
}

const page = (stackId: string, path: string, query: string): string | undefined => {
  const [, partition, , region] = stackId.split(":")
  const domain = domains[partition ?? ""]
  if (domain === undefined || region === undefined) return undefined
  return `https://${region}.${domain}/cloudformation/home?region=${region}#/stacks/${path}?${query}`
}

const named = (key: string, value: string) => `${key}=${encodeURIComponent(value)}`

/** The overview of a stack. */
export const stackPage = (stackId: string): string | undefined => page(stackId, "stackinfo", named("stackId", stackId))

/** The events of a stack. */
export const eventsPage = (stackId: string): string | undefined => page(stackId, "events", named("stackId", stackId))
