/**
 * The operations of STS: who calls.
 */
import {
  type AssumeRoleCommandInput,
  type AssumeRoleCommandOutput,
  AssumeRole$,
  type GetCallerIdentityCommandInput,
  type GetCallerIdentityCommandOutput,
  GetCallerIdentity$
} from "@aws-sdk/client-sts"
import type { Place } from "./Place.ts"
import type { SimulatedClock } from "./SimulatedClock.ts"
import { operation, type Service } from "./wire/Endpoint.ts"

/** An access key of 12 digits stands for an account of that number. */
const accountOf = (caller: string, { account }: Place): string => (/^\d{12}$/.test(caller) ? caller : account)

export const identityOperations = (place: Place, clock: SimulatedClock): Service["operations"] => ({
  GetCallerIdentity: operation<GetCallerIdentityCommandInput, GetCallerIdentityCommandOutput>(
    GetCallerIdentity$,
    (_, caller) => {
      const account = accountOf(caller, place)
      return { Account: account, UserId: "AIDASIMULATED", Arn: `arn:aws:iam::${account}:user/deployer` }
    }
  ),
  AssumeRole: operation<AssumeRoleCommandInput, AssumeRoleCommandOutput>(AssumeRole$, (input) => {
    const account = input.RoleArn!.split(":")[4]!
    const role = input.RoleArn!.split("/").at(-1)!
    return {
      Credentials: {
        AccessKeyId: account,
        SecretAccessKey: "simulated",
        SessionToken: "simulated",
        Expiration: new Date(Math.max(Date.now(), clock.now()) + (input.DurationSeconds ?? 3600) * 1000)
      },
      AssumedRoleUser: {
        AssumedRoleId: `AROASIMULATED:${input.RoleSessionName}`,
        Arn: `arn:aws:sts::${account}:assumed-role/${role}/${input.RoleSessionName}`
      }
    }
  })
})
