/**
 * Turns an artifact into a folder with the files of a release. A release is immutable: it holds copies, and nothing in
 * it leads outside, neither a path nor a link.
 */
import { createReadStream, createWriteStream } from "node:fs"
import { mkdir, mkdtemp, readdir, realpath, rename, rm, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import { pipeline } from "node:stream/promises"
import { forms, gzipBytes, readArchive, untar } from "./artifact/Archive.ts"
import { type Download, downloaded } from "./artifact/Download.ts"
import { checkUnpacked, copyFolder, digestOfFolder } from "./artifact/Folder.ts"
import { KnownFiles } from "./artifact/KnownFiles.ts"
import { bytesOf } from "./artifact/Names.ts"
import type { Report } from "./artifact/Progress.ts"
import { invalid, isArchiveName, missing, type Source } from "./artifact/Source.ts"

export { parse, type Source } from "./artifact/Source.ts"

/**
 * The digest of an artifact: of the bytes of an archive, or of names, modes and contents of a folder. An artifact that
 * cannot be deployed is rejected. Writes nothing, and downloads nothing if the digest is given.
 */
export const digest = async (source: Source, signal: AbortSignal): Promise<string> => {
  const verify = (found: string) => check(source, found)
  if ("url" in source.location) {
    if (source.digest !== undefined) return source.digest
    return downloaded(source, signal, undefined, ({ bytes, described }) =>
      readArchive(source, bytes, described, verify)
    )
  }
  const { path } = source.location
  if ((await kindOf(source, path)) === "archive") return digestOfArchive(source, path, signal, verify)
  const found = await digestOfFolder(source, path, signal)
  verify(found)
  return found
}

/** Unpacks an artifact to `target`, atomically. If that was done before, nothing is read. */
export const unpack = async (
  source: Source,
  wanted: string,
  target: string,
  signal: AbortSignal,
  report: Report
): Promise<void> => {
  if (await exists(target)) return
  await mkdir(dirname(target), { recursive: true, mode: 0o700 })
  await sweep(dirname(target))
  const draft = await mkdtemp(join(dirname(target), ".draft-"))
  const verify = (found: string) => {
    check(source, found)
    if (found === wanted) return
    invalid(
      source,
      "url" in source.location
        ? `its digest is ${found}, not ${wanted}`
        : `it has changed since the deployment was planned: its digest is ${found}, not ${wanted}`,
      "url" in source.location
        ? "It is not the artifact that was meant, or it was changed on its way."
        : "Deploy again once nothing writes to the artifact."
    )
  }
  try {
    const files = join(draft, "files")
    await mkdir(files)
    if ("path" in source.location && (await kindOf(source, source.location.path)) === "folder") {
      await report(`copying ${source.shown}`)
      verify(await copyFolder(source, source.location.path, files, signal, report))
    } else {
      const archive = join(draft, "archive.tgz")
      // Compared before anything is unpacked.
      const keep = async ({ bytes, described }: Download) => {
        const passed = gzipBytes(source, bytes, described)
        await pipeline(passed.bytes, createWriteStream(archive, { mode: 0o600 }), { signal })
        verify(passed.digest())
      }
      if ("url" in source.location) {
        await report(`downloading ${source.shown}`)
        await downloaded(source, signal, report, keep)
      } else {
        await keep({ bytes: createReadStream(source.location.path), described: "" })
      }
      await report(`unpacking ${source.shown}`)
      await untar(source, archive, files)
      await rm(archive)
      await checkUnpacked(source, files, signal)
    }
    await rename(files, target).catch((error: NodeJS.ErrnoException) => {
      // Another call finished first: the same digest, the same files.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

const digestOfArchive = async (
  source: Source,
  path: string,
  signal: AbortSignal,
  verify: (found: string) => void
): Promise<string> => {
  const stats = await stat(path)
  const known = new KnownFiles(bytesOf(await realpath(path)))
  const before = known.digestOf("", stats)
  if (before !== undefined) {
    verify(before)
    return before
  }
  const readAt = Date.now()
  const found = await readArchive(source, createReadStream(path, { signal }), "", verify)
  known.learn("", stats, readAt, found)
  known.keep()
  return found
}

const draftMax = 60 * 60_000

/** Removes the leftovers of calls that were killed long ago. */
const sweep = async (directory: string): Promise<void> => {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(".draft-")) continue
    const age = await stat(join(directory, name)).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0
    )
    if (age > draftMax) await rm(join(directory, name), { recursive: true, force: true })
  }
}

const check = (source: Source, found: string): void => {
  if (source.digest === undefined || source.digest === found) return
  invalid(
    source,
    `its digest is ${found}, not ${source.digest}`,
    "It is not the artifact that was meant, or it was changed on its way."
  )
}

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false
  )

/** Links are followed: their current targets count. */
const kindOf = async (source: Source, path: string): Promise<"archive" | "folder"> => {
  const found = await stat(path).catch(({ code }: NodeJS.ErrnoException) =>
    code === "ENOENT" || code === "ENOTDIR"
      ? missing(source, "does not exist")
      : invalid(source, code === "EACCES" ? "it may not be read by this user (EACCES)" : `it cannot be read: ${code}`)
  )
  if (found.isDirectory()) return "folder"
  if (found.isFile() && (source.archive || isArchiveName(await realpath(path)))) return "archive"
  return invalid(source, "it is neither a folder nor a .tar.gz or .tgz archive", forms)
}
