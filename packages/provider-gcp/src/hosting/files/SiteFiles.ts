/**
 * The files of a site: which ones belong to it, and what is in them.
 */
import type { ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { digestOfFile } from "./FileContent.ts"
import { digestOf } from "../../marks.ts"
import { invalid, type SiteConfig } from "../SiteConfig.ts"

/** A file. `path` begins with a slash; `digest` is the SHA-256 of its content. */
export interface SiteFile {
  readonly path: string
  readonly file: string
  readonly size: number
  readonly digest: string
}

/** The files of a site, in the order of their paths. `digest` covers all paths and contents. */
export interface SiteFiles {
  readonly all: ReadonlyArray<SiteFile>
  readonly digest: string
}

const always = ["**/firebase-debug.log", "**/firebase-debug.*.log", ".firebase/*"]

/** The vendor's tool ignores what glob ignores: dots mean nothing, and a pattern may name a folder with all in it. */
const ignoring = async (ignore: ReadonlyArray<string>) => {
  const { Minimatch } = await import("minimatch")
  const options = { dot: true, nocomment: true, nonegate: true }
  const patterns = [...always, ...ignore].map((pattern) => ({
    whole: pattern.endsWith("/**"),
    match: new Minimatch(pattern, options)
  }))
  const folders = patterns.filter(({ whole }) => whole)
  return {
    file: (path: string) => patterns.some(({ match }) => match.match(path) || match.match(`${path}/`)),
    folder: (path: string) => folders.some(({ match }) => match.match(`${path}/`))
  }
}

type Ignoring = Awaited<ReturnType<typeof ignoring>>

/** Follows links, as the vendor's tool does. A link to a folder above is left out. */
const walk = async (
  root: string,
  folder: string,
  ignored: Ignoring,
  above: ReadonlyArray<string>
): Promise<Array<string>> => {
  const found: Array<string> = []
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`
    const status = entry.isSymbolicLink() ? await stat(join(root, path)).catch(() => undefined) : entry
    if (status?.isDirectory() === true) {
      if (ignored.folder(path)) continue
      const { dev, ino } = await stat(join(root, path))
      const id = `${dev}:${ino}`
      if (!above.includes(id)) found.push(...(await walk(root, path, ignored, [...above, id])))
    } else if (status?.isFile() === true && !ignored.file(path)) found.push(path)
  }
  return found
}

/** Finds the files of a site, and what is in them; without a folder there are none. */
export const siteFiles = ({ entry, folder, shown }: SiteConfig): Effect.Effect<SiteFiles, ProviderReason> =>
  Effect.gen(function* () {
    if (folder === null) return { all: [], digest: digestOf([]) }
    const unreadable = (error: unknown): ProviderReason => {
      const { code, message } = error as NodeJS.ErrnoException
      return code === "ENOENT" || code === "ENOTDIR"
        ? invalid(["public"], `the folder ${shown} is not there`, "Build the site first, or name its folder in public.")
        : invalid(["public"], `the folder ${shown} cannot be read: ${message}`)
    }
    const paths = yield* Effect.tryPromise({
      try: async () => walk(folder, "", await ignoring(entry.ignore ?? []), []),
      catch: unreadable
    })
    if (paths.length === 0) {
      const hint = "Build the site first, and see what ignore leaves."
      return yield* Effect.fail(invalid(["public"], `the folder ${shown} has no files for the site`, hint))
    }
    const all = yield* Effect.forEach(paths.sort(), (path) =>
      Effect.tryPromise({
        try: async (): Promise<SiteFile> => {
          const file = join(folder, path)
          const { size } = await stat(file)
          return { path: `/${path}`, file, size, digest: await digestOfFile(file, size) }
        },
        catch: unreadable
      })
    )
    // By the contents themselves: how they are compressed may differ between machines.
    return { all, digest: digestOf(all.map(({ digest, path }) => [path, digest])) }
  })
