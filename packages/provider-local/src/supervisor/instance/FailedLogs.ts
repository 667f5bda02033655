/**
 * The logs of failed instances. They outlive their process, and even the stack if nothing else is left of it, so that
 * an error can be looked up: until the release is forgotten or the stack destroyed.
 */
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { failedLogsOf } from "../Paths.ts"
import type { StackKey } from "../Protocol.ts"
import type { TimedLine } from "./InstanceLog.ts"
import { deleteTimes, writeTimes } from "./LogTimes.ts"

const filesMax = 5

const filesOf = (folder: string): ReadonlyArray<string> => {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".log"))
  } catch {
    return []
  }
}

const remove = (file: string): void => {
  rmSync(file, { force: true })
  deleteTimes(file)
}

/** Ids of releases are hexadecimal digits. */
const releaseOf = (name: string): string => name.slice(0, name.indexOf("-"))

/** The logs that are kept of a stack, the oldest first. */
export const listed = (
  root: string,
  key: StackKey
): ReadonlyArray<{ readonly releaseId: string; readonly instance: string; readonly file: string }> => {
  const folder = failedLogsOf(root, key)
  return filesOf(folder)
    .flatMap((name) => {
      const file = join(folder, name)
      const at = statSync(file, { throwIfNoEntry: false })?.mtimeMs
      const releaseId = releaseOf(name)
      return at === undefined
        ? []
        : [{ at, releaseId, instance: name.slice(releaseId.length + 1, -".log".length), file }]
    })
    .sort((a, b) => a.at - b.at)
}

/** Keeps a log; returns the file, or undefined if there is nothing to keep or no way to. */
export const keep = (
  root: string,
  key: StackKey,
  failed: { readonly instance: string; readonly releaseId: string; readonly lines: ReadonlyArray<TimedLine> }
): string | undefined => {
  const { instance, lines, releaseId } = failed
  if (lines.every(({ text }) => text.trim() === "")) return undefined
  const folder = failedLogsOf(root, key)
  const file = join(folder, `${releaseId}-${instance}.log`)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(file, lines.map(({ text }) => `${text}\n`).join(""), { mode: 0o600 })
    writeTimes(file, lines)
    const byAge = filesOf(folder)
      .map((name) => ({ name, at: join(folder, name) === file ? Infinity : statSync(join(folder, name)).mtimeMs }))
      .sort((a, b) => b.at - a.at)
    for (const { name } of byAge.slice(filesMax)) remove(join(folder, name))
    return file
  } catch {
    return undefined
  }
}

/** Forgets the logs of releases that are no longer kept. */
export const prune = (root: string, key: StackKey, releases: Iterable<string>): void => {
  const kept = new Set(releases)
  const folder = failedLogsOf(root, key)
  for (const name of filesOf(folder)) {
    if (!kept.has(releaseOf(name))) remove(join(folder, name))
  }
}

export const forget = (root: string, key: StackKey): void => {
  rmSync(failedLogsOf(root, key), { recursive: true, force: true })
}
