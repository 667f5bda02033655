import { spawnSync } from "node:child_process"
import { chmodSync, readdirSync } from "node:fs"
import { join } from "node:path"

/** A folder whose room is bounded, or which can no longer be written, in the most real way that this machine allows. */
export interface Volume {
  /** What a connection needs if the volume itself cannot bound it. */
  readonly setup: ReadonlyArray<string>
  readonly makeReadOnly: () => void
  readonly unmount: () => void
}

const run = (...[command, ...args]: [string, ...Array<string>]): boolean => spawnSync(command, args).status === 0

/** A file system of its own where this process may mount one; else a bounded database in a folder, closed by its mode. */
export const smallVolume = (folder: string): Volume => {
  const size = "size=400k"
  if (process.getuid?.() === 0 && run("mount", "-t", "tmpfs", "-o", size, "tmpfs", folder)) {
    return {
      setup: [],
      makeReadOnly: () => run("mount", "-o", `remount,ro,${size}`, folder),
      unmount: () => run("umount", folder)
    }
  }
  const setModes = (file: number, directory: number) => {
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), file)
    chmodSync(folder, directory)
  }
  return {
    setup: ["PRAGMA max_page_count = 60"],
    makeReadOnly: () => setModes(0o400, 0o500),
    unmount: () => setModes(0o600, 0o700)
  }
}
