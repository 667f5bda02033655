/**
 * The files of `init --template adapter`: a package with a provider that passes the conformance suite.
 */
import * as Path from "node:path"
import { version } from "../main/version.ts"
import { adapterFiles } from "./adapterFiles.ts"
import type { Template } from "./write.ts"

/** Named after its folder. */
export const adapter = (directory: string): Template => {
  const folder = Path.basename(directory)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
  const name = `signalbox-${folder === "" ? "provider" : folder.replace(/^signalbox-/, "")}`
  return adapterFiles.map(([path, text]) => [path, text.replaceAll("NAME", name).replaceAll("VERSION", `^${version}`)])
}
