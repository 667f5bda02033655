/**
 * Files of earlier releases that are not unpacked any more: fetched again from where they came from, if the artifact
 * still has the recorded digest.
 */
import type { Release } from "@signalbox/core/spi"
import { digest, parse, type Source, unpack } from "./Artifact.ts"
import type { Report } from "./artifact/Progress.ts"
import { refuse } from "./supervisor/Protocol.ts"

interface Where {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
}

const sourceOf = ({ artifact, version }: Release, { cwd, env }: Pick<Where, "cwd" | "env">): Source =>
  artifact === undefined
    ? gone(version, "nothing says where they came from")
    : parse(artifact, "deployment", undefined, cwd, env)

const gone = (version: string, why: string): never =>
  refuse({ _tag: "Missing", message: `the files of ${version} are not kept any more, and ${why}` })

/** Whatever is wrong with the artifact now, the release cannot be restored. */
const orGone = async <A>({ artifact, version }: Release, signal: AbortSignal, work: Promise<A>): Promise<A> => {
  try {
    return await work
  } catch (error) {
    // Interrupted: nothing is known about the artifact.
    if (signal.aborted) throw error
    const why = error instanceof Error ? error.message : String(error)
    return gone(version, `${artifact ?? "its artifact"} cannot replace them: ${why}`)
  }
}

/** Rejects a release whose files cannot be fetched again; fetches an archive to compare its digest, and writes nothing. */
export const checkAgain = (release: Release, where: Where): Promise<void> =>
  orGone(release, where.signal, compare(release, where))

const compare = async (release: Release, where: Where): Promise<void> => {
  const found = await digest(sourceOf(release, where), where.signal)
  if (found !== release.digest) throw new Error(`its digest is ${found}, not ${release.digest}`)
}

/** Unpacks a release again. */
export const unpackAgain = (
  release: Release,
  folder: string,
  { report, ...where }: Where & { readonly report: Report }
): Promise<void> => orGone(release, where.signal, fetchAgain(release, folder, where, report))

const fetchAgain = async (release: Release, folder: string, where: Where, report: Report): Promise<void> =>
  unpack(sourceOf(release, where), release.digest!, folder, where.signal, report)
