/**
 * Describes a plan: whether anything changes, the changes, and the effect of a rollback.
 */
import { absent, type Json, type Release, type StackPlan, type StackRef } from "@signalbox/core/spi"
import type { ReleaseRecord, Runtime, StackView } from "./supervisor/Protocol.ts"

/** Compares a release with the current state of its stack. */
export const describePlan = (
  ref: StackRef,
  release: Release,
  runtime: Runtime,
  view: StackView | null,
  takenAt: number
): StackPlan => {
  const seen = view?.observation ?? absent
  const stable = view?.stable ?? null
  const carries = seen.traffic.find(({ releaseId }) => releaseId === release.id)?.percent ?? 0
  const same = stable?.release.id === release.id
  const stopped = view?.stopped === true
  const none = same && seen.candidate === null && !stopped && (carries === 100 || seen.status === "failed")
  const processes = `${runtime.instances} ${runtime.instances === 1 ? "process" : "processes"}`
  const named = namesOf(release, stable?.release ?? null, seen.candidate)
  const changes = none
    ? []
    : [
        stable === null
          ? `start ${processes} of ${release.version} behind a new proxy${runtime.port === 0 ? "" : ` on port ${runtime.port}`}`
          : same && stopped
            ? `start ${processes} of ${named(release)} again`
            : `start ${processes} of ${named(release)} beside ${named(stable.release)}`,
        ...(stable === null ? [] : differences(stable, { release, runtime }))
      ]
  return {
    action: none ? "none" : stable === null ? "create" : "update",
    candidate: release,
    checkpoint: {
      release: stable?.release ?? null,
      takenAt,
      data: stable === null ? null : { runtime: stable.runtime as unknown as Json, traffic: seen.traffic }
    },
    changes,
    rollback:
      stable === null
        ? `${ref.stack} goes away: its processes are stopped and its port is given back`
        : `all traffic goes back to ${named(stable.release)}, whose files are kept; ${named(release)} is drained and stopped`,
    warnings: [
      ...(seen.candidate === null || seen.candidate.id === release.id
        ? []
        : [`${named(seen.candidate)} was left half brought in; it is taken away`]),
      ...(seen.operation === null ? [] : [`an operation is in progress: ${seen.operation.description}`]),
      ...(seen.status === "failed"
        ? [seen.reason ?? `no process of ${stable === null ? release.version : named(stable.release)} is ready`]
        : [])
    ]
  }
}

/**
 * Names releases by their version; releases of the same version also by the first digits of the digest in which they
 * differ.
 */
const namesOf = (...all: ReadonlyArray<Release | null>) => {
  const digits = (digest: string | undefined) => (digest ?? "").replace("sha256:", "").slice(0, 12)
  return (release: Release): string => {
    const others = all.filter((other) => other?.version === release.version && other.id !== release.id)
    if (others.length === 0) return release.version
    const artifact = others.some((other) => other?.digest !== release.digest) ? [digits(release.digest)] : []
    const config = others.some((other) => other?.digest === release.digest)
      ? [`configuration ${digits(release.configDigest)}`]
      : []
    return `${release.version} (${[...artifact, ...config].join(", ")})`
  }
}

const differences = (before: ReleaseRecord, after: ReleaseRecord): ReadonlyArray<string> => {
  const changes: Array<string> = []
  if (before.release.digest !== after.release.digest) changes.push("the artifact changes")
  const [old, fresh] = [before.runtime, after.runtime]
  for (const name of new Set([...Object.keys(old.env), ...Object.keys(fresh.env)])) {
    // Names only: values may be confidential.
    if (JSON.stringify(old.env[name]) !== JSON.stringify(fresh.env[name])) changes.push(`env.${name} changes`)
  }
  for (const key of ["command", "cwd", "instances", "readiness", "port", "drain", "grace", "keep"] as const) {
    if (JSON.stringify(old[key]) !== JSON.stringify(fresh[key])) changes.push(`${key} changes`)
  }
  return changes
}
