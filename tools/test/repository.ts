import { readdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"

/** The folder of the repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "")
/** The folder of its tools. */
export const bin = join(root, "node_modules", ".bin")

const ignored = new Set(["node_modules", "dist", ".git", ".turbo", ".signalbox"])

/** Paths of the files below `folder`, relative to the repository, without installed and built files. */
export const files = (folder = root): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    ignored.has(entry.name)
      ? []
      : entry.isDirectory()
        ? files(join(folder, entry.name))
        : [relative(root, join(folder, entry.name))]
  )

/** The text of a file of the repository. */
export const read = (path: string): string => readFileSync(join(root, path), "utf8")
