/**
 * `signalbox aws iam-policy`: prints the permissions that a role needs.
 */
import type { PluginInvocation } from "@signalbox/core/plugin"
import { parseAddress } from "./dynamodb/Address.ts"
import { StoreFailure } from "./dynamodb/StoreFailure.ts"
import { policyFor, type Purpose, purposes } from "./permissions.ts"

const usage = `Usage: signalbox aws iam-policy --for <${purposes.join("|")}> [<url of the store>]

Prints the smallest IAM policy with which Signalbox can use the store, or create it.
Without a URL, SIGNALBOX_DATABASE_URL is taken, and otherwise the table signalbox.
`

/** Runs the command, and returns its exit code. */
export const iamPolicy = ({
  args,
  env,
  stderr,
  stdout
}: Pick<PluginInvocation, "args" | "env" | "stderr" | "stdout">): number => {
  const refuse = (why: string) => {
    stderr(`signalbox: ${why}\n${usage}`)
    return 64
  }
  if (args.includes("--help") || args.includes("-h")) {
    stdout(usage)
    return 0
  }
  const spread = args.flatMap((arg) => (arg.startsWith("--for=") ? ["--for", arg.slice("--for=".length)] : [arg]))
  const at = spread.indexOf("--for")
  const purpose = at === -1 ? undefined : spread[at + 1]
  const rest = spread.filter((_, index) => at === -1 || (index !== at && index !== at + 1))
  if (purpose === undefined) return refuse("--for is missing")
  if (!purposes.includes(purpose as Purpose)) return refuse(`there is no policy for ${purpose}`)
  const unknown = rest.find((arg) => arg.startsWith("-"))
  if (unknown !== undefined) return refuse(`there is no option ${unknown}`)
  if (rest.length > 1) return refuse("at most one URL is possible")
  try {
    const address = parseAddress(rest[0] ?? (env["SIGNALBOX_DATABASE_URL"] || "dynamodb://signalbox"))
    stdout(`${JSON.stringify(policyFor(purpose as Purpose, address), null, 2)}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof StoreFailure)) throw error
    return refuse(error.detail)
  }
}
