import type { PlanTarget, ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Aws, AwsPlace } from "./Aws.ts"
import { awsReason } from "./awsReason.ts"

/** Where the credentials really lead to. */
export const targetOf = (aws: Aws, place: AwsPlace): Effect.Effect<PlanTarget, ProviderReason> =>
  Effect.tryPromise({
    try: async (abortSignal) => {
      const client = await aws.sts(place)
      const { Account, Arn } = await client.getCallerIdentity({}, { abortSignal })
      return {
        region: await client.config.region(),
        ...(Account === undefined ? {} : { account: Account }),
        ...(Arn === undefined ? {} : { principal: Arn })
      }
    },
    catch: (error) => awsReason(error, "sts:GetCallerIdentity")
  })
