/**
 * The operations on instances.
 */
import {
  type DescribeInstancesCommandInput,
  type DescribeInstancesCommandOutput,
  DescribeInstances$,
  type Filter,
  type TerminateInstancesCommandInput,
  type TerminateInstancesCommandOutput,
  TerminateInstances$
} from "@aws-sdk/client-ec2"
import { AwsError } from "../wire/AwsError.ts"
import { operation, type Service } from "../wire/Endpoint.ts"
import type { Instance, Instances } from "./Instances.ts"

export const instanceOperations = (instances: Instances): Service["operations"] => {
  const find = (id: string): Instance => {
    const found = instances.all.get(id)
    if (found !== undefined) return found
    throw new AwsError("InvalidInstanceID.NotFound", `The instance ID '${id}' does not exist`)
  }
  const passes = (instance: Instance, { Name = "", Values = [] }: Filter): boolean => {
    if (Name === "instance-id") return Values.includes(instance.id)
    if (Name === "instance-state-name") return Values.includes(instance.state)
    if (Name.startsWith("tag:")) {
      const tag = instances.json(instance).Tags!.find(({ Key }) => Key === Name.slice("tag:".length))
      return Values.includes(tag?.Value ?? "")
    }
    throw new AwsError("InvalidParameterValue", `The filter '${Name}' is invalid`)
  }
  return {
    DescribeInstances: operation<DescribeInstancesCommandInput, DescribeInstancesCommandOutput>(
      DescribeInstances$,
      ({ Filters = [], InstanceIds = [] }) => ({
        Reservations: (InstanceIds.length === 0 ? [...instances.all.values()] : InstanceIds.map(find))
          .filter((instance) => Filters.every((filter) => passes(instance, filter)))
          .map((instance) => ({
            ReservationId: instance.id.replace("i-", "r-"),
            Instances: [instances.json(instance)]
          }))
      })
    ),
    TerminateInstances: operation<TerminateInstancesCommandInput, TerminateInstancesCommandOutput>(
      TerminateInstances$,
      async ({ InstanceIds = [] }) => {
        const found = InstanceIds.map(find)
        const TerminatingInstances = []
        for (const { id, state } of found) {
          await instances.terminate(id)
          TerminatingInstances.push({
            InstanceId: id,
            PreviousState: state === "running" ? { Code: 16, Name: state } : { Code: 48, Name: state },
            CurrentState: { Code: 48, Name: "terminated" as const }
          })
        }
        return { TerminatingInstances }
      }
    )
  }
}
