/**
 * `signalbox aws bootstrap`: creates the table of the shared store.
 */
import type { PluginInvocation } from "@signalbox/core/plugin"
import { parseAddress } from "./Address.ts"
import { StoreFailure } from "./StoreFailure.ts"
import { createTable, templateOf } from "./table.ts"

const usage = `Usage: signalbox aws bootstrap [--print] [<url of the store>]

Creates the table of a shared store: dynamodb://<table>?region=<region>
Without a URL, SIGNALBOX_DATABASE_URL is taken, and otherwise the table signalbox of the region of your AWS settings.

  --print   print a template of CloudFormation instead, and call nothing
`

/** The exit codes of the command, by the reason of a failure. */
const exitCodes: { readonly [Reason in StoreFailure["reason"]]?: number } = { Misconfigured: 64, Unavailable: 6 }

/** Runs the command, and resolves with its exit code. */
export const bootstrap = async ({
  args,
  env,
  stderr,
  stdout
}: Pick<PluginInvocation, "args" | "env" | "stderr" | "stdout">): Promise<number> => {
  const options = args.filter((arg) => arg.startsWith("-"))
  const urls = args.filter((arg) => !arg.startsWith("-"))
  if (options.some((option) => option === "--help" || option === "-h")) {
    stdout(usage)
    return 0
  }
  const unknown = options.find((option) => option !== "--print")
  if (unknown !== undefined || urls.length > 1) {
    stderr(
      `signalbox: ${unknown === undefined ? "at most one URL is possible" : `there is no option ${unknown}`}\n${usage}`
    )
    return 64
  }
  try {
    const address = parseAddress(urls[0] ?? (env["SIGNALBOX_DATABASE_URL"] || "dynamodb://signalbox"))
    if (options.includes("--print")) {
      stdout(templateOf(address.table))
      return 0
    }
    const created = await createTable(address)
    stdout(
      created
        ? `The table ${address.table} was created. Put its URL into the configuration as "store", and run: signalbox init\n`
        : `The table ${address.table} exists already.\n`
    )
    return 0
  } catch (error) {
    if (!(error instanceof StoreFailure)) throw error
    stderr(`signalbox: ${error.detail}\n`)
    return exitCodes[error.reason] ?? 1
  }
}
