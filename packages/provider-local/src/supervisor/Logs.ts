/**
 * Reads the logs of a stack: of its instances, and the kept logs of failed ones. Only files are read, so that it
 * works without a supervisor too.
 */
import { createHash } from "node:crypto"
import { realpathSync } from "node:fs"
import type { LogLine, LogPage } from "@signalbox/core/spi"
import * as FailedLogs from "./instance/FailedLogs.ts"
import { type LinesRead, type Position, readLines } from "./instance/LogReader.ts"
import { readTimes } from "./instance/LogTimes.ts"
import { logOf } from "./Paths.ts"
import { type LogQuestion, refuse, type StackKey } from "./Protocol.ts"
import { masking, missingSecrets } from "./Secrets.ts"
import type { StackState } from "./State.ts"

/** Where a reader is, by source. `last` is the digest of the last line, to find it again in a copy. */
type Cursor = Readonly<Record<string, Partial<Position> & { readonly last?: string }>>

interface Source {
  /** The name of its entry in a cursor. */
  readonly name: string
  readonly releaseId: string
  readonly instance: string
  readonly file: string
  readonly ended: boolean
  readonly mask: (text: string) => string
  readonly look: () => void
}

type Options = Omit<LogQuestion, "secrets"> & {
  readonly secret: (name: string) => string | undefined
  /** Notes the times of new lines of an instance. */
  readonly look?: (instance: string) => void
}

const digestOf = (line: string): string => createHash("sha256").update(line).digest("base64url").slice(0, 8)

const kept = (instance: string): string => `kept ${instance}`

/** A log whose secrets are not known is not shown at all. */
const maskOf = (stack: StackState, releaseId: string, secret: Options["secret"]): Source["mask"] => {
  const runtime = stack.releases[releaseId]?.runtime
  if (runtime === undefined) return (text) => text
  const [missing] = missingSecrets(runtime, secret)
  if (missing !== undefined) {
    refuse({
      _tag: "Invalid",
      message: `the log may contain ${missing.variable}, which is not set here, so that it cannot be masked`,
      path: ["env", missing.property],
      hint: `Set ${missing.variable} where signalbox runs.`
    })
  }
  return masking(
    Object.values(runtime.env).flatMap((value) => (typeof value === "string" ? [] : [secret(value.secret)!]))
  )
}

const sourcesOf = (
  root: string,
  key: StackKey,
  stack: StackState | undefined,
  { look, releaseId, secret }: Options
): ReadonlyArray<Source> => {
  const wanted = (id: string) => releaseId === undefined || releaseId === id
  const failed = FailedLogs.listed(root, key)
    .filter((log) => wanted(log.releaseId))
    .map((log) => ({
      ...log,
      name: kept(log.instance),
      ended: true,
      mask: (text: string) => text,
      look: () => undefined
    }))
  const running = (stack?.instances ?? [])
    .filter((record) => wanted(record.releaseId))
    .toSorted((a, b) => a.createdAt - b.createdAt)
    .map((record) => ({
      name: record.id,
      releaseId: record.releaseId,
      instance: record.id,
      file: logOf(root, key, record.id),
      ended: record.pid === null,
      mask: maskOf(stack!, record.releaseId, secret),
      look: () => look?.(record.id)
    }))
  // A failed instance is still there while the others are drained.
  const copied = new Set(failed.map(({ instance }) => instance))
  return [...failed, ...running.filter(({ instance }) => !copied.has(instance))]
}

/** Divides a limit: sources with few lines leave the rest to the others. */
const shares = (counts: ReadonlyArray<number>, limit: number): ReadonlyArray<number> => {
  const shares = counts.map(() => 0)
  let left = limit
  const byCount = [...counts.entries()].sort(([, a], [, b]) => a - b)
  for (const [at, [index, count]] of byCount.entries()) {
    shares[index] = Math.min(count, Math.floor(left / (byCount.length - at)))
    left -= shares[index]!
  }
  return shares
}

/** Lines that were read, with their times. */
const linesOf = (
  { file, instance, look, mask, releaseId }: Source,
  { ends, lines }: Pick<LinesRead, "ends" | "lines">
): ReadonlyArray<LogLine> => {
  if (lines.length === 0) return []
  look()
  const at = readTimes(file)
  return mask(lines.join("\n"))
    .split("\n")
    .map((text, index) => ({ at: at(ends[index]!), releaseId, instance, text: text.replace(/\r$/, "") }))
}

const entry = (position: Position | undefined, last: string | undefined) => ({
  ...position,
  ...(last === undefined ? {} : { last })
})

/** The last lines of all, as many of each as the limit allows. */
const ending = (sources: ReadonlyArray<Source>, limit: number): LogPage => {
  const read = sources.map((source) => ({
    source,
    ...readLines(source.file, { after: undefined, limit, ended: source.ended })
  }))
  const granted = shares(
    read.map(({ lines }) => lines.length),
    limit
  )
  const found = read.map(({ ends, lines, source }, index) => {
    const first = lines.length - granted[index]!
    return linesOf(source, { lines: lines.slice(first), ends: ends.slice(first) })
  })
  const cursor: Cursor = Object.fromEntries(
    read.map(({ lines, position, source }) => [
      source.name,
      entry(position, lines.length === 0 ? undefined : digestOf(source.mask(lines.at(-1)!)))
    ])
  )
  return { lines: found.flat(), cursor: JSON.stringify(cursor) }
}

/** How many lines of a copy were read before its instance failed. */
const readBefore = ({ file }: Source, last: string | undefined): number => {
  if (last === undefined) return 0
  const { lines } = readLines(file, { after: { inode: -1, offset: 0 }, limit: Infinity, ended: true })
  return lines.findLastIndex((line) => digestOf(line) === last) + 1
}

const following = (sources: ReadonlyArray<Source>, cursor: Cursor, limit: number): LogPage => {
  const lines: Array<LogLine> = []
  const next: Record<string, Cursor[string]> = {}
  for (const source of sources) {
    const before = cursor[source.name]
    const left = limit - lines.length
    const copied = before === undefined && source.name !== source.instance ? cursor[source.instance] : undefined
    const skip = readBefore(source, copied?.last)
    const at = before ?? {}
    const after: Position = { inode: at.inode ?? -1, offset: at.offset ?? 0 }
    const read = readLines(source.file, { after, limit: left + skip, ended: source.ended })
    lines.push(...linesOf(source, { lines: read.lines.slice(skip), ends: read.ends.slice(skip) }))
    const last = read.lines.at(-1)
    next[source.name] = entry(read.position, last === undefined ? at.last : digestOf(source.mask(last)))
  }
  return { lines, cursor: JSON.stringify(next) }
}

const parsed = (cursor: string): Cursor => {
  try {
    return JSON.parse(cursor) as Cursor
  } catch {
    return refuse({ _tag: "Invalid", message: "the cursor is not one of this provider", path: [] })
  }
}

/** A page of lines. The lines of one instance are in order; nothing tells the order between two. */
export const readLogs = (root: string, key: StackKey, stack: StackState | undefined, options: Options): LogPage => {
  const { cursor, limit } = options
  const sources = sourcesOf(realpathSync(root), key, stack, options)
  return cursor === null ? ending(sources, limit) : following(sources, parsed(cursor), limit)
}
