/**
 * From an artifact to a folder with the files of a release. Nothing leaves that folder: neither a path nor a link in an
 * archive or a copied directory may point outside.
 */
import type { Hash } from "node:crypto"
import { createReadStream, createWriteStream } from "node:fs"
import { cp, lstat, mkdir, mkdtemp, readdir, readlink, realpath, rename, rm, stat } from "node:fs/promises"
import { dirname, isAbsolute, join, relative, resolve } from "node:path"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { sha256 } from "./sha256.ts"
import { refuse } from "./supervisor/Protocol.ts"

/** Where an artifact is, and the digest that it has to have. */
export interface Source {
  /** As the user gave it, without the digest: no secrets are resolved in it. */
  readonly shown: string
  readonly location: { readonly url: string } | { readonly path: string }
  readonly archive: boolean
  readonly digest: string | undefined
}

const path = ["artifact"]

/**
 * Reads what the user gave: a path or an http(s) URL, `#sha256=…` at its end. `${NAME}` in a URL stands for an environment
 * variable, so that a token needs not be written down; a password in the URL itself is refused.
 */
export const parse = (given: string, digest: string | undefined, cwd: string, env: NodeJS.ProcessEnv): Source => {
  const [, shown, hex] = /^(.*?)(?:#sha256=([0-9a-fA-F]{64}))?$/s.exec(given)!
  if (/#sha256=/.test(shown!)) {
    refuse({ _tag: "Invalid", message: "a sha256 digest has 64 hexadecimal digits", path })
  }
  const expected = hex === undefined ? digest : `sha256:${hex.toLowerCase()}`
  if (!/^https?:\/\//i.test(shown!)) {
    const absolute = resolve(cwd, shown!)
    return { shown: shown!, location: { path: absolute }, archive: /\.(tar\.gz|tgz)$/i.test(shown!), digest: expected }
  }
  if (/^https?:\/\/[^/]*:[^/$]*@/i.test(shown!)) {
    refuse({
      _tag: "Invalid",
      message: "the URL holds a password",
      path,
      hint: "Write ${NAME} in its place, and give that environment variable."
    })
  }
  const url = shown!.replace(
    /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g,
    (_, name: string) =>
      env[name] ?? refuse({ _tag: "Invalid", message: `the environment variable ${name} is not set`, path })
  )
  return { shown: shown!, location: { url }, archive: true, digest: expected }
}

/** The digest of an artifact: of the bytes of an archive, or of names, modes and contents of a directory. Writes nothing. */
export const digest = async (source: Source, signal: AbortSignal): Promise<string> => {
  if ("url" in source.location && source.digest !== undefined) return source.digest
  const found = await ("url" in source.location
    ? hashed(await download(source.location.url, source.shown, signal))
    : (await kindOf(source)) === "archive"
      ? hashed(createReadStream(source.location.path))
      : digestOfDirectory(source.location.path))
  check(source, found)
  return found
}

/** Unpacks an artifact to `target`, all of it or nothing. Done before: nothing is read. */
export const unpack = async (source: Source, wanted: string, target: string, signal: AbortSignal): Promise<void> => {
  if (await exists(target)) return
  await mkdir(dirname(target), { recursive: true, mode: 0o700 })
  await sweep(dirname(target))
  const draft = await mkdtemp(join(dirname(target), ".draft-"))
  try {
    const files = join(draft, "files")
    const kind = "url" in source.location ? "archive" : await kindOf(source)
    let found: string
    if (kind === "archive") {
      const archive = join(draft, "archive.tgz")
      const hash = sha256()
      const bytes =
        "url" in source.location
          ? await download(source.location.url, source.shown, signal)
          : createReadStream(source.location.path)
      await pipeline(bytes, tee(hash), createWriteStream(archive, { mode: 0o600 }), { signal })
      found = `sha256:${hash.digest("hex")}`
      check(source, found)
      await mkdir(files)
      await untar(archive, files)
      await rm(archive)
    } else {
      const from = (source.location as { readonly path: string }).path
      await checkLinks(from, from)
      await cp(from, files, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
      found = await digestOfDirectory(files)
      check(source, found)
    }
    if (found !== wanted) refuse({ _tag: "Conflict", message: `${source.shown} has changed since it was planned` })
    await rename(files, target).catch((error: NodeJS.ErrnoException) => {
      // Another call was as far: the same digest, the same files.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

const draftMax = 60 * 60_000

/** Takes away what calls left behind that were killed long ago. */
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
  refuse({
    _tag: "Invalid",
    message: `${source.shown} has the digest ${found}, not ${source.digest}`,
    path,
    hint: "It is not the artifact that was meant, or it was changed on its way."
  })
}

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false
  )

const kindOf = async (source: Source): Promise<"archive" | "directory"> => {
  const { path: file } = source.location as { readonly path: string }
  const found = await stat(file).catch((error: NodeJS.ErrnoException) =>
    refuse({
      _tag: "Missing",
      message: `the artifact ${source.shown} ${error.code === "ENOENT" ? "does not exist" : `cannot be read: ${error.code}`}`
    })
  )
  if (found.isDirectory()) return "directory"
  if (found.isFile() && source.archive) return "archive"
  return refuse({ _tag: "Invalid", message: `${source.shown} is neither a directory nor a .tar.gz or .tgz file`, path })
}

async function* teeing(hash: Hash, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    hash.update(chunk)
    yield chunk
  }
}

const tee = (hash: Hash) => (chunks: AsyncIterable<Buffer>) => teeing(hash, chunks)

const hashed = async (bytes: Readable): Promise<string> => {
  const hash = sha256()
  for await (const chunk of bytes) hash.update(chunk as Buffer)
  return `sha256:${hash.digest("hex")}`
}

const download = async (url: string, shown: string, signal: AbortSignal): Promise<Readable> => {
  let response: Response
  try {
    response = await fetch(url, { signal })
  } catch {
    // The cause may quote the URL with a token in it.
    return refuse({ _tag: "Unavailable", message: `${shown} cannot be reached` })
  }
  if (response.ok && response.body !== null) return Readable.fromWeb(response.body as never)
  await response.body?.cancel()
  const { status } = response
  if (status === 404 || status === 410) return refuse({ _tag: "Missing", message: `${shown} does not exist` })
  if (status === 401 || status === 403) return refuse({ _tag: "Denied", message: `${shown} is not allowed: ${status}` })
  if (status === 429) {
    const after = Number(response.headers.get("retry-after"))
    return refuse({
      _tag: "Throttled",
      message: `${shown}: too many requests`,
      retryAfterMs: (after > 0 ? after : 1) * 1000
    })
  }
  if (status >= 500) return refuse({ _tag: "Unavailable", message: `${shown} answered ${status}` })
  return refuse({ _tag: "Unexpected", message: `${shown} answered ${status}` })
}

const leaves = (root: string, from: string, to: string): boolean => {
  const way = relative(root, resolve(root, from, to))
  return isAbsolute(to) || way === ".." || way.startsWith("../")
}

const kinds = new Set(["File", "OldFile", "ContiguousFile", "Directory", "GNUDumpDir", "SymbolicLink", "Link"])

const untar = async (archive: string, target: string): Promise<void> => {
  // Most commands of the CLI unpack nothing.
  const { extract } = await import("tar")
  let bad: string | undefined
  await extract({
    file: archive,
    cwd: target,
    strict: true,
    filter: (name, entry) => {
      if (bad !== undefined) return false
      const header = entry as { readonly type?: string; readonly linkpath?: string }
      if (leaves(target, ".", name)) bad = `${name} lies outside of it`
      else if (!kinds.has(header.type ?? "File")) bad = `${name} is a ${header.type}`
      else if (header.type === "SymbolicLink" && leaves(target, dirname(name), header.linkpath!)) {
        bad = `${name} links to ${header.linkpath}, outside of it`
      } else if (header.type === "Link" && leaves(target, ".", header.linkpath!)) {
        bad = `${name} links to ${header.linkpath}, outside of it`
      }
      return bad === undefined
    }
  }).catch((error: Error) => {
    bad ??= error.message
  })
  if (bad !== undefined) refuse({ _tag: "Invalid", message: `the archive is refused: ${bad}`, path })
  await checkLinks(target, target)
}

/**
 * No link, as it lies there, leaves the root: neither as it is written nor as it is followed, which differs where it leads
 * through other links.
 */
const checkLinks = async (root: string, directory: string): Promise<void> => {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const file = join(directory, entry.name)
    if (entry.isDirectory()) await checkLinks(root, file)
    else if (entry.isSymbolicLink()) {
      const followed = await realpath(file).catch(() => undefined)
      if (
        leaves(root, relative(root, directory), await readlink(file)) ||
        (followed !== undefined && leaves(await realpath(root), ".", relative(await realpath(root), followed) || "."))
      ) {
        refuse({ _tag: "Invalid", message: `${relative(root, file)} is a link that leaves the artifact`, path })
      }
    } else if (!entry.isFile()) {
      refuse({ _tag: "Invalid", message: `${relative(root, file)} is neither a file nor a directory`, path })
    }
  }
}

const digestOfDirectory = async (root: string): Promise<string> => {
  const hash = sha256()
  const visit = async (directory: string): Promise<void> => {
    const entries = await readdir(directory, { withFileTypes: true })
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const file = join(directory, entry.name)
      const name = relative(root, file)
      if (entry.isDirectory()) {
        hash.update(`directory ${JSON.stringify(name)}\n`)
        await visit(file)
      } else if (entry.isSymbolicLink()) {
        hash.update(`link ${JSON.stringify([name, await readlink(file)])}\n`)
      } else {
        const { mode, size } = await lstat(file)
        hash.update(`file ${JSON.stringify([name, (mode & 0o100) !== 0, size])}\n`)
        for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
      }
    }
  }
  await visit(root)
  return `sha256:${hash.digest("hex")}`
}
