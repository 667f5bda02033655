/**
 * Describes a stack as it is now: its traffic, its health and its processes.
 */
import type { Observation } from "@signalbox/core/spi"
import type { StackView } from "./Protocol.ts"
import type { Stack } from "./Stack.ts"
import type { KnownRelease } from "./State.ts"

/** `operation` is the operation in progress. */
export const viewOf = (stack: Stack, operation: Observation["operation"]): StackView => {
  const { candidate, instances, lastChangedAt, releases, stable } = stack.state
  const capacities = Object.entries(releases).filter(([, { wanted }]) => wanted > 0)
  const stableRelease = stable === null ? null : releases[stable]!
  const listening = stack.proxy.port !== undefined
  const url = `http://127.0.0.1:${stack.state.port}`
  const effective = listening ? stack.proxy.balancer.effective() : {}
  const down = stable !== null && (!listening || stack.readyOf(stable).length === 0)
  const all = stable === null ? [] : stack.of(stable)
  const blocked = all.length > 0 && all.every(({ status }) => status === "blocked")
  // A supervisor that only learned a fence has taken over running processes and started nothing. None wanted: a
  // destruction was interrupted.
  const short = stableRelease !== null && all.filter(({ idle }) => !idle).length < Math.max(1, stableRelease.wanted)
  return {
    stopped: short,
    stable: stableRelease === null ? null : { release: stableRelease.release, runtime: stableRelease.runtime },
    observation: {
      status: operation !== null ? "changing" : down ? "failed" : instances.length === 0 ? "absent" : "ready",
      stable: stableRelease?.release ?? null,
      candidate: candidate === null ? null : (releases[candidate]?.release ?? null),
      traffic: Object.entries(effective).map(([releaseId, percent]) => ({ releaseId, percent })),
      health: Object.fromEntries(
        capacities.map(([id, { wanted }]) => [
          id,
          { healthy: Math.min(wanted, stack.readyOf(id).length), total: wanted }
        ])
      ),
      ...(down ? { reason: whyDown(stack, stableRelease!, { listening, blocked, short }) } : {}),
      fence: stack.house.file.fence(stack.state),
      operation,
      lastChangedAt,
      outputs: { url, port: stack.state.port },
      resources: [
        { id: url, type: "proxy", status: listening ? "listening" : "port_taken" },
        ...stack.instances.map(({ record, release, status }) => ({
          id: record.id,
          type: "process",
          status,
          reason:
            `${release.release.version}, pid ${record.pid ?? "none"}, port ${record.port}` +
            (status === "blocked" ? `, needs ${missingNames(stack, release)}` : "") +
            (record.restarts === 0 ? "" : `, restarted ${record.restarts} times`)
        }))
      ]
    }
  }
}

const missingNames = (stack: Stack, known: KnownRelease): string =>
  [...new Set(stack.missing(known).map(({ variable }) => variable))].join(", ")

const whyDown = (
  stack: Stack,
  stable: KnownRelease,
  { blocked, listening, short }: { readonly [Key in "blocked" | "listening" | "short"]: boolean }
): string => {
  const { version } = stable.release
  if (blocked)
    return `${version} is not started without ${missingNames(stack, stable)}: deploy or roll back where that is set`
  if (!listening) return `port ${stack.state.port} is taken by another program`
  return `no process of ${version} is ready${short ? "; a deployment or a rollback starts it" : ""}`
}
