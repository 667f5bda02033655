/**
 * Processes, told apart by pid *and* start time: a pid alone may have been handed to somebody else. On Linux from `/proc`,
 * elsewhere from `ps`.
 */
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"

export interface Identity {
  readonly pid: number
  readonly started: string
}

/** Environment variables that mark an instance, so that it is found even where its pid was never written down. */
export const marker = { owner: "SIGNALBOX_SUPERVISOR", instance: "SIGNALBOX_INSTANCE" } as const

const linux = process.platform === "linux"

/** When the process started; undefined where it is gone, or a zombie that only waits to be reaped. */
const startOf = (pid: number): string | undefined => {
  try {
    if (linux) {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
      // The name in parentheses may hold anything: fields are counted from the last parenthesis.
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

/** Signals the process group of a process that is verified to be the one meant. */
export const signalGroup = (identity: Identity, signal: NodeJS.Signals): void => {
  if (!isAlive(identity)) return
  try {
    process.kill(-identity.pid, signal)
  } catch {
    // It went away in between.
  }
}

/**
 * Kills what is left of a process group whose leader is gone. The number cannot belong to anybody else while the group has
 * members, and where it has none the call fails; only a group whose leader lives again would be a stranger's.
 */
export const killRest = (pid: number): void => {
  if (identify(pid) !== undefined) return
  try {
    process.kill(-pid, "SIGKILL")
  } catch {
    // Nobody left.
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

/** The environment that a process was started with; empty where it may not be read. */
export const environmentOf = (identity: Identity): ReadonlyMap<string, string> =>
  linux && isAlive(identity) ? environment(identity.pid) : new Map()

/** What a process carries as a mark. */
export const markedBy = (pid: number, name: string): string | undefined => environment(pid).get(name)

export interface Marked extends Identity {
  readonly instance: string
  /** Leads its process group. */
  readonly leader: boolean
}

/** Every process that carries the mark of this owner. Linux only: elsewhere nothing is found. */
export const findMarked = (owner: string): ReadonlyArray<Marked> => {
  if (!linux) return []
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const pid = Number(name)
      if (pid === process.pid) return []
      const variables = environment(pid)
      if (variables.get(marker.owner) !== owner) return []
      const identity = identify(pid)
      return identity === undefined
        ? []
        : [{ ...identity, instance: variables.get(marker.instance) ?? "", leader: groupOf(pid) === pid }]
    })
}

const groupOf = (pid: number): number => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2])
  } catch {
    return 0
  }
}

export const killMarked = (processes: ReadonlyArray<Marked>): void => {
  for (const found of processes) {
    if (!isAlive(found)) continue
    try {
      process.kill(found.pid, "SIGKILL")
    } catch {
      // It went away in between.
    }
  }
}
