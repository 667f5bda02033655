import { CreateStackCommand, CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation"
import { describe, expect, it } from "vitest"
import { endpoint, freshAccount } from "./emulator.ts"

const client = () =>
  new CloudFormationClient({
    endpoint: endpoint!,
    region: "eu-west-1",
    credentials: { accessKeyId: freshAccount(), secretAccessKey: "test" }
  })

describe.skipIf(endpoint === undefined)("the emulator", () => {
  it("keeps accounts apart", async () => {
    const [one, other] = [client(), client()]
    const topic = { Resources: { Topic: { Type: "AWS::SNS::Topic" } } }
    await one.send(new CreateStackCommand({ StackName: "api", TemplateBody: JSON.stringify(topic) }))
    expect((await one.send(new DescribeStacksCommand({}))).Stacks).toHaveLength(1)
    expect((await other.send(new DescribeStacksCommand({}))).Stacks ?? []).toHaveLength(0)
  })
})
