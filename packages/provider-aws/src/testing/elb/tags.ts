/**
 * The operations on the tags of load balancers, listeners, rules and target groups.
 */
import {
  type AddTagsCommandInput,
  type AddTagsCommandOutput,
  AddTags$,
  type DescribeTagsCommandInput,
  type DescribeTagsCommandOutput,
  DescribeTags$,
  type RemoveTagsCommandInput,
  type RemoveTagsCommandOutput,
  RemoveTags$,
  type Tag
} from "@aws-sdk/client-elastic-load-balancing-v2"
import { AwsError, invalid } from "../wire/AwsError.ts"
import { operation, type Service } from "../wire/Endpoint.ts"
import type { LoadBalancing } from "./LoadBalancing.ts"

export const tagOperations = (state: LoadBalancing): Service["operations"] => {
  const read = (arn: string): ReadonlyArray<Tag> => {
    if (arn.includes(":listener-rule/")) return state.rule(arn).rule.tags
    if (arn.includes(":listener/")) state.listener(arn)
    else if (arn.includes(":targetgroup/")) state.group(arn)
    else state.balancer(arn)
    return state.tags.get(arn) ?? []
  }
  const write = (arn: string, tags: ReadonlyArray<Tag>): void => {
    if (tags.length > 50) throw new AwsError("TooManyTags", `The maximum number of tags of '${arn}' is 50`)
    if (arn.includes(":listener-rule/")) state.rule(arn).rule.tags = tags
    else state.tags.set(arn, tags)
  }
  return {
    AddTags: operation<AddTagsCommandInput, AddTagsCommandOutput>(AddTags$, ({ ResourceArns = [], Tags = [] }) => {
      const keys = Tags.map(({ Key }) => Key)
      for (const arn of ResourceArns) write(arn, [...read(arn).filter(({ Key }) => !keys.includes(Key)), ...Tags])
      return {}
    }),
    RemoveTags: operation<RemoveTagsCommandInput, RemoveTagsCommandOutput>(
      RemoveTags$,
      ({ ResourceArns = [], TagKeys = [] }) => {
        for (const arn of ResourceArns) {
          write(
            arn,
            read(arn).filter(({ Key }) => !TagKeys.includes(Key!))
          )
        }
        return {}
      }
    ),
    DescribeTags: operation<DescribeTagsCommandInput, DescribeTagsCommandOutput>(
      DescribeTags$,
      ({ ResourceArns = [] }) => {
        if (ResourceArns.length > 20) throw invalid("Only up to 20 resources can be described in a single call")
        return { TagDescriptions: ResourceArns.map((arn) => ({ ResourceArn: arn, Tags: [...read(arn)] })) }
      }
    )
  }
}
