import { existsSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("..", import.meta.url))
export const here = fileURLToPath(new URL(".", import.meta.url))
export const node = process.execPath
export const signalbox = join(root, "packages/cli/dist/signalbox.cjs")
export const peers = join(here, "peers", "node_modules")

/** A benchmark's child, bundled as a user's program would be. */
export const bundled = (name: string): string => join(here, "dist", `${name}.cjs`)

export const peer = (name: string): string | undefined => {
  const file = join(peers, ".bin", name)
  return existsSync(file) ? file : undefined
}
