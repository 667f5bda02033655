/**
 * A folder in which a configuration finds the plug-in as if it were installed.
 */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

/** Links the package into a folder. */
export const link = (directory: string): void => {
  const path = join(directory, "node_modules", "@signalbox", "provider-gcp")
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(fileURLToPath(new URL("../../", import.meta.url)), path)
  writeFileSync(join(directory, "package.json"), `{ "type": "module" }`)
}
