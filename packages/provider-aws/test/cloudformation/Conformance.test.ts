import type { AlarmState } from "@signalbox/core/spi"
import { ProviderSuite } from "@signalbox/core/testing"
import { operations, answers, faultProxy } from "@signalbox/fault-proxy"
import * as Effect from "effect/Effect"
import { describe } from "vitest"
import { capabilities, make } from "../../src/cloudformation/CloudFormationProvider.ts"
import { tokenOf } from "../../src/cloudformation/Token.ts"
import { endpoint } from "../emulator.ts"
import { held, release } from "./held.ts"
import { answer, functionResources, neverSignalled, platform, refOf, region, templateOf } from "./platform.ts"

const stackName = "the-api"
const ref = refOf({ stackName, capabilities: ["CAPABILITY_IAM"] })

const harness = Effect.gen(function* () {
  const aws = yield* Effect.acquireRelease(Effect.sync(platform), (aws) => Effect.sync(aws.close))
  const proxy = yield* Effect.acquireRelease(
    Effect.promise(() => faultProxy({ target: endpoint!, operationOf: operations.awsQuery })),
    (proxy) => Effect.promise(proxy.close)
  )
  const provider = () =>
    make({
      directory: aws.directory,
      endpoint: proxy.url,
      region,
      credentials: { accessKeyId: aws.account, secretAccessKey: "test" },
      poll: { first: 50, most: 200 }
    })
  const candidate = (version: string, resources: object) => ({
    version,
    artifact: aws.write(`${version}.json`, templateOf(version, resources))
  })
  const shown = (share: number) =>
    Effect.promise(async () => {
      const version = await aws.version()
      return version === undefined ? ({} as Record<string, number>) : { [version]: share }
    })
  return {
    aws,
    proxy,
    provider: provider(),
    another: Effect.sync(provider),
    alarm: (state: AlarmState) => Effect.promise(() => aws.alarm(state)),
    ref,
    candidates: {
      v1: candidate("v1", {}),
      v2: candidate("v2", {}),
      slow: candidate("slow", { ...functionResources, Slow: answer({ ms: 1500 }) }),
      broken: candidate("broken", neverSignalled)
    },
    probe: {
      traffic: shown(100),
      capacity: shown(1),
      effects: (key: string) =>
        Effect.promise(async () => {
          const starts = ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"]
          return (await aws.events(stackName)).filter(
            ({ ClientRequestToken, PhysicalResourceId, ResourceStatus, StackId }) =>
              ClientRequestToken === tokenOf(ref, key) &&
              PhysicalResourceId === StackId &&
              starts.includes(ResourceStatus!)
          ).length
        })
    }
  }
})

type Harness = Effect.Success<typeof harness>

/** Answers every call with a failure until it is over. */
const failing = (code: string) => {
  const removers = new WeakMap<object, () => void>()
  return {
    begin: (harness: object) =>
      Effect.sync(
        () =>
          void removers.set(
            harness,
            (harness as Harness).proxy.add({ fault: { answer: answers.awsQuery({ code, message: code }) } })
          )
      ),
    end: (harness: object) => Effect.sync(() => removers.get(harness)!())
  }
}

const changing = /^(ExecuteChangeSet|CreateStack|UpdateStack|DeleteStack)$/

describe.skipIf(endpoint === undefined)("CloudFormation", () => {
  ProviderSuite.suite("aws:cloudformation", {
    capabilities,
    groups: ["drift", "events", "alarms", "canGoBack"],
    timeoutMillis: 900_000,
    make: harness,
    credentials: failing("ExpiredToken"),
    throttling: failing("Throttling"),
    foreign: {
      begin: (harness) =>
        Effect.promise(async () => {
          const { client } = (harness as Harness).aws
          await client.updateStack({
            StackName: stackName,
            TemplateBody: JSON.stringify(templateOf("v1", held))
          })
        }),
      end: (harness) =>
        Effect.promise(async () => {
          const { aws } = harness as Harness
          await release(aws, stackName)
          for (;;) {
            const { Stacks } = await aws.client.describeStacks({ StackName: stackName })
            if (!Stacks![0]!.StackStatus!.endsWith("_IN_PROGRESS")) return
          }
        })
    },
    loseAnswer: (harness) =>
      Effect.sync(() => void (harness as Harness).proxy.add({ operation: changing, nth: 1, fault: { cut: "after" } }))
  })
})
