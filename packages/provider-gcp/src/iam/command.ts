/**
 * `signalbox gcp iam-roles`.
 */
import type { PluginInvocation } from "@signalbox/core/plugin"
import { parseArgs } from "node:util"
import { roleFor } from "./role.ts"

const usage = `Usage: signalbox gcp iam-roles --for plan|deploy [flags]

Prints the smallest custom role of IAM that suffices, as gcloud iam roles create --file takes it, and the commands that
come next.

  --for        plan: status and previews; deploy: deploy, roll back and destroy as well
  --service    run or hosting (default both); may be repeated
  --public     also open services to everyone: public of the properties
  --project    the project
  --member     who gets the role, such as serviceAccount:ci@shop.iam.gserviceaccount.com
  --runs-as    the service account that services and jobs run as
`

const options = {
  for: { type: "string" },
  service: { type: "string", multiple: true },
  public: { type: "boolean" },
  project: { type: "string" },
  member: { type: "string" },
  "runs-as": { type: "string" },
  help: { type: "boolean", short: "h" }
} as const

const purposes = ["plan", "deploy"] as const
const kinds = ["run", "hosting"] as const

/** Prints the role as JSON, and resolves with the exit code. */
export const iamRoles = async ({
  args,
  stderr,
  stdout
}: Pick<PluginInvocation, "args" | "stderr" | "stdout">): Promise<number> => {
  const wrong = (message: string): number => {
    stderr(`signalbox: ${message}\n\n${usage}`)
    return 64
  }
  const parse = () => parseArgs({ args: [...args], options }).values
  let values: ReturnType<typeof parse>
  try {
    values = parse()
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
  const unknown = values.service?.find((one) => !kinds.some((kind) => kind === one))
  if (unknown !== undefined) return wrong(`--service ${unknown} is none of ${kinds.join(", ")}`)
  const services = kinds.filter((kind) => values.service === undefined || values.service.includes(kind))
  const role = roleFor({ purpose, services, public: values.public === true })
  stdout(`${JSON.stringify(role, undefined, 2)}\n`)
  const { member = "<member>", project = "<project>", "runs-as": runsAs = "<service account>" } = values
  const name = purpose === "deploy" ? "signalboxDeploy" : "signalboxPlan"
  const next = [
    `gcloud iam roles create ${name} --project ${project} --file role.json`,
    `gcloud projects add-iam-policy-binding ${project} --member ${member} --role projects/${project}/roles/${name}`,
    // A service and a job run as an account, and who deploys them has to be allowed to act as it.
    ...(purpose === "deploy" && services.includes("run")
      ? [
          `gcloud iam service-accounts add-iam-policy-binding ${runsAs} --project ${project} --member ${member} --role roles/iam.serviceAccountUser`
        ]
      : [])
  ]
  stderr(`Next, with the role above in role.json:\n${next.map((line) => `  ${line}\n`).join("")}`)
  return 0
}
