/**
 * Policies of IAM, checked by the emulator: the printed one suffices, and without any of its actions the refusal names it.
 */
import { CloudFormation } from "@aws-sdk/client-cloudformation"
import type { Provider, ProviderError, StackRef } from "@signalbox/core/spi"
import { testMutation } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, expect, it } from "vitest"
import { type Emulator, start } from "../../../../scripts/aws-emulators.mjs"
import { make } from "../../src/cloudformation/CloudFormationProvider.ts"
import { tokensOf } from "../../src/cloudformation/Token.ts"
import { cloudFormationCalls } from "../../src/iam/calls.ts"
import { type Policy, policyFor } from "../../src/iam/policy.ts"
import { endpoint } from "../emulator.ts"
import { answer, functionResources, neverSignalled, refOf, region, templateOf } from "./platform.ts"

/** Actions without which only something optional is missing. */
const optional = ["DescribeStackResource"]
const required = Object.keys(cloudFormationCalls).filter((call) => !optional.includes(call))

const account = "100000000042"
const directory = mkdtempSync(join(tmpdir(), "signalbox-permissions-"))

let emulator: Emulator
let root: CloudFormation

/** The policy without one action. */
const without = (policy: Policy, action: string): Policy => ({
  ...policy,
  Statement: policy.Statement.map((statement) => ({
    ...statement,
    Action: statement.Action.filter((one) => one !== action)
  }))
})

const rest = async (StackName: string): Promise<string> => {
  for (;;) {
    const { Stacks } = await root.describeStacks({ StackName })
    const status = Stacks![0]!.StackStatus!
    if (!status.endsWith("_IN_PROGRESS")) return status
  }
}

const policies: Readonly<Record<string, Policy>> = {
  planner: policyFor({ purpose: "plan", account, region }),
  deployer: policyFor({ purpose: "deploy", account, region }),
  ...Object.fromEntries(
    required.map((call) => [`no${call}`, without(policyFor({ purpose: "deploy" }), `cloudformation:${call}`)])
  )
}

beforeAll(async () => {
  if (endpoint === undefined) return
  emulator = await start({ auth: true })
  root = new CloudFormation({
    endpoint: emulator.url,
    region,
    credentials: { accessKeyId: account, secretAccessKey: "test" }
  })
  const roles = Object.entries(policies).map(([RoleName, PolicyDocument]) => [
    RoleName,
    {
      Type: "AWS::IAM::Role",
      Properties: {
        RoleName,
        AssumeRolePolicyDocument: {
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: "sts:AssumeRole" }]
        },
        Policies: [{ PolicyName: "own", PolicyDocument }]
      }
    }
  ])
  await root.createStack({
    StackName: "roles",
    TemplateBody: JSON.stringify({ Resources: Object.fromEntries(roles) }),
    Capabilities: ["CAPABILITY_NAMED_IAM"]
  })
  assert.strictEqual(await rest("roles"), "CREATE_COMPLETE")
})
afterAll(async () => {
  root?.destroy()
  await emulator?.stop()
  rmSync(directory, { recursive: true })
})

/** A provider that assumes a role, as `assumeRole` of the properties has it. */
const as = (role: string): { readonly provider: Provider; readonly properties: object } => ({
  properties: { assumeRole: `arn:aws:iam::${account}:role/${role}` },
  provider: make({
    directory,
    endpoint: emulator.url,
    region,
    credentials: { accessKeyId: account, secretAccessKey: "test" },
    poll: { first: 50, most: 500 }
  })
})

let names = 0

/** A stack of its own for each life. */
const fresh = (properties: object = {}) => {
  const stackName = `stack-${++names}`
  const ref: StackRef = refOf({ stackName, capabilities: ["CAPABILITY_IAM"], ...properties })
  const template = (version: string, resources: object = {}) => {
    const artifact = join(directory, `${stackName}-${version}.json`)
    const { Version, ...others } = templateOf(version, resources).Resources as Record<string, object>
    // Parameters have names of their own in the account.
    const named = { ...Version, Properties: { Type: "String", Name: `/${stackName}`, Value: version } }
    writeFileSync(artifact, JSON.stringify({ Resources: { Version: named, ...others } }))
    return { version, artifact }
  }
  return { stackName, ref, template }
}

/** Everything that the plug-in does with a stack. */
const wholeLife = ({ properties, provider }: ReturnType<typeof as>) =>
  Effect.gen(function* () {
    const { ref, stackName, template } = fresh(properties)
    let count = 0
    const mutation = () => testMutation(`key-${++count}`)
    const stage = (which: ReturnType<typeof template>) =>
      Effect.gen(function* () {
        const plan = yield* provider.plan(ref, which, mutation())
        return { plan, staged: provider.stage(ref, { plan, capacityPercent: 100 }, mutation()) }
      })
    const deploy = (which: ReturnType<typeof template>) =>
      Effect.flatMap(stage(which), ({ plan, staged }) => Effect.as(staged, plan))
    const v1 = template("v1", { ...functionResources, Sticky: answer({ fail: "Update", v: "1" }) })
    yield* deploy(v1)
    yield* provider.drift!.detect(ref)
    yield* provider.drift!.detect(ref)
    // A plan that is not carried out leaves a change set, which the next one deletes.
    const v2 = template("v2", { ...functionResources, Sticky: answer({ fail: "Update", v: "1" }) })
    yield* provider.plan(ref, v2, mutation())
    const { checkpoint } = yield* deploy(v2)
    yield* provider.rollback(ref, checkpoint, mutation())
    // A rollback that is stuck.
    const broken = { ...functionResources, Sticky: answer({ v: "2" }), Broken: answer({ fail: "Create" }, ["Sticky"]) }
    const { plan, staged } = yield* stage(template("v3", broken))
    yield* Effect.catch(staged, (error) => (error.reason._tag === "Broken" ? Effect.void : Effect.fail(error)))
    const skipping = { ...ref, properties: { stackName, resourcesToSkip: ["Sticky"], ...properties } }
    yield* provider.rollback(skipping, plan.checkpoint, mutation())
    // An update whose rollback was disabled, and one that is cancelled, both by others.
    const update = (DisableRollback: boolean) =>
      Effect.promise(() =>
        root.updateStack({
          StackName: stackName,
          DisableRollback,
          ...(DisableRollback ? {} : { ClientRequestToken: `${tokens}other` }),
          TemplateBody: JSON.stringify(templateOf("other", neverSignalled)),
          Capabilities: ["CAPABILITY_IAM"]
        })
      )
    yield* update(true)
    yield* Effect.promise(() => rest(stackName))
    yield* provider.rollback(ref, plan.checkpoint, mutation())
    yield* update(false)
    yield* provider.rollback(ref, plan.checkpoint, mutation())
    yield* provider.destroy(ref, mutation())
  })

const tokens = tokensOf(refOf())

const denied = (effect: Effect.Effect<unknown, ProviderError>) =>
  Effect.runPromise(
    Effect.match(effect, { onFailure: (error) => error.reason, onSuccess: () => "it was not refused" as const })
  )

describe.skipIf(endpoint === undefined)("policies", () => {
  it("for a deployment suffice for everything", async () => {
    await Effect.runPromise(wholeLife(as("deployer")))
  })

  it("for a plan suffice for looking and for a preview, and for nothing else", async () => {
    const { properties, provider } = as("planner")
    const { ref, stackName, template } = fresh(properties)
    const plan = await Effect.runPromise(provider.plan(ref, template("v1")))
    assert.strictEqual(plan.target?.account, account)
    expect(plan.target?.principal).toContain("assumed-role/planner")
    const options = { plan, capacityPercent: 100 }
    expect(await denied(provider.stage(ref, options, testMutation("stage")))).toMatchObject({
      _tag: "Denied",
      action: "cloudformation:CreateStack",
      principal: expect.stringContaining("assumed-role/planner")
    })
    const deployer = as("deployer")
    const theirs = { ...ref, properties: { stackName, ...deployer.properties } }
    await Effect.runPromise(deployer.provider.stage(theirs, options, testMutation("stage")))
    const next = await Effect.runPromise(provider.plan(ref, template("v2")))
    assert.strictEqual(next.action, "update")
    assert.strictEqual((await Effect.runPromise(provider.observe(ref))).status, "ready")
    assert.strictEqual(await rest(stackName), "CREATE_COMPLETE")
  })

  it.each(required)("without %s lead to a refusal that names it", async (call) => {
    const reason = await denied(wholeLife(as(`no${call}`)))
    expect(reason).toMatchObject({ _tag: "Denied", action: `cloudformation:${call}` })
  })
})
