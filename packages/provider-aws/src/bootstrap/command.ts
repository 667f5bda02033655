/**
 * `signalbox aws bootstrap`: creates the table of the shared store, and the bucket of templates that are too long for a call.
 */
import type { PluginInvocation } from "@signalbox/core/plugin"
import { parseArgs } from "node:util"
import { parseAddress } from "../dynamodb/Address.ts"
import { StoreFailure } from "../dynamodb/StoreFailure.ts"
import { createTable, tableResource } from "../dynamodb/table.ts"
import { bucketResource, createBucket, isBucketName } from "./bucket.ts"

const usage = `Usage: signalbox aws bootstrap [--print] [--bucket <name>] [<url of the store>]

Creates the table of a shared store: dynamodb://<table>?region=<region>
Without a URL, SIGNALBOX_DATABASE_URL is taken, and otherwise the table signalbox of the region of your AWS settings.

  --bucket  create the bucket too that templates of more than 51,200 bytes go through
  --print   print a template of CloudFormation instead, and call nothing
`

const options = {
  print: { type: "boolean" },
  bucket: { type: "string" },
  help: { type: "boolean", short: "h" }
} as const

/** The exit codes of the command, by the reason of a failure. */
const exitCodes: { readonly [Reason in StoreFailure["reason"]]?: number } = { Misconfigured: 64, Unavailable: 6 }

/** Runs the command, and resolves with its exit code. */
export const bootstrap = async ({
  args,
  env,
  stderr,
  stdout
}: Pick<PluginInvocation, "args" | "env" | "stderr" | "stdout">): Promise<number> => {
  const wrong = (message: string): number => {
    stderr(`signalbox: ${message}\n${usage}`)
    return 64
  }
  let given: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>
  try {
    given = parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    return wrong((error as Error).message)
  }
  const { positionals: urls, values } = given
  if (values.help === true) {
    stdout(usage)
    return 0
  }
  if (urls.length > 1) return wrong("at most one URL is possible")
  const { bucket } = values
  if (bucket !== undefined && !isBucketName(bucket)) {
    return wrong(`${bucket} is no name of a bucket: 3 to 63 lower-case letters, digits and hyphens`)
  }
  try {
    const address = parseAddress(urls[0] ?? (env["SIGNALBOX_DATABASE_URL"] || "dynamodb://signalbox"))
    const { table, ...place } = address
    if (values.print === true) {
      const Resources = {
        Store: tableResource(table),
        ...(bucket === undefined ? {} : { Templates: bucketResource(bucket) })
      }
      stdout(`${JSON.stringify({ Resources }, null, 2)}\n`)
      return 0
    }
    stdout(
      (await createTable(address))
        ? `The table ${table} was created. Put its URL into the configuration as "store", and run: signalbox init\n`
        : `The table ${table} exists already.\n`
    )
    if (bucket === undefined) return 0
    stdout(
      (await createBucket(bucket, place))
        ? `The bucket ${bucket} was created. Name it in the options of the plug-in: aws({ bucket: "${bucket}" })\n`
        : `The bucket ${bucket} exists already.\n`
    )
    return 0
  } catch (error) {
    if (!(error instanceof StoreFailure)) throw error
    stderr(`signalbox: ${error.detail}\n`)
    return exitCodes[error.reason] ?? 1
  }
}
