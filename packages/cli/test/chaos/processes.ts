/** The running processes, from the kernel. */
import { readdirSync, readFileSync } from "node:fs"

export interface Running {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly state: string
  readonly command: string
  readonly variables: ReadonlyMap<string, string>
}

const read = (pid: number): Running | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const [state, parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    const variables = new Map(
      readFileSync(`/proc/${pid}/environ`, "utf8")
        .split("\0")
        .map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)] as const)
    )
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim()
    return { pid, parent: Number(parent), group: Number(group), state: state!, command, variables }
  } catch {
    return undefined
  }
}

const isOver = ({ state }: Running): boolean => state === "Z" || state === "X"

const all = (): ReadonlyArray<Running> =>
  readdirSync("/proc").flatMap((name) => {
    const found = /^\d+$/.test(name) ? read(Number(name)) : undefined
    return found === undefined || isOver(found) ? [] : [found]
  })

/** Every process that bears the supervisor's mark. */
export const marked = (owner: string): ReadonlyArray<Running> =>
  all().filter(({ variables }) => variables.get("SIGNALBOX_SUPERVISOR") === owner)

/** Every process that names the folder: commands, the supervisor, its watchdog. */
export const naming = (folder: string): ReadonlyArray<Running> =>
  all().filter(
    ({ command, pid, variables }) =>
      pid !== process.pid &&
      !variables.has("SIGNALBOX_SUPERVISOR") &&
      (command.includes(folder) || variables.get("HOME") === folder)
  )

export const isAlive = (pid: number): boolean => {
  const found = read(pid)
  return found !== undefined && !isOver(found)
}

export const isStopped = (pid: number): boolean => read(pid)?.state === "T"

/** Signals a process, or with a negative id its group. A process that is gone already is ignored. */
export const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch {
    // Gone.
  }
}

/** Looks every few milliseconds; false if it did not come true in time. */
export const until = async (
  holds: () => boolean | Promise<boolean>,
  millis = 300_000,
  every = 20
): Promise<boolean> => {
  const end = performance.now() + millis
  for (;;) {
    if (await holds()) return true
    if (performance.now() > end) return false
    await new Promise((resolve) => setTimeout(resolve, every))
  }
}
