/**
 * A provider on a fresh account of the emulator, called as core calls it.
 */
import type { Provider, ProviderError, StackPlan } from "@signalbox/core/spi"
import { testMutation } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { make } from "../../src/cloudformation/CloudFormationProvider.ts"
import { endpoint } from "../emulator.ts"
import { platform, refOf, region } from "./platform.ts"

export const stackName = "the-api"

export const world = ({
  account,
  url = endpoint!,
  ...options
}: {
  readonly account?: string
  readonly url?: string
  readonly bucket?: string
  readonly env?: NodeJS.ProcessEnv
} = {}) => {
  const aws = platform(account)
  const provider: Provider = make({
    ...options,
    directory: aws.directory,
    endpoint: url,
    region,
    credentials: { accessKeyId: aws.account, secretAccessKey: "test" },
    poll: { first: 50, most: 500 }
  })
  let keys = 0
  const refWith = (properties: object) => refOf({ stackName, capabilities: ["CAPABILITY_IAM"], ...properties })
  const run = <A>(effect: Effect.Effect<A, ProviderError>) => Effect.runPromise(effect)
  const mutation = () => testMutation(`key-${++keys}`)
  return {
    aws,
    provider,
    ref: refWith({}),
    refWith,
    mutation,
    run,
    /** The reason why it fails. */
    reason: (effect: Effect.Effect<unknown, ProviderError>) =>
      Effect.runPromise(
        Effect.match(effect, { onFailure: ({ reason }) => reason, onSuccess: () => "it did not fail" as const })
      ),
    plan: (version: string, template: object, properties: object = {}): Promise<StackPlan> =>
      run(
        provider.plan(
          refWith(properties),
          { version, artifact: aws.write(`${version}.json`, template) },
          testMutation(`plan-${++keys}`)
        )
      ),
    stage: (plan: StackPlan, properties: object = {}) =>
      provider.stage(refWith(properties), { plan, capacityPercent: 100 }, mutation()),
    rollback: (plan: StackPlan, properties: object = {}) =>
      provider.rollback(refWith(properties), plan.checkpoint, mutation()),
    destroy: (properties: object = {}) => provider.destroy(refWith(properties), mutation()),
    status: async () =>
      (await aws.client.describeStacks({ StackName: stackName }).catch(() => undefined))?.Stacks?.[0]?.StackStatus,
    /** Waits until the stack is at rest. */
    rest: async (): Promise<string> => {
      for (;;) {
        const { Stacks } = await aws.client.describeStacks({ StackName: stackName })
        const status = Stacks![0]!.StackStatus!
        if (!status.endsWith("_IN_PROGRESS")) return status
      }
    }
  }
}

export type World = ReturnType<typeof world>
