import type { Stats } from "node:fs"
import type { Bytes } from "./Names.ts"

interface Known {
  readonly size: number
  readonly mtimeMs: number
  readonly ctimeMs: number
  readonly ino: number
  readonly dev: number
  readonly digest: string
}

/** The coarsest clock of a file system in use (FAT). */
const granularityMillis = 2_000
const rootsMax = 4
const roots = new Map<Bytes, ReadonlyMap<Bytes, Known>>()

/**
 * The digests of files that this process has read, so that a deployment that plans twice reads its artifact once.
 *
 * A file counts as known only while its size, inode, modification time and change time are the same, and only if it was
 * last changed well before it was read: a change in the same tick of the file system's clock leaves no trace in its
 * times. Kept only in memory, and never used for copies.
 */
export class KnownFiles {
  readonly #root: Bytes
  readonly #before: ReadonlyMap<Bytes, Known>
  readonly #now = new Map<Bytes, Known>()

  constructor(root: Bytes) {
    this.#root = root
    this.#before = roots.get(root) ?? new Map<Bytes, Known>()
  }

  digestOf(name: Bytes, stats: Stats): string | undefined {
    const known = this.#before.get(name)
    if (
      known === undefined ||
      known.size !== stats.size ||
      known.ino !== stats.ino ||
      known.dev !== stats.dev ||
      known.mtimeMs !== stats.mtimeMs ||
      known.ctimeMs !== stats.ctimeMs
    ) {
      return undefined
    }
    this.#now.set(name, known)
    return known.digest
  }

  /** `stats` are from before the file was read, `readAt` is the time then. */
  learn(name: Bytes, stats: Stats, readAt: number, digest: string): void {
    const { ctimeMs, dev, ino, mtimeMs, size } = stats
    if (Math.max(ctimeMs, mtimeMs) > readAt - granularityMillis) return
    this.#now.set(name, { size, mtimeMs, ctimeMs, ino, dev, digest })
  }

  /** Replaces the known files of the root. */
  keep(): void {
    roots.delete(this.#root)
    roots.set(this.#root, this.#now)
    for (const [root] of roots) if (roots.size > rootsMax) roots.delete(root)
  }
}
