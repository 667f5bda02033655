import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { temporary } from "./support.ts"

const root = fileURLToPath(new URL("../../../", import.meta.url))

/** A folder with the plug-ins of the examples and of this repository, and a `broken` artifact. */
export const channelProject = (configuration: string): string => {
  const cwd = temporary("channels")
  const packages = {
    "@acme/plain-site": "examples/sdk-provider-plain",
    "@acme/ntfy": "examples/sdk-notifier-plain",
    "@signalbox/notify": "packages/notify"
  }
  Fs.writeFileSync(Path.join(cwd, "package.json"), `{ "type": "module" }`)
  for (const [installed, folder] of Object.entries(packages)) {
    const link = Path.join(cwd, "node_modules", installed)
    Fs.mkdirSync(Path.dirname(link), { recursive: true })
    Fs.symlinkSync(Path.join(root, folder), link)
  }
  Fs.mkdirSync(Path.join(cwd, "broken"))
  Fs.writeFileSync(Path.join(cwd, "signalbox.config.yaml"), configuration)
  return cwd
}
