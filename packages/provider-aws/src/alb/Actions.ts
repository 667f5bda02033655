/**
 * The actions of a listener or of a rule: a change replaces all of them, so what is not ours is read and sent again.
 */
import type { Action, TargetGroupTuple } from "@aws-sdk/client-elastic-load-balancing-v2"
import type { AlbProperties } from "./AlbProperties.ts"
import { colours } from "./AlbProperties.ts"
import type { Weights } from "./State.ts"

/** The target groups that an action forwards to, with their weights. */
const targetsOf = ({ ForwardConfig, TargetGroupArn }: Action): ReadonlyArray<TargetGroupTuple> =>
  ForwardConfig?.TargetGroups ?? (TargetGroupArn === undefined ? [] : [{ TargetGroupArn, Weight: 1 }])

export const forwardIn = (actions: ReadonlyArray<Action>): Action | undefined =>
  actions.find(({ Type }) => Type === "forward")

/** The weight of each colour; 0 for one that is not forwarded to. */
export const weightsIn = (actions: ReadonlyArray<Action>, properties: AlbProperties): Weights => {
  const forward = forwardIn(actions)
  const weights = new Map(
    forward === undefined ? [] : targetsOf(forward).map((one) => [one.TargetGroupArn, one.Weight ?? 1])
  )
  const of = (colour: "blue" | "green") => weights.get(properties[colour].targetGroup) ?? 0
  return { blue: of("blue"), green: of("green") }
}

/** Target groups that are forwarded to and are none of the stack's. */
export const strangersIn = (actions: ReadonlyArray<Action>, properties: AlbProperties): ReadonlyArray<string> => {
  const forward = forwardIn(actions)
  const own = colours.map((colour) => properties[colour].targetGroup)
  return (forward === undefined ? [] : targetsOf(forward)).flatMap(({ TargetGroupArn = "" }) =>
    own.includes(TargetGroupArn) ? [] : [TargetGroupArn]
  )
}

/** Whether both target groups are forwarded to, with whatever weight: one that is not is never checked. */
export const attachesBoth = (actions: ReadonlyArray<Action>, properties: AlbProperties): boolean => {
  const forward = forwardIn(actions)
  const found = (forward === undefined ? [] : targetsOf(forward)).map(({ TargetGroupArn }) => TargetGroupArn)
  return colours.every((colour) => found.includes(properties[colour].targetGroup))
}

/** For how long sessions stick to a target group, in seconds; 0 if they do not. */
export const stickySeconds = (actions: ReadonlyArray<Action>): number => {
  const { DurationSeconds = 0, Enabled = false } = forwardIn(actions)?.ForwardConfig?.TargetGroupStickinessConfig ?? {}
  return Enabled ? DurationSeconds : 0
}

/** The same actions with other weights. The ones before the forward action, such as `authenticate-oidc`, stay. */
export const withWeights = (
  actions: ReadonlyArray<Action>,
  properties: AlbProperties,
  weights: Weights
): Array<Action> =>
  actions.map((action) => {
    // The secret of a provider is never shown, so it cannot be sent again.
    if (action.Type === "authenticate-oidc") {
      const { ClientSecret: _, ...config } = action.AuthenticateOidcConfig!
      return { ...action, AuthenticateOidcConfig: { ...config, UseExistingClientSecret: true } }
    }
    if (action.Type !== "forward") return action
    const { TargetGroupArn: _, ...rest } = action
    return {
      ...rest,
      ForwardConfig: {
        ...rest.ForwardConfig,
        TargetGroups: colours.map((colour) => ({
          TargetGroupArn: properties[colour].targetGroup,
          Weight: weights[colour]
        }))
      }
    }
  })
