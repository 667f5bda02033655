import { mkdir, open, readFile, rename, rm } from "node:fs/promises"
import { basename, dirname, join } from "node:path"

/** Replaces a file by one with this text: readers get the old or the new one, even after a power loss. */
export const writeAtomically = async (path: string, text: string): Promise<void> => {
  if ((await readFile(path, "utf8").catch(() => undefined)) === text) return
  const folder = dirname(path)
  await mkdir(folder, { recursive: true })
  const temporary = join(folder, `${basename(path)}.${crypto.randomUUID()}.tmp`)
  try {
    const file = await open(temporary, "wx", 0o644)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncFolder(folder)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Some systems cannot sync a folder; there the rename is as durable as possible. */
const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, "r").catch(() => undefined)
  if (handle === undefined) return
  await handle.sync().catch(() => undefined)
  await handle.close()
}
