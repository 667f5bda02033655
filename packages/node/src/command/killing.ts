/**
 * Killing all of a command: its process group, and on Linux what left the group but bears its mark.
 */
import { readdirSync, readFileSync } from "node:fs"
import { marker } from "./guardProtocol.ts"

/** Signals a process group; false where nobody is left in it. */
export const signalGroup = (pid: number, signal: NodeJS.Signals | 0): boolean => {
  try {
    process.kill(-pid, signal)
    return true
  } catch (error) {
    // On macOS a group of which only zombies are left may not be signalled.
    return (error as NodeJS.ErrnoException).code !== "ESRCH" && (error as NodeJS.ErrnoException).code !== "EPERM"
  }
}

const bears = (pid: string, mark: string): boolean => {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(mark)
  } catch {
    return false
  }
}

/** One that was killed and waits for its parent still has a folder, and no environment. */
const marked = (id: string): ReadonlyArray<number> => {
  if (process.platform !== "linux") return []
  const mark = Buffer.from(`${marker}=${id}`).toString("latin1")
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && bears(name, mark))
    .map(Number)
}

/**
 * Kills every process that was started with the mark; gives how many. What one of them started while it was looked for is
 * found when it is looked again. Linux only: elsewhere none is found.
 */
export const killMarked = (id: string): number => {
  const killed = new Set<number>()
  for (let round = 0; round < 10; round++) {
    const found = marked(id)
    for (const pid of found) {
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
