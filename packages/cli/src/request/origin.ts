/**
 * The origin of a request: from the flags, or else from the CI job and the repository.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Origin } from "@signalbox/core/spi"
import type { Invocation } from "../main/Invocation.ts"

/** The flags for it. */
interface OriginFlags {
  readonly commit: Option.Option<string>
  readonly committedAt: Option.Option<number>
  readonly workflowRun: Option.Option<string>
}

/** The longest wait for a time that is only nice to have. */
const patience = 1_000

const isRepository = (folder: string): boolean =>
  Fs.existsSync(Path.join(folder, ".git")) || (Path.dirname(folder) !== folder && isRepository(Path.dirname(folder)))

/** The commit time from the repository; unknown if it is not available at once. */
const committedAt = (cwd: string, commit: string): Effect.Effect<number | undefined> =>
  Effect.callback<number | undefined>((resume) => {
    // The value is passed to a program: only a digest is accepted.
    if (!/^[0-9a-f]{7,64}$/i.test(commit) || !isRepository(cwd)) return resume(Effect.undefined)
    const { execFile } = process.getBuiltinModule("node:child_process")
    const args = ["show", "-s", "--format=%cI", commit]
    execFile("git", args, { cwd, timeout: patience, encoding: "utf8" }, (error, stdout) => {
      const time = Date.parse(stdout.trim())
      resume(Effect.succeed(error !== null || Number.isNaN(time) ? undefined : time))
    })
  })

/** The page of the current workflow run. */
const pageOf = ({ GITHUB_REPOSITORY, GITHUB_RUN_ID, GITHUB_SERVER_URL }: Invocation["host"]["env"]) =>
  GITHUB_REPOSITORY && GITHUB_RUN_ID
    ? `${GITHUB_SERVER_URL || "https://github.com"}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`
    : undefined

/** Assembles it; undefined if nothing is known. */
export const originOf = Effect.fnUntraced(function* ({ host }: Invocation, flags: OriginFlags) {
  const commit = Option.getOrUndefined(flags.commit) ?? (host.env.GITHUB_SHA || undefined)
  const workflowRun = Option.getOrUndefined(flags.workflowRun) ?? pageOf(host.env)
  const at =
    Option.getOrUndefined(flags.committedAt) ??
    (commit === undefined ? undefined : yield* committedAt(host.cwd, commit))
  const origin: Origin = {
    ...(commit === undefined ? {} : { commit }),
    ...(at === undefined ? {} : { committedAt: at }),
    ...(workflowRun === undefined ? {} : { workflowRun })
  }
  return Object.keys(origin).length === 0 ? {} : { origin }
})
