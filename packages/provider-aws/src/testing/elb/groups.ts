/**
 * The operations on target groups and their targets.
 */
import {
  type CreateTargetGroupCommandInput,
  type CreateTargetGroupCommandOutput,
  CreateTargetGroup$,
  type DeleteTargetGroupCommandInput,
  type DeleteTargetGroupCommandOutput,
  DeleteTargetGroup$,
  type DeregisterTargetsCommandInput,
  type DeregisterTargetsCommandOutput,
  DeregisterTargets$,
  type DescribeTargetGroupAttributesCommandInput,
  type DescribeTargetGroupAttributesCommandOutput,
  DescribeTargetGroupAttributes$,
  type DescribeTargetGroupsCommandInput,
  type DescribeTargetGroupsCommandOutput,
  DescribeTargetGroups$,
  type DescribeTargetHealthCommandInput,
  type DescribeTargetHealthCommandOutput,
  DescribeTargetHealth$,
  type ModifyTargetGroupAttributesCommandInput,
  type ModifyTargetGroupAttributesCommandOutput,
  ModifyTargetGroupAttributes$,
  type ModifyTargetGroupCommandInput,
  type ModifyTargetGroupCommandOutput,
  ModifyTargetGroup$,
  type RegisterTargetsCommandInput,
  type RegisterTargetsCommandOutput,
  RegisterTargets$,
  type TargetGroup as TargetGroupJson
} from "@aws-sdk/client-elastic-load-balancing-v2"
import { arnOf } from "../Place.ts"
import { AwsError, invalid } from "../wire/AwsError.ts"
import { operation, type Service } from "../wire/Endpoint.ts"
import { pageOf } from "../wire/pages.ts"
import type { LoadBalancing } from "./LoadBalancing.ts"
import { TargetGroup } from "./TargetGroup.ts"

export const groupOperations = (state: LoadBalancing): Service["operations"] => {
  const { changed, clock, pageSize, place, portOf } = state.options
  const around = { clock, portOf, changed, isUsed: (arn: string) => state.usersOf(arn).length > 0 }
  const jsonOf = (group: TargetGroup): TargetGroupJson => ({
    ...group.json,
    LoadBalancerArns: state.usersOf(group.arn).map(({ arn }) => arn)
  })
  const attributesOf = ({ attributes }: TargetGroup) => [...attributes].map(([Key, Value]) => ({ Key, Value }))
  return {
    CreateTargetGroup: operation<CreateTargetGroupCommandInput, CreateTargetGroupCommandOutput>(
      CreateTargetGroup$,
      ({ Name = "", Tags = [], ...input }) => {
        if (!/^(?!-)[A-Za-z0-9-]{1,32}(?<!-)$/.test(Name)) throw invalid(`Target group name '${Name}' is not valid`)
        const { TargetType = "instance" } = input
        if (TargetType !== "instance")
          throw new AwsError("InvalidConfigurationRequest", "Only targets of type instance")
        const json: TargetGroupJson = {
          TargetGroupName: Name,
          Protocol: input.Protocol ?? "HTTP",
          Port: input.Port ?? 80,
          VpcId: input.VpcId ?? "vpc-0a1b2c3d",
          HealthCheckProtocol: input.HealthCheckProtocol ?? "HTTP",
          HealthCheckPort: input.HealthCheckPort ?? "traffic-port",
          HealthCheckEnabled: input.HealthCheckEnabled ?? true,
          HealthCheckIntervalSeconds: input.HealthCheckIntervalSeconds ?? 30,
          HealthCheckTimeoutSeconds: input.HealthCheckTimeoutSeconds ?? 5,
          HealthyThresholdCount: input.HealthyThresholdCount ?? 5,
          UnhealthyThresholdCount: input.UnhealthyThresholdCount ?? 2,
          HealthCheckPath: input.HealthCheckPath ?? "/",
          Matcher: input.Matcher ?? { HttpCode: "200" },
          TargetType,
          ProtocolVersion: input.ProtocolVersion ?? "HTTP1",
          IpAddressType: "ipv4"
        }
        const same = [...state.groups.values()].find((group) => group.json.TargetGroupName === Name)
        if (same !== undefined) {
          const repeated = JSON.stringify({ ...json, TargetGroupArn: same.arn }) === JSON.stringify(same.json)
          if (repeated) return { TargetGroups: [jsonOf(same)] }
          const message = `A target group with the same name '${Name}' exists, but with different settings`
          throw new AwsError("DuplicateTargetGroupName", message)
        }
        const arn = arnOf(place, "elasticloadbalancing", `targetgroup/${Name}/${place.id(16)}`)
        const group = new TargetGroup({ ...json, TargetGroupArn: arn }, around)
        state.groups.set(arn, group)
        state.tags.set(arn, Tags)
        return { TargetGroups: [jsonOf(group)] }
      }
    ),
    DescribeTargetGroups: operation<DescribeTargetGroupsCommandInput, DescribeTargetGroupsCommandOutput>(
      DescribeTargetGroups$,
      ({ LoadBalancerArn, Marker, Names = [], PageSize, TargetGroupArns = [] }) => {
        const all = [...state.groups.values()]
        const page = (groups: ReadonlyArray<TargetGroup>) => {
          const { items, next } = pageOf(groups, Marker, PageSize, pageSize)
          return { TargetGroups: items.map(jsonOf), NextMarker: next }
        }
        if (LoadBalancerArn !== undefined) {
          const { arn } = state.balancer(LoadBalancerArn)
          return page(all.filter((group) => state.usersOf(group.arn).some((one) => one.arn === arn)))
        }
        const named = Names.map((name) => {
          const found = all.find(({ json }) => json.TargetGroupName === name)
          if (found === undefined) throw new AwsError("TargetGroupNotFound", "One or more target groups not found")
          return found
        })
        const wanted = [...named, ...TargetGroupArns.map((arn) => state.group(arn))]
        return wanted.length === 0 ? page(all) : { TargetGroups: wanted.map(jsonOf) }
      }
    ),
    ModifyTargetGroup: operation<ModifyTargetGroupCommandInput, ModifyTargetGroupCommandOutput>(
      ModifyTargetGroup$,
      ({ TargetGroupArn, ...input }) => {
        const group = state.group(TargetGroupArn!)
        const changes = Object.entries(input).filter(([, value]) => value !== undefined)
        group.json = { ...group.json, ...Object.fromEntries(changes) }
        return { TargetGroups: [jsonOf(group)] }
      }
    ),
    DeleteTargetGroup: operation<DeleteTargetGroupCommandInput, DeleteTargetGroupCommandOutput>(
      DeleteTargetGroup$,
      ({ TargetGroupArn }) => {
        if (state.usersOf(TargetGroupArn!).length > 0) {
          const message = `Target group '${TargetGroupArn}' is currently in use by a listener or a rule`
          throw new AwsError("ResourceInUse", message)
        }
        state.groups.get(TargetGroupArn!)?.remove()
        state.groups.delete(TargetGroupArn!)
        state.tags.delete(TargetGroupArn!)
        return {}
      }
    ),
    DescribeTargetGroupAttributes: operation<
      DescribeTargetGroupAttributesCommandInput,
      DescribeTargetGroupAttributesCommandOutput
    >(DescribeTargetGroupAttributes$, ({ TargetGroupArn }) => ({
      Attributes: attributesOf(state.group(TargetGroupArn!))
    })),
    ModifyTargetGroupAttributes: operation<
      ModifyTargetGroupAttributesCommandInput,
      ModifyTargetGroupAttributesCommandOutput
    >(ModifyTargetGroupAttributes$, ({ Attributes = [], TargetGroupArn }) => {
      const group = state.group(TargetGroupArn!)
      for (const { Key = "" } of Attributes) {
        if (!group.attributes.has(Key)) {
          throw new AwsError("InvalidConfigurationRequest", `Target group attribute key '${Key}' is not recognized`)
        }
      }
      for (const { Key, Value = "" } of Attributes) group.attributes.set(Key!, Value)
      return { Attributes: attributesOf(group) }
    }),
    RegisterTargets: operation<RegisterTargetsCommandInput, RegisterTargetsCommandOutput>(
      RegisterTargets$,
      ({ TargetGroupArn, Targets = [] }) => {
        const group = state.group(TargetGroupArn!)
        const stopped = Targets.filter(({ Id }) => portOf(Id!) === undefined)
        if (stopped.length > 0) {
          const ids = stopped.map(({ Id }) => Id).join("', '")
          const message = `The following targets are not in a running state and cannot be registered: '${ids}'`
          throw new AwsError("InvalidTarget", message)
        }
        for (const target of Targets) {
          const state = group.stateOf(target.Id!)
          if (state === undefined || state === "draining") group.register(target)
        }
        return {}
      }
    ),
    DeregisterTargets: operation<DeregisterTargetsCommandInput, DeregisterTargetsCommandOutput>(
      DeregisterTargets$,
      ({ TargetGroupArn, Targets = [] }) => {
        const group = state.group(TargetGroupArn!)
        for (const target of Targets) group.deregister(target)
        return {}
      }
    ),
    DescribeTargetHealth: operation<DescribeTargetHealthCommandInput, DescribeTargetHealthCommandOutput>(
      DescribeTargetHealth$,
      ({ TargetGroupArn, Targets }) => ({ TargetHealthDescriptions: state.group(TargetGroupArn!).health(Targets) })
    )
  }
}
