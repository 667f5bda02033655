/**
 * `signalbox aws …`.
 */
import type { PluginInvocation } from "@signalbox/core/plugin"

const usage = `Usage: signalbox aws <command>

  bootstrap    create the table of a shared store, and the bucket of long templates
  iam-policy   print the smallest policy that suffices for a purpose
`

/** Runs the subcommand, and resolves with the exit code. */
export const run = async (invocation: PluginInvocation): Promise<number> => {
  const [word, ...args] = invocation.args
  if (word === "bootstrap") {
    return (await import("./bootstrap/command.ts")).bootstrap({ ...invocation, args })
  }
  if (word === "iam-policy") return (await import("./iam/command.ts")).iamPolicy({ ...invocation, args })
  if (word === undefined || word === "--help" || word === "-h") {
    invocation.stdout(usage)
    return 0
  }
  invocation.stderr(`signalbox: there is no command ${word} of aws\n${usage}`)
  return 64
}
