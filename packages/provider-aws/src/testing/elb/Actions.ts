/**
 * The actions of a rule: what is refused, and how they are read back.
 */
import type { Action, ForwardActionConfig } from "@aws-sdk/client-elastic-load-balancing-v2"
import { AwsError, invalid } from "../wire/AwsError.ts"

const final = new Set(["forward", "redirect", "fixed-response"])

/** A target group, as a rule forwards to it. */
export interface Weighted {
  readonly TargetGroupArn: string
  readonly Weight: number
}

/** The groups that a rule forwards to, with their weights. */
export const groupsOf = (actions: ReadonlyArray<Action>): ReadonlyArray<Weighted> =>
  actions.flatMap(({ ForwardConfig }) => (ForwardConfig?.TargetGroups ?? []) as Array<Weighted>)

const forwardOf = ({ ForwardConfig, TargetGroupArn }: Action): ForwardActionConfig => {
  const groups = ForwardConfig?.TargetGroups ?? []
  if (groups.length === 0) {
    if (TargetGroupArn === undefined) throw invalid("A target group must be specified")
    return { TargetGroups: [{ TargetGroupArn, Weight: 1 }], TargetGroupStickinessConfig: { Enabled: false } }
  }
  if (TargetGroupArn !== undefined && (groups.length > 1 || groups[0]!.TargetGroupArn !== TargetGroupArn)) {
    throw invalid("You can specify either a target group ARN or a forward configuration, or both if they are the same")
  }
  if (groups.length > 5) throw invalid("The maximum number of target groups in a forward action is 5")
  if (new Set(groups.map((one) => one.TargetGroupArn)).size < groups.length) {
    throw new AwsError("InvalidLoadBalancerAction", "The target groups of a forward action must be unique")
  }
  const stickiness = ForwardConfig?.TargetGroupStickinessConfig
  const duration = stickiness?.DurationSeconds
  if (stickiness?.Enabled === true && (duration === undefined || duration < 1 || duration > 604_800)) {
    throw invalid("The stickiness duration must be between 1 and 604800 seconds")
  }
  return {
    TargetGroups: groups.map((group) => {
      const { TargetGroupArn, Weight = 1 } = group
      if (TargetGroupArn === undefined) throw invalid("A target group ARN must be specified")
      if (!Number.isInteger(Weight) || Weight < 0 || Weight > 999) {
        throw invalid(`Weight '${Weight}' must be between 0 and 999`)
      }
      return { TargetGroupArn, Weight }
    }),
    TargetGroupStickinessConfig: stickiness?.Enabled === true ? stickiness : { Enabled: false }
  }
}

/**
 * The actions as AWS keeps them. `secure` tells whether the listener is one for HTTPS, where alone clients can be authenticated;
 * `before` are the actions until then, whose client secret may be kept.
 */
export const checkedActions = (
  sent: ReadonlyArray<Action>,
  secure: boolean,
  before: ReadonlyArray<Action>
): ReadonlyArray<Action> => {
  const ordered = sent.toSorted((a, b) => (a.Order ?? 50_000) - (b.Order ?? 50_000))
  const last = ordered.at(-1)
  if (last === undefined || !final.has(last.Type ?? "") || ordered.slice(0, -1).some(({ Type }) => final.has(Type!))) {
    throw new AwsError(
      "InvalidLoadBalancerAction",
      "Exactly one forward, redirect or fixed-response action must be there, and it must be the last one"
    )
  }
  return ordered.map((action, at) => {
    const order = ordered.length > 1 ? { Order: action.Order ?? at + 1 } : {}
    switch (action.Type) {
      case "forward": {
        const ForwardConfig = forwardOf(action)
        const [only, ...others] = ForwardConfig.TargetGroups!
        return {
          Type: action.Type,
          ...order,
          ...(others.length === 0 ? { TargetGroupArn: only!.TargetGroupArn } : {}),
          ForwardConfig
        }
      }
      case "authenticate-oidc": {
        const { ClientSecret, UseExistingClientSecret, ...config } = action.AuthenticateOidcConfig!
        const known = before.some(({ Type }) => Type === "authenticate-oidc")
        if (!secure) throw new AwsError("InvalidLoadBalancerAction", "Clients can only be authenticated over HTTPS")
        if (ClientSecret === undefined && !(UseExistingClientSecret === true && known)) {
          throw invalid("A client secret must be specified")
        }
        return { Type: action.Type, ...order, AuthenticateOidcConfig: config }
      }
      case "authenticate-cognito":
        if (!secure) throw new AwsError("InvalidLoadBalancerAction", "Clients can only be authenticated over HTTPS")
        return { ...action, ...order }
      case "redirect":
      case "fixed-response":
        return { ...action, ...order }
      default:
        throw new AwsError("InvalidLoadBalancerAction", `Action type '${action.Type}' must be one of the known ones`)
    }
  })
}
