/**
 * The commands that build a site before it is deployed.
 */
import { type Mutation, type ProviderReason, reportProgress } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import type { SiteConfig } from "./SiteConfig.ts"

/** So much of the end of its output is shown of a command that failed. */
const shownOutput = 2_000

const run = (command: string, cwd: string, env: NodeJS.ProcessEnv): Effect.Effect<void, ProviderReason> =>
  Effect.callback<void, ProviderReason>((resume) => {
    const ended = (how: string, output: string) =>
      resume(
        Effect.fail({
          _tag: "Broken",
          message: `predeploy failed: ${command} ${how}${output === "" ? "" : `\n${output.slice(-shownOutput)}`}`,
          resource: command
        })
      )
    // A group of its own, so that what a shell has started ends with it.
    const group = process.platform !== "win32"
    const child = spawn(command, { cwd, env, shell: true, detached: group, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data: Buffer) => (output = (output + data.toString()).slice(-2 * shownOutput)))
    }
    child.once("error", (error) => ended(`cannot be started: ${error.message}`, ""))
    child.once("close", (code, signal) => {
      if (code === 0) resume(Effect.void)
      else ended(signal === null ? `ended with ${code}` : `was ended by ${signal}`, output.trim())
    })
    return Effect.sync(() => {
      if (child.pid === undefined || child.exitCode !== null) return
      if (group) process.kill(-child.pid, "SIGTERM")
      else child.kill()
    })
  })

/** Runs them one after the other, with what the vendor's tool gives them. */
export const predeploy = (
  commands: ReadonlyArray<string>,
  { mutation, project }: { readonly mutation: Mutation; readonly project: string },
  { folder, root }: SiteConfig
): Effect.Effect<void, ProviderReason> => {
  const env = { ...process.env, GCLOUD_PROJECT: project, PROJECT_DIR: root, RESOURCE_DIR: folder ?? root }
  return Effect.forEach(
    commands,
    (command) => Effect.andThen(reportProgress(mutation, `run ${command}`), run(command, root, env)),
    { discard: true }
  )
}
