/**
 * One supervisor per directory. Generations of lock files, each created complete and exclusively: the highest one names
 * the owner, and a process that finds it dead creates the next. A stale lock is never removed before it is replaced;
 * plain pid files admit two owners at that moment.
 */
import { existsSync, linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { identify, type Identity, isAlive } from "./instance/Processes.ts"

const prefix = "lock."

const generations = (directory: string): ReadonlyArray<number> =>
  (existsSync(directory) ? readdirSync(directory) : [])
    .filter((name) => /^lock\.\d+$/.test(name))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => b - a)

const holder = (directory: string, generation: number): Identity | undefined => {
  try {
    return JSON.parse(readFileSync(join(directory, `${prefix}${generation}`), "utf8")) as Identity
  } catch {
    return undefined
  }
}

/** The live supervisor, if any. */
export const owner = (directory: string): Identity | undefined => {
  const [latest] = generations(directory)
  const found = latest === undefined ? undefined : holder(directory, latest)
  return found !== undefined && isAlive(found) ? found : undefined
}

/** The watchdog of the supervisor. It keeps its identity when it becomes the next supervisor. */
const watchdogFile = (directory: string): string => join(directory, "watchdog")

/** Records which process becomes the next supervisor. */
export const announceWatchdog = (directory: string, identity: Identity): void => {
  const draft = join(directory, `watchdog.${process.pid}`)
  writeFileSync(draft, JSON.stringify(identity), { mode: 0o600 })
  renameSync(draft, watchdogFile(directory))
}

/** Whether a supervisor is alive, or a killed one is about to be replaced. */
export const isHeld = (directory: string): boolean => {
  if (owner(directory) !== undefined) return true
  try {
    return isAlive(JSON.parse(readFileSync(watchdogFile(directory), "utf8")) as Identity)
  } catch {
    return false
  }
}

/** Whether a process took the lock and did not return it, though it may be dead. */
export const wasHeld = (directory: string): boolean => generations(directory).length > 0

export interface Lock {
  readonly isHeld: () => boolean
  readonly release: () => void
}

/** Takes the lock for this process; undefined if another live one holds it. */
export const acquire = (directory: string): Lock | undefined => {
  const self = identify(process.pid)!
  const draft = join(directory, `draft.${process.pid}`)
  writeFileSync(draft, JSON.stringify(self), { mode: 0o600 })
  try {
    for (;;) {
      const [latest = 0] = generations(directory)
      const found = holder(directory, latest)
      if (found !== undefined && isAlive(found)) return undefined
      const mine = join(directory, `${prefix}${latest + 1}`)
      try {
        linkSync(draft, mine)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") continue
        throw error
      }
      const after = generations(directory)
      if (after[0] !== latest + 1) {
        // Another process was two steps ahead and has the younger lock.
        rmSync(mine, { force: true })
        continue
      }
      for (const old of after.slice(1)) rmSync(join(directory, `${prefix}${old}`), { force: true })
      return { isHeld: () => existsSync(mine), release: () => rmSync(mine, { force: true }) }
    }
  } finally {
    rmSync(draft, { force: true })
  }
}
