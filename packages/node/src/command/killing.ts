/**
 * Kills all processes of a command: its process group, and on Linux also marked processes that left the group.
 */
import { readdirSync, readFileSync } from "node:fs"
import { marker } from "./guardProtocol.ts"

/** Signals a process group; false if it is empty. */
export const signalGroup = (pid: number, signal: NodeJS.Signals | 0): boolean => {
  try {
    process.kill(-pid, signal)
    return true
  } catch (error) {
    // On macOS, a group that consists only of zombies may not be signalled.
    return (error as NodeJS.ErrnoException).code !== "ESRCH" && (error as NodeJS.ErrnoException).code !== "EPERM"
  }
}

const begins = `${marker}=`

const markOf = (pid: string): string | undefined => {
  try {
    const all = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0")
    return all.find((variable) => variable.startsWith(begins))?.slice(begins.length)
  } catch {
    return undefined
  }
}

/**
 * Every other process with a mark. A killed process that waits for its parent still has a folder, and no environment.
 * Linux only: elsewhere none is found.
 */
export const marked = (
  fits: (mark: string) => boolean
): ReadonlyArray<{ readonly pid: number; readonly mark: string }> =>
  process.platform !== "linux"
    ? []
    : readdirSync("/proc").flatMap((name) => {
        const mark = /^\d+$/.test(name) && Number(name) !== process.pid ? markOf(name) : undefined
        return mark !== undefined && fits(mark) ? [{ pid: Number(name), mark }] : []
      })

/**
 * Kills every process whose mark matches; returns how many. Processes that one of them started during the search are
 * found by the next one.
 */
export const killMarked = (fits: (mark: string) => boolean): number => {
  const killed = new Set<number>()
  for (let round = 0; round < 10; round++) {
    const found = marked(fits)
    for (const { pid } of found) {
      try {
        process.kill(pid, "SIGKILL")
        killed.add(pid)
      } catch {
        // It went away in between.
      }
    }
    if (found.length === 0) break
  }
  return killed.size
}
