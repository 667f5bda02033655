/**
 * What the ARNs of load balancing say.
 */

/** The parts of an ARN. */
export interface Arn {
  readonly partition: string
  readonly region: string
  readonly account: string
  /** What stands after the account. */
  readonly resource: string
}

export const parseArn = (arn: string): Arn => {
  const [, partition = "", , region = "", account = "", ...rest] = arn.split(":")
  return { partition, region, account, resource: rest.join(":") }
}

/** The load balancer of a listener or of a rule, as CloudWatch names it: `app/<name>/<id>`. */
export const loadBalancerIn = (arn: string): string => {
  const [, type = "", name = "", id = ""] = parseArn(arn).resource.split("/")
  return [type, name, id].join("/")
}

/** The listener that a rule belongs to; a listener itself. */
export const listenerOf = (arn: string): string => {
  const parts = arn.replace(":listener-rule/", ":listener/").split("/")
  return parts.slice(0, 5).join("/")
}

/** A target group, as CloudWatch names it: `targetgroup/<name>/<id>`. */
export const targetGroupIn = (arn: string): string => parseArn(arn).resource

/** Whether an ARN is one of a rule. */
export const isRule = (arn: string): boolean => arn.includes(":listener-rule/")
