/**
 * The operations on load balancers and their listeners.
 */
import {
  type CreateListenerCommandInput,
  type CreateListenerCommandOutput,
  CreateListener$,
  type CreateLoadBalancerCommandInput,
  type CreateLoadBalancerCommandOutput,
  CreateLoadBalancer$,
  type DeleteListenerCommandInput,
  type DeleteListenerCommandOutput,
  DeleteListener$,
  type DescribeListenersCommandInput,
  type DescribeListenersCommandOutput,
  DescribeListeners$,
  type DescribeLoadBalancersCommandInput,
  type DescribeLoadBalancersCommandOutput,
  DescribeLoadBalancers$,
  type Listener as ListenerJson,
  type ModifyListenerCommandInput,
  type ModifyListenerCommandOutput,
  ModifyListener$
} from "@aws-sdk/client-elastic-load-balancing-v2"
import { arnOf } from "../Place.ts"
import { AwsError } from "../wire/AwsError.ts"
import { operation, type Service } from "../wire/Endpoint.ts"
import { pageOf } from "../wire/pages.ts"
import { Listener } from "./Listener.ts"
import type { LoadBalancing } from "./LoadBalancing.ts"
import { checkedFor } from "./rules.ts"

const jsonOf = (listener: Listener): ListenerJson => ({
  ...listener.json,
  DefaultActions: [...listener.default.actions]
})

export const balancerOperations = (state: LoadBalancing): Service["operations"] => {
  const { clock, nodes, pageSize, place } = state.options
  return {
    CreateLoadBalancer: operation<CreateLoadBalancerCommandInput, CreateLoadBalancerCommandOutput>(
      CreateLoadBalancer$,
      (input) => {
        const { Name = "", Scheme = "internet-facing", Tags = [], Type = "application" } = input
        if (Type !== "application") throw new AwsError("InvalidConfigurationRequest", "Only application load balancers")
        const same = [...state.balancers.values()].find(({ json }) => json.LoadBalancerName === Name)
        // A repeated call succeeds.
        if (same !== undefined) return { LoadBalancers: [same.json] }
        const arn = arnOf(place, "elasticloadbalancing", `loadbalancer/app/${Name}/${place.id(16)}`)
        const json = {
          LoadBalancerArn: arn,
          LoadBalancerName: Name,
          DNSName: `${Name}-${place.id(10)}.${place.region}.elb.amazonaws.com`,
          CanonicalHostedZoneId: "Z215JYRZR1TBD5",
          CreatedTime: new Date(clock.now()),
          Scheme,
          Type,
          State: { Code: "active" as const },
          VpcId: "vpc-0a1b2c3d",
          IpAddressType: "ipv4" as const,
          SecurityGroups: input.SecurityGroups ?? [],
          AvailabilityZones: (input.Subnets ?? []).map((SubnetId, at) => ({
            SubnetId,
            ZoneName: `${place.region}${"abc"[at % 3]}`
          }))
        }
        state.balancers.set(arn, { arn, json, listeners: new Map() })
        state.tags.set(arn, Tags)
        return { LoadBalancers: [json] }
      }
    ),
    DescribeLoadBalancers: operation<DescribeLoadBalancersCommandInput, DescribeLoadBalancersCommandOutput>(
      DescribeLoadBalancers$,
      ({ LoadBalancerArns: arns, Marker, Names: names, PageSize }) => {
        const all = [...state.balancers.values()].map(({ json }) => json)
        const byName = (name: string) => {
          const found = all.find((json) => json.LoadBalancerName === name)
          if (found === undefined) throw new AwsError("LoadBalancerNotFound", `Load balancers '[${name}]' not found`)
          return found
        }
        if (arns !== undefined && arns.length > 0) return { LoadBalancers: arns.map((arn) => state.balancer(arn).json) }
        if (names !== undefined && names.length > 0) return { LoadBalancers: names.map(byName) }
        const { items, next } = pageOf(all, Marker, PageSize, pageSize)
        return { LoadBalancers: items, NextMarker: next }
      }
    ),
    CreateListener: operation<CreateListenerCommandInput, CreateListenerCommandOutput>(
      CreateListener$,
      async (input) => {
        const balancer = state.balancer(input.LoadBalancerArn!)
        const { Port = 80, Protocol = "HTTP" } = input
        if ([...balancer.listeners.values()].some(({ json }) => json.Port === Port)) {
          throw new AwsError("DuplicateListener", "A listener already exists on this port for this load balancer")
        }
        const actions = checkedFor(state, balancer, input.DefaultActions ?? [], Protocol === "HTTPS", [])
        const at = `${balancer.arn.replace(":loadbalancer/", ":listener/")}/${place.id(16)}`
        const rule = `${at.replace(":listener/", ":listener-rule/")}/${place.id(16)}`
        const listener = new Listener(
          {
            ListenerArn: at,
            LoadBalancerArn: balancer.arn,
            Port,
            Protocol,
            ...(input.Certificates === undefined ? {} : { Certificates: input.Certificates }),
            ...(Protocol === "HTTPS" ? { SslPolicy: input.SslPolicy ?? "ELBSecurityPolicy-TLS13-1-2-2021-06" } : {})
          },
          { arn: rule, priority: "default", conditions: [], actions, tags: [] },
          nodes,
          clock
        )
        state.changing(() => balancer.listeners.set(at, listener))
        state.tags.set(at, input.Tags ?? [])
        await state.serve(balancer, listener)
        return { Listeners: [jsonOf(listener)] }
      }
    ),
    DescribeListeners: operation<DescribeListenersCommandInput, DescribeListenersCommandOutput>(
      DescribeListeners$,
      ({ ListenerArns: arns = [], LoadBalancerArn, Marker, PageSize }) => {
        if (LoadBalancerArn === undefined) {
          return { Listeners: arns.map((arn) => jsonOf(state.listener(arn).listener)) }
        }
        const all = [...state.balancer(LoadBalancerArn).listeners.values()]
        const { items, next } = pageOf(all, Marker, PageSize, pageSize)
        return { Listeners: items.map(jsonOf), NextMarker: next }
      }
    ),
    ModifyListener: operation<ModifyListenerCommandInput, ModifyListenerCommandOutput>(ModifyListener$, (input) => {
      const { balancer, listener } = state.listener(input.ListenerArn!)
      const { Certificates, DefaultActions, Port, Protocol, SslPolicy } = input
      if (DefaultActions !== undefined && DefaultActions.length > 0) {
        const secure = (Protocol ?? listener.json.Protocol) === "HTTPS"
        const actions = checkedFor(state, balancer, DefaultActions, secure, listener.default.actions)
        state.changing(() => (listener.default.actions = actions))
        state.propagate(listener)
      }
      const rest = Object.entries({ Certificates, Port, Protocol, SslPolicy }).filter(
        ([, value]) => value !== undefined
      )
      Object.assign(listener.json, Object.fromEntries(rest))
      return { Listeners: [jsonOf(listener)] }
    }),
    DeleteListener: operation<DeleteListenerCommandInput, DeleteListenerCommandOutput>(
      DeleteListener$,
      async ({ ListenerArn }) => {
        const { balancer } = state.listener(ListenerArn!)
        await state.removeListener(balancer, ListenerArn!)
        return {}
      }
    )
  }
}
