/**
 * One walk over the folder of an artifact: it computes the digest of names, modes and contents, and optionally copies.
 * The hash covers exactly the copied bytes.
 */
import {
  chmodSync,
  closeSync,
  constants,
  createReadStream,
  fchmodSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  type Stats,
  symlinkSync,
  utimesSync,
  writeSync
} from "node:fs"
import { copyFile } from "node:fs/promises"
import { sha256, sha256Of } from "../sha256.ts"
import { KnownFiles } from "./KnownFiles.ts"
import { leavingLink } from "./Links.ts"
import { type Bytes, bytesOf, pathOf, shownName } from "./Names.ts"
import { Progress, type Report, shownCount, shownSize } from "./Progress.ts"
import { Slice } from "./Slice.ts"
import { invalid, type Source } from "./Source.ts"

/** Files up to this size are read at once; the file system copies larger ones if it can (reflinks). */
const smallMax = 1024 * 1024
const linesMax = 64 * 1024
const noFollow = constants.O_RDONLY | constants.O_NOFOLLOW

/** The folder itself, after following the links that lead to it. */
export const rootOf = (path: string): Bytes => realpathSync.native(path, "buffer").toString("latin1")

/** The digest of a folder. Files that this process has read before are not read again. */
export const digestOfFolder = (source: Source, path: string, signal: AbortSignal): Promise<string> =>
  new Walk(source, rootOf(path), undefined, signal, undefined).run()

/** Copies a folder into the existing and empty `target`, and returns the digest of the copy. */
export const copyFolder = (
  source: Source,
  path: string,
  target: string,
  signal: AbortSignal,
  report: Report
): Promise<string> => new Walk(source, rootOf(path), bytesOf(target), signal, report).run()

class Walk {
  readonly #source: Source
  readonly #root: Bytes
  readonly #target: Bytes | undefined
  readonly #slice: Slice
  readonly #signal: AbortSignal
  readonly #progress: Progress | undefined
  readonly #known: KnownFiles | undefined
  readonly #manifest = sha256()
  readonly #links = new Map<Bytes, Bytes>()
  readonly #buffer = Buffer.allocUnsafe(smallMax + 1)
  /** Lines of the manifest that are not hashed yet. */
  #lines = ""
  /** The bits that new files do not get automatically. */
  #umask = 0
  #files = 0
  #bytes = 0

  constructor(source: Source, root: Bytes, target: Bytes | undefined, signal: AbortSignal, report: Report | undefined) {
    this.#source = source
    this.#root = root
    this.#target = target
    this.#signal = signal
    this.#slice = new Slice(signal)
    this.#progress = report === undefined ? undefined : new Progress(report)
    this.#known = target === undefined ? new KnownFiles(root) : undefined
  }

  async run(): Promise<string> {
    if (this.#target !== undefined) this.#umask = ~lstatSync(pathOf(this.#target)).mode & 0o777
    await this.#folder("", this.#target)
    refuseLeaving(this.#source, this.#links, leavingLink(this.#links))
    if (this.#target !== undefined) {
      for (const [name, to] of this.#links) symlinkSync(pathOf(to), pathOf(`${this.#target}/${name}`))
      const copy = realpathSync.native(pathOf(this.#target), "buffer").toString("latin1")
      refuseLeaving(this.#source, this.#links, leadsOut(copy, this.#links))
    }
    this.#known?.keep()
    return `sha256:${this.#manifest.update(this.#lines, "latin1").digest("hex")}`
  }

  async #folder(name: Bytes, target: Bytes | undefined): Promise<void> {
    const from = name === "" ? this.#root : `${this.#root}/${name}`
    const names = this.#reading(name, () => readdirSync(pathOf(from), "latin1")).sort()
    for (const last of names) {
      if (this.#slice.isOver) {
        await this.#slice.next()
        await this.#progress?.tell(
          () => `copied ${shownCount(this.#files)} files (${shownSize(this.#bytes)}) of ${this.#source.shown}`
        )
      }
      const inner = name === "" ? last : `${name}/${last}`
      const path = pathOf(`${from}/${last}`)
      const to = target === undefined ? undefined : `${target}/${last}`
      const stats = this.#reading(inner, () => lstatSync(path))
      if (stats.isDirectory()) {
        this.#note("directory", inner)
        if (to !== undefined) mkdirSync(pathOf(to), stats.mode | 0o700)
        await this.#folder(inner, to)
      } else if (stats.isSymbolicLink()) {
        const leads = this.#reading(inner, () => readlinkSync(path, "latin1"))
        this.#note("link", inner, leads)
        this.#links.set(inner, leads)
      } else if (stats.isFile()) {
        const known = this.#known?.digestOf(inner, stats)
        const found =
          known ??
          (stats.size <= smallMax
            ? this.#small(inner, path, stats, to === undefined ? undefined : pathOf(to))
            : undefined) ??
          (await this.#large(inner, path, stats, to === undefined ? undefined : pathOf(to)))
        this.#note(`file ${(stats.mode & 0o100) === 0 ? "-" : "x"} ${found}`, inner)
        this.#files += 1
        this.#bytes += stats.size
      } else {
        invalid(
          this.#source,
          `${shownName(inner)} is neither a file nor a folder nor a link`,
          "Take it out of the artifact."
        )
      }
    }
  }

  /** A name contains no NUL, so no two folders have the same manifest. */
  #note(what: string, ...names: ReadonlyArray<Bytes>): void {
    this.#lines += `${what} ${names.join("\0")}\0\n`
    if (this.#lines.length < linesMax) return
    this.#manifest.update(this.#lines, "latin1")
    this.#lines = ""
  }

  /** Undefined if the file has grown beyond the limit for reading at once. */
  #small(name: Bytes, path: string | Buffer, stats: Stats, to: string | Buffer | undefined): string | undefined {
    const readAt = Date.now()
    const size = this.#reading(name, () => {
      const file = openSync(path, noFollow)
      try {
        return this.#readAll(file, stats.size)
      } finally {
        closeSync(file)
      }
    })
    if (size > smallMax) return undefined
    const bytes = this.#buffer.subarray(0, size)
    const digest = sha256Of(bytes)
    this.#known?.learn(name, stats, readAt, digest)
    if (to === undefined) return digest
    const mode = stats.mode & 0o777
    const copy = openSync(to, "wx", mode)
    try {
      for (let at = 0; at < size;) at += writeSync(copy, bytes, at)
      if ((mode & this.#umask) !== 0) fchmodSync(copy, mode)
      futimesSync(copy, stats.atimeMs / 1000, stats.mtimeMs / 1000)
    } finally {
      closeSync(copy)
    }
    return digest
  }

  /** Reads to the end of the file. It requests one byte more than expected, which saves the read that finds the end. */
  #readAll(file: number, expected: number): number {
    let size = readSync(file, this.#buffer, 0, expected + 1, 0)
    while (size !== expected && size < this.#buffer.length) {
      const more = readSync(file, this.#buffer, size, this.#buffer.length - size, size)
      if (more === 0) break
      size += more
    }
    return size
  }

  async #large(name: Bytes, path: string | Buffer, stats: Stats, to: string | Buffer | undefined): Promise<string> {
    const readAt = Date.now()
    if (to !== undefined) {
      await copyFile(path, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
      chmodSync(to, stats.mode & 0o777)
      utimesSync(to, stats.atimeMs / 1000, stats.mtimeMs / 1000)
    }
    const content = sha256()
    const stream = createReadStream(to ?? path, { highWaterMark: smallMax, signal: this.#signal })
    let size = 0
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        content.update(chunk)
        size += chunk.length
        await this.#progress?.tell(
          () => `copied ${shownCount(this.#files)} files (${shownSize(this.#bytes + size)}) of ${this.#source.shown}`
        )
      }
    } catch (error) {
      this.#reading(name, () => {
        throw error
      })
    }
    const digest = content.digest("hex")
    this.#known?.learn(name, stats, readAt, digest)
    return digest
  }

  /** Names the unreadable file. Errors of the copy are a different matter. */
  #reading<A>(name: Bytes, read: () => A): A {
    try {
      return read()
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      const of = name === "" ? "it" : shownName(name)
      if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") {
        invalid(this.#source, `${of} went away while it was read`, "Deploy again once nothing writes to the artifact.")
      }
      if (code === "EACCES" || code === "EPERM") {
        invalid(this.#source, `${of} may not be read by this user (${code})`, "Give this user the right to read it.")
      }
      throw error
    }
  }
}

/** Rejects a folder that an archive has filled, if it is or leads to anything outside. */
export const checkUnpacked = async (source: Source, target: string, signal: AbortSignal): Promise<void> => {
  const root = rootOf(target)
  const slice = new Slice(signal)
  const links = new Map<Bytes, Bytes>()
  const visit = async (name: Bytes): Promise<void> => {
    const from = name === "" ? root : `${root}/${name}`
    for (const entry of readdirSync(pathOf(from), "latin1")) {
      if (slice.isOver) await slice.next()
      const inner = name === "" ? entry : `${name}/${entry}`
      const path = pathOf(`${from}/${entry}`)
      const stats = lstatSync(path)
      if (stats.isDirectory()) await visit(inner)
      else if (stats.isSymbolicLink()) links.set(inner, readlinkSync(path, "latin1"))
      else if (!stats.isFile()) invalid(source, `${shownName(inner)} is neither a file nor a folder nor a link`)
    }
  }
  await visit("")
  refuseLeaving(source, links, leavingLink(links) ?? leadsOut(root, links))
}

/** The first link that the file system follows out of its root: it may treat names with different bytes as the same. */
const leadsOut = (root: Bytes, links: ReadonlyMap<Bytes, Bytes>): Bytes | undefined =>
  [...links.keys()].find((name) => {
    try {
      const followed = realpathSync.native(pathOf(`${root}/${name}`), "buffer").toString("latin1")
      return followed !== root && !followed.startsWith(`${root}/`)
    } catch {
      return false
    }
  })

const refuseLeaving = (source: Source, links: ReadonlyMap<Bytes, Bytes>, leaving: Bytes | undefined): void => {
  if (leaving === undefined) return
  invalid(
    source,
    `${shownName(leaving)} is a link that leaves it, to ${shownName(links.get(leaving)!)}`,
    "Make it a relative link to something in the artifact, or put a copy in its place (cp -rL follows links)."
  )
}
