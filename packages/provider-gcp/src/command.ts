/**
 * `signalbox gcp …`.
 */
import type { PluginInvocation } from "@signalbox/core/plugin"

const usage = `Usage: signalbox gcp <command>

  iam-roles    print the smallest role that suffices for a purpose
`

/** Runs the subcommand, and resolves with the exit code. */
export const run = async (invocation: PluginInvocation): Promise<number> => {
  const [word, ...args] = invocation.args
  if (word === "iam-roles") return (await import("./iam/command.ts")).iamRoles({ ...invocation, args })
  if (word === undefined || word === "--help" || word === "-h") {
    invocation.stdout(usage)
    return 0
  }
  invocation.stderr(`signalbox: there is no command ${word} of gcp\n${usage}`)
  return 64
}
