/**
 * Stacks that the real program deploys, from a configuration that names the plug-in by its package.
 */
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, assert, beforeEach, describe, expect, it } from "vitest"
import { type Binary, build } from "../../../cli/test/binary.ts"
import { endpoint } from "../emulator.ts"
import { functionResources, neverSignalled, type Platform, platform, region, templateOf } from "./platform.ts"

const id = "DX6604E"

let binary: Binary
let aws: Platform
beforeEach(() => {
  binary = build()
  aws = platform()
})
afterEach(() => aws.close())

const yaml = `
organization: acme
project: shop
environments: { production: { region: ${region} } }
plugins: ["@signalbox/provider-aws"]
stacks:
  - name: api
    provider: "aws:cloudformation"
    gate: { interval: 100 millis, consecutivePasses: 1, gracePeriod: 0 millis }
    properties:
      stackName: shop-api
      template: api.yaml
      capabilities: [CAPABILITY_IAM]
      parameters: { Version: "\${version}" }
      protect: ["AWS::DynamoDB::Table"]
`

/** A template with a comment and short forms, as a person writes it. */
const template = (resources = "") => `# The API.
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Version: { Type: String }
Resources:
  Version:
    Type: AWS::SSM::Parameter
    Properties: { Name: /version, Type: String, Value: !Ref Version }
${resources}
Outputs:
  Version: { Value: !Ref Version }
`

const project = (files: Readonly<Record<string, string>>): void => {
  for (const [file, text] of Object.entries(files)) aws.write(file, text)
  if (existsSync(join(aws.directory, "package.json"))) return
  for (const name of ["core", "provider-aws"]) {
    const link = join(aws.directory, "node_modules/@signalbox", name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(fileURLToPath(new URL(`../../../${name}`, import.meta.url)), link)
  }
  writeFileSync(join(aws.directory, "package.json"), `{ "type": "module" }`)
}

const run = (...args: ReadonlyArray<string>) =>
  binary.run(aws.directory, args, {
    env: { AWS_ENDPOINT_URL: endpoint!, AWS_ACCESS_KEY_ID: aws.account, AWS_SECRET_ACCESS_KEY: "test" }
  })

const ends = async (code: number, ...args: ReadonlyArray<string>): Promise<string> => {
  const ran = await run(...args)
  assert.strictEqual(ran.code, code, `${args.join(" ")}: ${ran.stdout}${ran.stderr}`)
  return ran.stdout + ran.stderr
}

const status = async (): Promise<string | undefined> =>
  (await aws.client.describeStacks({ StackName: "shop-api" }).catch(() => undefined))?.Stacks?.[0]?.StackStatus

describe.skipIf(endpoint === undefined)("the command, on CloudFormation", () => {
  it("shows, deploys, updates, rolls back and destroys a stack", async () => {
    project({ "signalbox.config.yaml": yaml, "api.yaml": template() })
    await ends(0, "init", "--id", id)
    expect(await ends(0, "deploy", "--version", "v1", "--dry-run")).toContain("create Version (AWS::SSM::Parameter)")
    assert.isUndefined(await status())

    await ends(0, "deploy", "--version", "v1")
    assert.strictEqual(await aws.version(), "v1")
    await ends(0, "deploy", "--version", "v2")
    assert.strictEqual(await aws.version(), "v2")
    // What a person wrote is what CloudFormation has.
    const { TemplateBody } = await aws.client.getTemplate({ StackName: "shop-api" })
    expect(TemplateBody).toContain("# The API.")

    await ends(0, "rollback", id)
    assert.strictEqual(await aws.version(), "v1")
    await ends(0, "health")
    const { Summaries } = await aws.client.listChangeSets({ StackName: "shop-api" })
    expect((Summaries ?? []).filter(({ ExecutionStatus }) => ExecutionStatus === "AVAILABLE")).toEqual([])
    await ends(0, "destroy", id, "--yes")
    assert.isUndefined(await status())
  })

  it("goes back from an update that fails, and names the resource", async () => {
    project({ "signalbox.config.yaml": yaml, "api.yaml": template() })
    await ends(0, "init", "--id", id)
    await ends(0, "deploy", "--version", "v1")
    const waiting = Object.entries(neverSignalled).map(([name, resource]) => `  ${name}: ${JSON.stringify(resource)}`)
    aws.write("api.yaml", template(waiting.join("\n")))
    const said = await ends(3, "deploy", "--version", "v2")
    expect(said).toContain("Wait (AWS::CloudFormation::WaitCondition)")
    expect(said).toContain("console.aws.amazon.com")
    assert.strictEqual(await aws.version(), "v1")
    assert.strictEqual(await status(), "UPDATE_ROLLBACK_COMPLETE")
  })

  it("changes nothing where something of the configuration is wrong", async () => {
    const wrong = async (config: string, body: string, ...words: ReadonlyArray<string>) => {
      project({ "signalbox.config.yaml": config, "api.yaml": body })
      const said = await ends(64, "deploy", "--version", "v1")
      for (const word of words) expect(said).toContain(word)
    }
    project({ "signalbox.config.yaml": yaml, "api.yaml": template() })
    await ends(0, "init", "--id", id)
    await wrong(yaml.replace("stackName", "stackname"), template(), "stackname", "stackName")
    await wrong(yaml, template().replace("Resources:", "Resource:"), "api.yaml is no template: it has no Resources")
    await wrong(yaml, "a: [", "api.yaml is no template")
    await wrong(yaml.replace("{ Version:", "{ Verzion:"), template(), "Verzion", "It has Version")
    await wrong(yaml.replace("api.yaml", "none.yaml"), template(), "none.yaml cannot be read: ENOENT")
    assert.isUndefined(await status())
  })

  it("stops before a change set that replaces what is protected", async () => {
    const table = (key: string) => `  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: ${key}, AttributeType: S }]
      KeySchema: [{ AttributeName: ${key}, KeyType: HASH }]
`
    project({ "signalbox.config.yaml": yaml, "api.yaml": template(table("id")) })
    await ends(0, "init", "--id", id)
    await ends(0, "deploy", "--version", "v1")
    aws.write("api.yaml", template(table("key")))
    const said = await ends(1, "deploy", "--version", "v2")
    expect(said).toContain("a protected resource would be lost: update Table (AWS::DynamoDB::Table), may replace it")
    assert.strictEqual(await aws.version(), "v1")
    assert.strictEqual(await status(), "CREATE_COMPLETE")
  })

  it("adopts a stack that it never deployed, and goes back to what it found", async () => {
    await aws.client.createStack({
      StackName: "shop-api",
      TemplateBody: JSON.stringify(templateOf("found", functionResources)),
      Capabilities: ["CAPABILITY_IAM"]
    })
    for (;;) if (!(await status())!.endsWith("_IN_PROGRESS")) break
    const before = await aws.client.getTemplate({ StackName: "shop-api" })
    project({ "signalbox.config.yaml": yaml, "api.yaml": template() })
    await ends(0, "init", "--id", id)
    await ends(0, "deploy", "--version", "v1")
    assert.strictEqual(await aws.version(), "v1")
    await ends(0, "rollback", id)
    assert.strictEqual(await aws.version(), "found")
    const after = await aws.client.getTemplate({ StackName: "shop-api" })
    assert.strictEqual(after.TemplateBody, before.TemplateBody)
  })

  it("begins a project with a template that it can deploy", async () => {
    await ends(0, "init", "--template", "cloudformation")
    project({})
    await ends(0, "init", "--id", id)
    await ends(0, "deploy", "--version", "v1")
    const { Stacks } = await aws.client.describeStacks({ StackName: "acme-hello" })
    expect(Stacks![0]!.Outputs).toMatchObject([{ OutputKey: "Version", OutputValue: "v1" }])
  })

  it("prints policies, and refuses what it does not know", async () => {
    project({ "signalbox.config.yaml": yaml, "api.yaml": template() })
    const { stdout } = await run("aws", "iam-policy", "--for", "plan", "--stack", "shop-*")
    expect(JSON.parse(stdout)).toEqual({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "Stacks",
          Effect: "Allow",
          Action: [
            "cloudformation:DescribeStackEvents",
            "cloudformation:DescribeStackResourceDrifts",
            "cloudformation:DescribeStacks",
            "cloudformation:DetectStackDrift",
            "cloudformation:GetTemplate",
            "cloudformation:ListStackResources"
          ],
          Resource: "arn:aws:cloudformation:*:*:stack/shop-*/*"
        },
        {
          Sid: "Everywhere",
          Effect: "Allow",
          Action: ["cloudformation:DescribeStackDriftDetectionStatus", "cloudwatch:DescribeAlarms"],
          Resource: "*"
        }
      ]
    })
    await ends(64, "aws", "iam-policy", "--for", "everything")
    await ends(64, "aws", "iam-policy", "--fro", "plan")
  })
})
