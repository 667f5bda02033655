/**
 * Processes, identified by pid *and* start time: a pid alone may have been reused. From `/proc` on Linux, elsewhere
 * from `ps`.
 */
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { isOfOwner, markOf, markOn } from "./Spawn.ts"

export interface Identity {
  readonly pid: number
  readonly started: string
}

/** Environment variables that mark an instance, so that it can be found even if its pid was never recorded. */
export const marker = { owner: "SIGNALBOX_SUPERVISOR", instance: "SIGNALBOX_INSTANCE" } as const

const linux = process.platform === "linux"

/** When the process started; undefined if it is gone, or a zombie that only waits to be reaped. */
const startOf = (pid: number): string | undefined => {
  try {
    if (linux) {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
      // The name in parentheses may contain anything: fields are counted from the last parenthesis.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
      return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19]
    }
    const [state, ...started] = execFileSync("ps", ["-o", "state=,lstart=", "-p", String(pid)], { encoding: "utf8" })
      .trim()
      .split(/\s+/)
    return state === undefined || state === "" || state.startsWith("Z") ? undefined : started.join(" ")
  } catch {
    return undefined
  }
}

export const identify = (pid: number): Identity | undefined => {
  const started = startOf(pid)
  return started === undefined ? undefined : { pid, started }
}

export const isAlive = (identity: Identity): boolean => startOf(identity.pid) === identity.started

/** Signals the process group of a process after verifying its identity. */
export const signalGroup = (identity: Identity, signal: NodeJS.Signals): void => {
  if (!isAlive(identity)) return
  try {
    process.kill(-identity.pid, signal)
  } catch {
    // It went away in between.
  }
}

/**
 * Kills the rest of a process group whose leader is gone. The number cannot be reused while the group has members, and
 * if it has none, the call fails; only a group whose leader lives again would be a stranger's.
 */
export const killRest = (pid: number): void => {
  if (identify(pid) !== undefined) return
  try {
    process.kill(-pid, "SIGKILL")
  } catch {
    // Empty.
  }
}

const environment = (pid: number): ReadonlyMap<string, string> => {
  try {
    return new Map(
      readFileSync(`/proc/${pid}/environ`, "utf8")
        .split("\0")
        .map((entry) => {
          const at = entry.indexOf("=")
          return [entry.slice(0, at), entry.slice(at + 1)]
        })
    )
  } catch {
    return new Map()
  }
}

/** The environment that a process was started with; empty if it cannot be read. */
export const environmentOf = (identity: Identity): ReadonlyMap<string, string> =>
  linux && isAlive(identity) ? environment(identity.pid) : new Map()

/** The mark of a process. */
export const markedBy = (pid: number, name: string): string | undefined => environment(pid).get(name)

export interface Marked extends Identity {
  readonly instance: string
  /** Leads its process group. */
  readonly leader: boolean
}

/**
 * Every process of an owner, by its environment or by its inherited mark. `instances` may be found by
 * the mark alone: the mark then tells which one a process belongs to, and `""` stands for none. Linux only: elsewhere
 * nothing is found.
 */
export const findMarked = (owner: string, instances: Iterable<string> = []): ReadonlyArray<Marked> => {
  if (!linux) return []
  const byMark = new Map(Array.from(instances, (instance) => [markOf(owner, instance), instance]))
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const pid = Number(name)
      if (pid === process.pid) return []
      const mark = markOn(pid)
      const inherited = mark !== undefined && isOfOwner(mark, owner) ? (byMark.get(mark) ?? "") : undefined
      const variables = environment(pid)
      const declared = variables.get(marker.owner) === owner ? (variables.get(marker.instance) ?? "") : undefined
      const instance = declared ?? inherited
      if (instance === undefined) return []
      const identity = identify(pid)
      return identity === undefined ? [] : [{ ...identity, instance, leader: groupOf(pid) === pid }]
    })
}

/** Waits until none of them exists any more, at most `millis`. */
export const allGone = async (processes: ReadonlyArray<Identity>, millis: number): Promise<void> => {
  const deadline = Date.now() + millis
  while (processes.some(isAlive) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
}

const groupOf = (pid: number): number => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2])
  } catch {
    return 0
  }
}

export const signalAll = (processes: ReadonlyArray<Identity>, signal: NodeJS.Signals): void => {
  for (const found of processes) {
    if (!isAlive(found)) continue
    try {
      process.kill(found.pid, signal)
    } catch {
      // It went away in between.
    }
  }
}
