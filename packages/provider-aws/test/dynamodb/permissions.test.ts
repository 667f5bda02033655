/**
 * The printed policies, with an emulator that checks them: they suffice, and each of their actions is needed.
 */
import { CloudFormation } from "@aws-sdk/client-cloudformation"
import { DynamoDB } from "@aws-sdk/client-dynamodb"
import { type Credentials, STS } from "@aws-sdk/client-sts"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { start } from "../../../../scripts/aws-emulators.mjs"
import { parseAddress } from "../../src/dynamodb/Address.ts"
import { openStore } from "../../src/dynamodb/store.ts"
import { createTable, definitionOf } from "../../src/dynamodb/table.ts"
import { policyFor } from "../../src/iam/policy.ts"
import { endpoint } from "../emulator.ts"

const region = "eu-west-1"
const admin = { accessKeyId: "test", secretAccessKey: "test" }

let emulator: Awaited<ReturnType<typeof start>>
beforeAll(async () => {
  if (endpoint !== undefined) emulator = await start({ auth: true })
})
afterAll(() => emulator?.stop())

/** Roles with a policy each, and credentials of them. */
const rolesWith = async (stack: string, policies: ReadonlyArray<object>) => {
  const settings = { endpoint: emulator.url, region, credentials: admin }
  const trust = { Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" }
  const roleOf = (PolicyDocument: object, n: number) => ({
    Type: "AWS::IAM::Role",
    Properties: {
      RoleName: `${stack}-${n}`,
      AssumeRolePolicyDocument: { Version: "2012-10-17", Statement: [trust] },
      Policies: [{ PolicyName: "printed", PolicyDocument }]
    }
  })
  const Resources = Object.fromEntries(policies.map((policy, n) => [`Role${n}`, roleOf(policy, n)]))
  const Outputs = Object.fromEntries(
    policies.map((_, n) => [`Arn${n}`, { Value: { "Fn::GetAtt": [`Role${n}`, "Arn"] } }])
  )
  const cloudFormation = new CloudFormation(settings)
  await cloudFormation.createStack({
    StackName: stack,
    TemplateBody: JSON.stringify({ Resources, Outputs }),
    Capabilities: ["CAPABILITY_NAMED_IAM"]
  })
  for (;;) {
    const { Stacks } = await cloudFormation.describeStacks({ StackName: stack })
    const { Outputs: found = [], StackStatus: status } = Stacks![0]!
    if (status === "CREATE_IN_PROGRESS") continue
    assert.strictEqual(status, "CREATE_COMPLETE")
    const sts = new STS(settings)
    return Promise.all(
      policies.map(async (_, n) => {
        const RoleArn = found.find(({ OutputKey }) => OutputKey === `Arn${n}`)!.OutputValue!
        return (await sts.assumeRole({ RoleArn, RoleSessionName: "test" })).Credentials!
      })
    )
  }
}

/** Under one of these roles. */
const as = async <A>(
  { AccessKeyId, SecretAccessKey, SessionToken }: Credentials,
  work: () => Promise<A>
): Promise<A> => {
  process.env["AWS_ACCESS_KEY_ID"] = AccessKeyId
  process.env["AWS_SECRET_ACCESS_KEY"] = SecretAccessKey
  process.env["AWS_SESSION_TOKEN"] = SessionToken
  return work()
}

/** Everything that a store does. */
const useStore = async (url: string, stream: string) => {
  const store = await openStore(url)
  const key = `lease of ${stream}`
  const lease = { key, holder: "h", owner: "o", fence: 1, acquiredAt: 1, expiresAt: Date.now() + 60_000 }
  assert.isTrue(await store.swap(undefined, lease))
  const row = (seq: number) => ({
    stream,
    seq,
    id: `${seq}`,
    at: 1,
    tag: "T",
    deploymentId: "D",
    environment: "e",
    body: "{}"
  })
  const execution = (finished: boolean) => ({
    stream,
    deploymentId: "D",
    environment: "e",
    kind: "deploy",
    status: finished ? "completed" : "queued",
    finished,
    requestedAt: 1,
    search: "",
    generation: 1,
    state: "{}"
  })
  const first = { stream, base: 0, events: [row(1)], guards: [lease], execution: execution(false) }
  assert.strictEqual((await store.commit(first))._tag, "Committed")
  assert.strictEqual((await store.commit(first))._tag, "Stale")
  const last = { stream, base: 1, events: [row(2)], guards: [], execution: execution(true) }
  assert.strictEqual((await store.commit(last))._tag, "Committed")
  const everything = {
    stream: undefined,
    deploymentId: undefined,
    environment: undefined,
    tags: undefined,
    text: undefined
  }
  await store.events({ ...everything, since: undefined, until: undefined, after: 0, limit: 10 })
  await store.leases()
  assert.strictEqual(await store.prune(2, 10), 1)
  assert.isTrue(await store.swap(lease, { ...lease, expiresAt: 0 }))
  await store.close?.()
}

describe.skipIf(endpoint === undefined)("the printed policy", () => {
  it("for the store suffices, and without any one of its actions the failure names that", async () => {
    const url = `dynamodb://policies?region=${region}&endpoint=${encodeURIComponent(emulator.url)}`
    await new DynamoDB({ endpoint: emulator.url, region, credentials: admin }).createTable(definitionOf("policies"))
    const policy = policyFor({ purpose: "store", region, table: "policies" })
    const statement = policy.Statement[0]!
    const without = statement.Action.map((action) => ({
      ...policy,
      Statement: [{ ...statement, Action: statement.Action.filter((one) => one !== action) }]
    }))
    const [allowed, ...denied] = await rolesWith("store", [policy, ...without])
    await as(allowed!, () => useStore(url, "allowed"))
    for (const [index, action] of statement.Action.entries()) {
      const failure = await as(denied[index]!, () => useStore(url, `without ${index}`)).then(
        () => undefined,
        (error) => error as { readonly reason: string; readonly detail: string }
      )
      assert.strictEqual(failure?.reason, "Misconfigured", `${action}: ${JSON.stringify(failure)}`)
      assert.include(failure!.detail, action)
    }
  })

  it("for bootstrap suffices", async () => {
    const url = `dynamodb://made?region=${region}&endpoint=${encodeURIComponent(emulator.url)}`
    const [allowed] = await rolesWith("bootstrap", [policyFor({ purpose: "bootstrap", region, table: "made" })])
    assert.isTrue(await as(allowed!, () => createTable(parseAddress(url))))
    assert.isFalse(await as(allowed!, () => createTable(parseAddress(url))))
  })
})
