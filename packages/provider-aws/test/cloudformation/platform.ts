/**
 * A fresh account of the emulator, templates to deploy there, and looks at it that do not go through the provider.
 */
import { CloudFormation, type StackEvent } from "@aws-sdk/client-cloudformation"
import { CloudWatch } from "@aws-sdk/client-cloudwatch"
import { S3 } from "@aws-sdk/client-s3"
import { type AlarmState, DeploymentId, EnvironmentName, StackName, type StackRef } from "@signalbox/core/spi"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { endpoint, freshAccount } from "../emulator.ts"

export const region = "eu-west-1"

/** A resource that answers after a while, by a function. `fail` names the requests (Create, Update, Delete) that fail. */
const answering = `
const { request } = require("node:http")
exports.handler = async (event) => {
  const { ms = "0", fail = "" } = event.ResourceProperties
  await new Promise((resolve) => setTimeout(resolve, Number(ms)))
  const body = JSON.stringify({
    Status: fail.split(",").includes(event.RequestType) ? "FAILED" : "SUCCESS",
    Reason: "told to fail", PhysicalResourceId: event.PhysicalResourceId ?? "answering",
    StackId: event.StackId, RequestId: event.RequestId, LogicalResourceId: event.LogicalResourceId
  })
  await new Promise((resolve, reject) => {
    request(event.ResponseURL, { method: "PUT", headers: { "content-length": Buffer.byteLength(body) } }, resolve)
      .on("error", reject).end(body)
  })
}`

/** The function behind custom resources, and its role. */
export const functionResources = {
  Role: {
    Type: "AWS::IAM::Role",
    Properties: {
      AssumeRolePolicyDocument: {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }]
      }
    }
  },
  Answering: {
    Type: "AWS::Lambda::Function",
    Properties: {
      // A changed function ends the workers of all functions of its name, in every account.
      FunctionName: { "Fn::Sub": "a-${AWS::AccountId}-${AWS::StackName}" },
      Handler: "index.handler",
      Runtime: "nodejs20.x",
      Timeout: 30,
      Role: { "Fn::GetAtt": ["Role", "Arn"] },
      Code: { ZipFile: answering }
    }
  }
}

export const answer = (
  properties: { readonly ms?: number; readonly fail?: string; readonly v?: string },
  after: Array<string> = []
) => ({
  Type: "Custom::Answer",
  DependsOn: after,
  // The answer of a worker that was ended never comes.
  Properties: { ServiceToken: { "Fn::GetAtt": ["Answering", "Arn"] }, ServiceTimeout: "30", ...properties }
})

/** A template whose version shows at the emulator. */
export const templateOf = (version: string, resources: object = {}) => ({
  Resources: {
    Version: { Type: "AWS::SSM::Parameter", Properties: { Name: "/version", Type: "String", Value: version } },
    ...resources
  },
  Outputs: { Version: { Value: version } }
})

/** A condition that is never signalled, and fails after a second. */
export const neverSignalled = {
  Handle: { Type: "AWS::CloudFormation::WaitConditionHandle" },
  Wait: {
    Type: "AWS::CloudFormation::WaitCondition",
    Properties: { Handle: { Ref: "Handle" }, Timeout: "1" }
  }
}

export interface Platform {
  readonly account: string
  readonly client: CloudFormation
  readonly s3: S3
  readonly directory: string
  readonly write: (file: string, template: object | string) => string
  /** The version that is live. */
  readonly version: () => Promise<string | undefined>
  /** The events of all stacks of that name, gone or not. */
  readonly events: (stackName: string) => Promise<ReadonlyArray<StackEvent>>
  /** Makes an alarm in a state, and returns its name. */
  readonly alarm: (state: AlarmState) => Promise<string>
  /** Changes the version behind the back of CloudFormation. */
  readonly changeVersion: (version: string) => Promise<void>
  readonly close: () => void
}

export const platform = (account = freshAccount()): Platform => {
  const directory = mkdtempSync(join(tmpdir(), "signalbox-aws-test-"))
  const place = { endpoint: endpoint!, region, credentials: { accessKeyId: account, secretAccessKey: "test" } }
  const client = new CloudFormation(place)
  const s3 = new S3({ ...place, forcePathStyle: true })
  const cloudWatch = new CloudWatch(place)
  const ssm = async (operation: string, body: object): Promise<unknown> => {
    const answer = await fetch(endpoint!, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": `AmazonSSM.${operation}`,
        authorization: `AWS4-HMAC-SHA256 Credential=${account}/20260101/${region}/ssm/aws4_request, SignedHeaders=host, Signature=0`
      },
      body: JSON.stringify(body)
    })
    return answer.json()
  }
  return {
    account,
    client,
    s3,
    directory,
    write: (file, template) => {
      const path = join(directory, file)
      writeFileSync(path, typeof template === "string" ? template : JSON.stringify(template, undefined, 2))
      return path
    },
    version: async () => {
      const { Parameter } = (await ssm("GetParameter", { Name: "/version" })) as {
        readonly Parameter?: { readonly Value: string }
      }
      return Parameter?.Value
    },
    changeVersion: async (Value) => {
      await ssm("PutParameter", { Name: "/version", Value, Type: "String", Overwrite: true })
    },
    alarm: async (state) => {
      const AlarmName = `is-${state}`
      await cloudWatch.putMetricAlarm({
        AlarmName,
        Namespace: "shop",
        MetricName: "errors",
        Statistic: "Sum",
        Period: 60,
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: "GreaterThanThreshold"
      })
      const StateValue = state.toUpperCase() as "OK"
      await cloudWatch.setAlarmState({ AlarmName, StateValue, StateReason: "a test" })
      return AlarmName
    },
    events: async (stackName) => {
      const { StackSummaries = [] } = await client.listStacks({})
      const all: Array<StackEvent> = []
      for (const { StackId, StackName } of StackSummaries) {
        if (StackName !== stackName) continue
        let NextToken: string | undefined
        do {
          const page = await client.describeStackEvents({ StackName: StackId, ...(NextToken && { NextToken }) })
          all.push(...(page.StackEvents ?? []))
          NextToken = page.NextToken
        } while (NextToken !== undefined)
      }
      return all
    },
    close: () => {
      client.destroy()
      s3.destroy()
      cloudWatch.destroy()
      rmSync(directory, { recursive: true, force: true })
    }
  }
}

export const refOf = (properties: StackRef["properties"] = {}): StackRef => ({
  deploymentId: DeploymentId.make("DX6604E"),
  environment: EnvironmentName.make("test"),
  stack: StackName.make("api"),
  properties,
  region
})
