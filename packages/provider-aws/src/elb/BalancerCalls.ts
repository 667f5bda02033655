/**
 * The calls of load balancing.
 */
import type { Action, ElasticLoadBalancingV2, TargetHealthDescription } from "@aws-sdk/client-elastic-load-balancing-v2"
import type { Mutation, ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { SeenTarget } from "../groups/Ready.ts"
import { type Aws, type AwsPlace, Caller, type Failure } from "../client/index.ts"
import type { LoadBalancingCall } from "../iam/calls.ts"
import { isRule } from "../client/arns.ts"

const targetFrom = ({ Target, TargetHealth }: TargetHealthDescription): SeenTarget => ({
  id: Target?.Id ?? "",
  state: TargetHealth?.State ?? "unavailable",
  reason: TargetHealth?.Description ?? TargetHealth?.Reason ?? ""
})

export class BalancerCalls {
  readonly #elb: Caller<ElasticLoadBalancingV2, LoadBalancingCall>

  constructor(aws: Aws, place: AwsPlace) {
    this.#elb = new Caller("elasticloadbalancing", () => aws.loadBalancing(place))
  }

  /** The actions of a rule, or the default ones of a listener; `Missing` if it is not there. */
  actions(forwarder: string): Effect.Effect<ReadonlyArray<Action>, ProviderReason> {
    const found = isRule(forwarder)
      ? this.#elb
          .read("DescribeRules", (client, options) => client.describeRules({ RuleArns: [forwarder] }, options))
          .pipe(Effect.map(({ Rules = [] }) => Rules[0]?.Actions))
      : this.#elb
          .read("DescribeListeners", (client, options) =>
            client.describeListeners({ ListenerArns: [forwarder] }, options)
          )
          .pipe(Effect.map(({ Listeners = [] }) => Listeners[0]?.DefaultActions))
    return Effect.flatMap(found, (actions) =>
      actions === undefined
        ? Effect.fail<ProviderReason>({ _tag: "Missing", message: `${forwarder} is not there` })
        : Effect.succeed(actions)
    )
  }

  /** Replaces the actions of a rule, or the default ones of a listener. */
  setActions(forwarder: string, actions: ReadonlyArray<Action>, mutation: Mutation): Effect.Effect<void, Failure> {
    return Effect.asVoid(
      isRule(forwarder)
        ? this.#elb.change("ModifyRule", mutation, (client, options) =>
            client.modifyRule({ RuleArn: forwarder, Actions: [...actions] }, options)
          )
        : this.#elb.change("ModifyListener", mutation, (client, options) =>
            client.modifyListener({ ListenerArn: forwarder, DefaultActions: [...actions] }, options)
          )
    )
  }

  tags(arn: string): Effect.Effect<ReadonlyMap<string, string>, ProviderReason> {
    return this.#elb
      .read("DescribeTags", (client, options) => client.describeTags({ ResourceArns: [arn] }, options))
      .pipe(
        Effect.map(
          ({ TagDescriptions = [] }) =>
            new Map((TagDescriptions[0]?.Tags ?? []).map(({ Key, Value }) => [Key!, Value ?? ""]))
        )
      )
  }

  tag(arn: string, tags: Readonly<Record<string, string>>, mutation: Mutation): Effect.Effect<void, Failure> {
    return Effect.asVoid(
      this.#elb.change("AddTags", mutation, (client, options) =>
        client.addTags(
          { ResourceArns: [arn], Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) },
          options
        )
      )
    )
  }

  untag(arn: string, keys: ReadonlyArray<string>, mutation: Mutation): Effect.Effect<void, Failure> {
    return Effect.asVoid(
      this.#elb.change("RemoveTags", mutation, (client, options) =>
        client.removeTags({ ResourceArns: [arn], TagKeys: [...keys] }, options)
      )
    )
  }

  /** The ARNs of those target groups that are there. */
  targetGroups(arns: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>, ProviderReason> {
    return Effect.map(
      Effect.forEach(arns, (arn) =>
        this.#elb
          .read("DescribeTargetGroups", (client, options) =>
            client.describeTargetGroups({ TargetGroupArns: [arn] }, options)
          )
          .pipe(
            Effect.map(({ TargetGroups = [] }) => TargetGroups.map((one) => one.TargetGroupArn!)),
            Effect.catch((reason) => (reason._tag === "Missing" ? Effect.succeed([]) : Effect.fail(reason)))
          )
      ),
      (found) => found.flat()
    )
  }

  /** What a target group thinks of its targets. */
  targets(targetGroup: string): Effect.Effect<ReadonlyArray<SeenTarget>, ProviderReason> {
    return this.#elb
      .read("DescribeTargetHealth", (client, options) =>
        client.describeTargetHealth({ TargetGroupArn: targetGroup }, options)
      )
      .pipe(Effect.map(({ TargetHealthDescriptions = [] }) => TargetHealthDescriptions.map(targetFrom)))
  }
}
