/**
 * `signalbox aws iam-policy`.
 */
import type { PluginInvocation } from "@signalbox/core/plugin"
import { parseArgs } from "node:util"
import { kinds, type PolicyRequest, policyFor } from "./policy.ts"

const usage = `Usage: signalbox aws iam-policy --for plan|deploy|store|bootstrap [flags]

Prints the smallest policy of IAM that suffices. Without a role for CloudFormation, the principal also needs the
permissions for the resources of the template.

  --for        plan: status and previews; deploy: deploy, roll back and destroy as well; store: the shared store;
               bootstrap: create its table, and the bucket
  --kind       the stacks that are planned or deployed: cloudformation (default), alb or asg
  --stack      the name of the stack of CloudFormation, or a pattern (default *)
  --group      the name of the Auto Scaling group, or a pattern (default *)
  --role       the ARN of the role that CloudFormation uses (roleArn of the properties), or that instances have
  --bucket     the bucket of templates that are too long for a call
  --templates  the templates that are read from S3: bucket/key, or a pattern
  --table      the table of the shared store (default signalbox)
  --region, --account, --partition
`

const options = {
  for: { type: "string" },
  kind: { type: "string" },
  group: { type: "string" },
  stack: { type: "string" },
  role: { type: "string" },
  bucket: { type: "string" },
  table: { type: "string" },
  templates: { type: "string" },
  region: { type: "string" },
  account: { type: "string" },
  partition: { type: "string" },
  help: { type: "boolean", short: "h" }
} as const

const purposes = ["plan", "deploy", "store", "bootstrap"] as const

/** Prints the policy as JSON, and resolves with the exit code. */
export const iamPolicy = async ({
  args,
  stderr,
  stdout
}: Pick<PluginInvocation, "args" | "stderr" | "stdout">): Promise<number> => {
  const wrong = (message: string): number => {
    stderr(`signalbox: ${message}\n\n${usage}`)
    return 64
  }
  let values: Omit<PolicyRequest, "kind" | "purpose"> & {
    readonly for?: string
    readonly kind?: string
    readonly help?: boolean
  }
  try {
    values = parseArgs({ args: [...args], options }).values
  } catch (error) {
    return wrong((error as Error).message)
  }
  if (values.help === true) {
    stdout(usage)
    return 0
  }
  const purpose = purposes.find((one) => one === values.for)
  if (purpose === undefined) {
    return wrong(
      values.for === undefined ? "--for is missing" : `--for ${values.for} is none of ${purposes.join(", ")}`
    )
  }
  const kind = kinds.find((one) => one === (values.kind ?? "cloudformation"))
  if (kind === undefined) return wrong(`--kind ${values.kind} is none of ${kinds.join(", ")}`)
  stdout(`${JSON.stringify(policyFor({ ...values, kind, purpose }), undefined, 2)}\n`)
  return 0
}
