import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { decode } from "../../src/cloudformation/Properties.ts"
import {
  foundTemplate,
  parseTemplate,
  templateDigest,
  TemplateMistake,
  withRecord
} from "../../src/cloudformation/template/Template.ts"
import { parseTemplateAddress } from "../../src/cloudformation/template/TemplateAddress.ts"
import { templateOf } from "../../src/cloudformation/template/TemplateFile.ts"

const record = {
  release: { id: "r2", version: "v2", digest: "sha256:2", configDigest: "" },
  before: { id: "r1", version: 'v1: "quoted"', configDigest: "" }
}

const forms: Readonly<Record<string, string>> = {
  "YAML without metadata":
    "# Mine\nAWSTemplateFormatVersion: 2010-09-09\nResources:\n  Topic: { Type: AWS::SNS::Topic }\n",
  "YAML with metadata": "Metadata:\n  Mine: yes # kept\nResources:\n  Topic:\n    Type: AWS::SNS::Topic\n",
  "YAML with deep metadata": "Resources: { Topic: { Type: AWS::SNS::Topic } }\nMetadata:\n    Mine:\n        Deep: 1\n",
  "YAML with metadata in a flow": "Metadata: { Mine: 1 }\nResources: { Topic: { Type: AWS::SNS::Topic } }\n",
  "YAML with empty metadata": "Metadata:\nResources: { Topic: { Type: AWS::SNS::Topic } }\n",
  "YAML with a document mark": "---\nResources: { Topic: { Type: AWS::SNS::Topic } }\n",
  "JSON without metadata": `{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}`,
  "JSON with metadata": `{\n  "Metadata": {\n    "Mine": 1\n  },\n  "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}\n}`,
  "JSON with empty metadata": `{"Metadata": {}, "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}`
}

describe("the record of a release in a template", () => {
  it.each(Object.entries(forms))("is written into %s, and read again", (_, body) => {
    const plain = parseTemplate(body)
    expect(plain.record).toBeNull()
    const written = withRecord(body, record)
    const read = parseTemplate(written)
    expect(read.record).toEqual(record)
    // Nothing else has changed, not even for a person.
    expect(templateDigest(read)).toBe(templateDigest(plain))
    if (body.includes("# ")) expect(written).toMatch(/# Mine|# kept/)
    // A newer one takes its place.
    const newer = { release: { ...record.release, id: "r3" }, before: record.release }
    expect(parseTemplate(withRecord(written, newer)).record).toEqual(newer)
  })

  it("is nothing that others have written there", () => {
    const body = JSON.stringify({ Metadata: { Signalbox: { release: 1 } }, Resources: {} })
    expect(parseTemplate(body).record).toBeNull()
  })
})

describe("a template", () => {
  it("has its short forms written out", () => {
    const { content } = parseTemplate(`
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Condition: Large
    Properties:
      TopicName: !Sub "\${AWS::StackName}-x"
      Arn: !GetAtt Nested.Outputs.Arn
      List: !Join ["-", [!Ref A, !Select [0, !GetAZs ""]]]
      If: !If [Large, { A: !ImportValue x }, !Ref "AWS::NoValue"]
`)
    expect((content.Resources!["Topic"] as { readonly Properties: unknown }).Properties).toEqual({
      TopicName: { "Fn::Sub": "${AWS::StackName}-x" },
      Arn: { "Fn::GetAtt": ["Nested", "Outputs.Arn"] },
      List: { "Fn::Join": ["-", [{ Ref: "A" }, { "Fn::Select": [0, { "Fn::GetAZs": "" }] }]] },
      If: { "Fn::If": ["Large", { A: { "Fn::ImportValue": "x" } }, { Ref: "AWS::NoValue" }] }
    })
  })

  it("says the same in YAML and in JSON, whatever the order", () => {
    const yaml = parseTemplate("Resources: { A: { Type: T, Properties: { X: !Ref P, Y: 1 } } }\n")
    const json = parseTemplate(`{"Resources":{"A":{"Properties":{"Y":1,"X":{"Ref":"P"}},"Type":"T"}}}`)
    expect(templateDigest(json)).toBe(templateDigest(yaml))
  })

  it("that cannot be read is known by its text, if it is the one of a stack", () => {
    expect(() => parseTemplate("a: [")).toThrow(TemplateMistake)
    expect(templateDigest(foundTemplate("a: ["))).not.toBe(templateDigest(foundTemplate("b: [")))
  })
})

describe("a template that CDK has written", () => {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-cdk-"))
  afterAll(() => rmSync(folder, { recursive: true }))
  const write = (name: string, content: object) => writeFileSync(join(folder, name), JSON.stringify(content))
  const asset = (path: string) => ({ source: { path } })
  write("manifest.json", {
    artifacts: {
      Api: {
        type: "aws:cloudformation:stack",
        properties: { templateFile: "Api.template.json", stackName: "shop-api" }
      },
      "Api.assets": { type: "cdk:asset-manifest", properties: { file: "Api.assets.json" } },
      Web: { type: "aws:cloudformation:stack", properties: { templateFile: "Web.template.json" } },
      "Web.assets": { type: "cdk:asset-manifest", properties: { file: "Web.assets.json" } }
    }
  })
  write("Api.assets.json", { files: { a: asset("Api.template.json") } })
  write("Web.assets.json", { files: { a: asset("Web.template.json"), b: asset("asset.123") } })
  write("Api.template.json", { Resources: { Topic: { Type: "AWS::SNS::Topic" } } })
  write("Web.template.json", { Resources: { Topic: { Type: "AWS::SNS::Topic" } } })

  const read = (template: string) =>
    Effect.runPromise(
      Effect.match(
        Effect.flatMap(decode({ template }), (properties) =>
          templateOf(folder, { version: "v1" }, properties, () => Effect.succeed(""))
        ),
        { onFailure: (reason) => reason, onSuccess: ({ content }) => content }
      )
    )

  it("is found by its id or its name", async () => {
    expect(await read(".#Api")).toHaveProperty("Resources.Topic")
    expect(await read(".#shop-api")).toHaveProperty("Resources.Topic")
  })

  it("is refused if it is not there, or needs files that have to be published first", async () => {
    expect(await read(".#Apo")).toMatchObject({ _tag: "Invalid", message: ".: it has no stack Apo; it has Api, Web" })
    expect(await read(".#Web")).toMatchObject({ _tag: "Invalid", message: expect.stringContaining("asset.123") })
    expect(await read("nowhere#Api")).toMatchObject({ _tag: "Invalid", message: expect.stringContaining("ENOENT") })
  })
})

describe("the address of a template in S3", () => {
  it.each([
    ["s3://shop/api.yaml", { bucket: "shop", key: "api.yaml" }],
    ["s3://shop/a/b%20c.yaml?versionId=x1", { bucket: "shop", key: "a/b c.yaml", version: "x1" }],
    ["https://shop.s3.eu-west-1.amazonaws.com/api.yaml", { bucket: "shop", key: "api.yaml", region: "eu-west-1" }],
    ["https://my.shop.s3.amazonaws.com/api.yaml", { bucket: "my.shop", key: "api.yaml" }],
    ["https://s3.eu-west-1.amazonaws.com/shop/a/b.yaml", { bucket: "shop", key: "a/b.yaml", region: "eu-west-1" }],
    ["https://s3-us-gov-west-1.amazonaws.com/shop/a.yaml", { bucket: "shop", key: "a.yaml", region: "us-gov-west-1" }],
    ["https://shop.s3.cn-north-1.amazonaws.com.cn/a.yaml", { bucket: "shop", key: "a.yaml", region: "cn-north-1" }]
  ])("%s is read", (text, address) => {
    expect(parseTemplateAddress(text)).toEqual(address)
  })

  it.each([
    "s3://shop",
    "s3:///api.yaml",
    "https://example.com/api.yaml",
    "https://s3.amazonaws.com/shop",
    "https://shop.s3.amazonaws.com.example.com/api.yaml",
    "http://shop.s3.amazonaws.com/api.yaml",
    "https://key:hunter2@shop.s3.amazonaws.com/api.yaml",
    "s3:// /x"
  ])("%s is refused", (text) => {
    expect(parseTemplateAddress(text)).toBeUndefined()
  })
})
