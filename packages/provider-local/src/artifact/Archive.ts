/**
 * Archives: read completely while planning, so that a broken one is rejected before anything is recorded; unpacked
 * while staging.
 */
import { once } from "node:events"
import { dirname, isAbsolute, join, relative, resolve } from "node:path"
import type { ReadEntry } from "tar"
import { sha256 } from "../sha256.ts"
import { leavingLink } from "./Links.ts"
import { shownName, bytesOf } from "./Names.ts"
import { invalid, type Source } from "./Source.ts"

/** The accepted forms of an artifact, for messages. */
export const forms = "An artifact is a folder, or a .tar.gz or .tgz archive."

const kinds = new Set(["File", "OldFile", "ContiguousFile", "Directory", "GNUDumpDir", "SymbolicLink", "Link"])

interface Entry {
  readonly path: string
  readonly type?: string | undefined
  readonly linkpath?: string | undefined
}

const leaves = (from: string, to: string): boolean => {
  const root = resolve("/", "artifact")
  const way = relative(root, resolve(root, from, to))
  return isAbsolute(to) || way === ".." || way.startsWith("../")
}

/** What is wrong with a single entry. */
export const wrongEntry = ({ linkpath, path, type = "File" }: Entry): string | undefined => {
  const name = () => shownName(bytesOf(path))
  if (leaves(".", path)) return `${name()} lies outside of it`
  if (!kinds.has(type)) return `${name()} is a ${type}`
  if (type !== "SymbolicLink" && type !== "Link") return undefined
  return leaves(type === "Link" ? "." : dirname(path), linkpath ?? "")
    ? `${name()} links to ${shownName(bytesOf(linkpath ?? ""))}, outside of it`
    : undefined
}

/** The links of an archive: the first that leaves it, or through which another entry is written. */
const wrongLink = (entries: ReadonlyArray<Entry>): string | undefined => {
  const links = new Map<string, string>()
  for (const { linkpath, path, type } of entries) {
    const name = join(path, ".").replace(/\/$/, "")
    for (let parent = dirname(name); parent !== "."; parent = dirname(parent)) {
      if (links.has(parent)) return `${path} lies behind the link ${parent}`
    }
    if (type === "SymbolicLink") links.set(name, linkpath ?? "")
    else links.delete(name)
  }
  const leaving = leavingLink(links)
  return leaving === undefined ? undefined : `${leaving} links to ${links.get(leaving)}, outside of it`
}

/**
 * The bytes of a gzip file, and their digest, as they stream. Anything else is rejected with its first bytes: a login
 * page is not worth downloading.
 */
export const gzipBytes = (source: Source, bytes: AsyncIterable<Buffer>, described: string) => {
  const digest = sha256()
  const pass = async function* (): AsyncGenerator<Buffer> {
    let head: Buffer | undefined = Buffer.alloc(0)
    for await (const chunk of bytes) {
      if (head !== undefined) {
        head = Buffer.concat([head, chunk])
        if (head.length < 2) continue
        checkHead(source, head, described)
      }
      const next: Buffer = head ?? chunk
      head = undefined
      digest.update(next)
      yield next
    }
    if (head !== undefined) checkHead(source, head, described)
  }
  return { bytes: pass(), digest: () => `sha256:${digest.digest("hex")}` }
}

const checkHead = (source: Source, head: Buffer, described: string): void => {
  if (head[0] === 0x1f && head[1] === 0x8b) return
  const text = head.subarray(0, 40).toString("latin1")
  const begins = head.length === 0 ? "it is empty" : `it begins with ${JSON.stringify(shownName(text.split("\n")[0]!))}`
  const tar =
    head.subarray(257, 262).toString("latin1") === "ustar" ? "it is a tar archive without compression" : begins
  const url = "url" in source.location
  invalid(
    source,
    `it is no gzip archive: ${tar}${described === "" ? "" : `; ${described}`}`,
    url && tar === begins
      ? "A login or error page? Open the URL without being logged in; a token goes into it as ${NAME}."
      : `${forms} Pack it with tar -czf.`
  )
}

/** Reads an archive completely and returns its digest. Mistakes inside are reported only if the digest is not wrong. */
export const readArchive = async (
  source: Source,
  bytes: AsyncIterable<Buffer>,
  described: string,
  check: (digest: string) => void
): Promise<string> => {
  // Most commands of the CLI read no archive.
  const { Parser } = await import("tar")
  let bad: string | undefined
  const entries: Array<Entry> = []
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry: ReadEntry) => {
      bad ??= wrongEntry(entry)
      entries.push({ path: entry.path, type: entry.type, linkpath: entry.linkpath })
      entry.resume()
    }
  })
  const ended = new Promise<void>((done) => {
    parser.on("end", () => done())
    parser.on("error", (error: Error) => {
      bad ??= error.message
      done()
    })
  })
  const passed = gzipBytes(source, bytes, described)
  for await (const chunk of passed.bytes) {
    if (bad === undefined && !parser.write(chunk)) await Promise.race([once(parser, "drain"), ended])
  }
  if (bad === undefined) {
    parser.end()
    await ended
  }
  const found = passed.digest()
  check(found)
  bad ??= wrongLink(entries)
  if (bad !== undefined) invalid(source, `the archive is refused: ${bad}`)
  return found
}

/** Unpacks an archive file to an existing folder. */
export const untar = async (source: Source, archive: string, target: string): Promise<void> => {
  const { extract } = await import("tar")
  let bad: string | undefined
  await extract({
    file: archive,
    cwd: target,
    strict: true,
    filter: (path, entry) => {
      const header = entry as Omit<Entry, "path">
      bad ??= wrongEntry({ path, type: header.type, linkpath: header.linkpath })
      return bad === undefined
    }
  }).catch((error: Error) => {
    bad ??= error.message
  })
  if (bad !== undefined) invalid(source, `the archive is refused: ${bad}`)
}
