/**
 * The files of `init --template cloudformation`: a configuration, and a template to begin with.
 */
import type { Template } from "./write.ts"

const config = `// From here: npm install --save-dev @signalbox/core @signalbox/provider-aws, signalbox init, signalbox deploy --dry-run
import { defineConfig } from "@signalbox/core"
import { aws, cloudformation } from "@signalbox/provider-aws"

export default defineConfig({
  organization: "acme",
  project: "hello",

  // A plan that leads to another region or account is rejected.
  environments: { production: { region: "eu-west-1" } },

  plugins: [aws()],

  stacks: [
    cloudformation({
      name: "hello",
      properties: {
        stackName: "acme-hello",
        template: "template.yaml",

        // The version reaches the template by a parameter.
        parameters: { Version: "\${version}" },

        // A change set that deletes or replaces one of these is not executed.
        protect: ["AWS::DynamoDB::Table", "AWS::RDS::DBInstance", "AWS::S3::Bucket"]
      }
    })
  ]
})
`

const template = `# Replace this by your own template, or by one that CDK has written: cdk.out/<stack>.template.json
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Version:
    Type: String
Resources:
  Live:
    Type: AWS::SSM::Parameter
    Properties:
      Name: /acme/hello/version
      Type: String
      Value: !Ref Version
Outputs:
  Version:
    Value: !Ref Version
`

export const cloudFormation: Template = [
  ["signalbox.config.ts", config],
  ["template.yaml", template]
]
