/**
 * The account and the region that a simulator plays, and the names that it gives there.
 */
export interface Place {
  readonly account: string
  readonly region: string
  /** An id of that many hexadecimal digits; the seed determines it. */
  readonly id: (digits: number) => string
}

export const arnOf = ({ account, region }: Place, service: string, resource: string): string =>
  `arn:aws:${service}:${region}:${account}:${resource}`

/** What metrics call a load balancer or a target group: the end of its ARN. */
export const suffixOf = (arn: string): string => arn.slice(arn.lastIndexOf(":") + 1).replace(/^loadbalancer\//, "")
