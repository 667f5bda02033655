/**
 * The environment of an instance's process.
 */
import type { InstanceRecord, KnownRelease } from "../State.ts"
import { marker } from "./Processes.ts"

const inherited = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"]

/** The variables of its release, with its secrets, its own address, and the marks by which it is found again. */
export const environmentFor = (
  { id, port }: InstanceRecord,
  { release, runtime }: KnownRelease,
  around: { readonly owner: string; readonly stack: string; readonly secret: (name: string) => string | undefined }
): NodeJS.ProcessEnv => {
  const variables: NodeJS.ProcessEnv = {}
  for (const name of inherited) if (process.env[name] !== undefined) variables[name] = process.env[name]
  for (const [name, value] of Object.entries(runtime.env)) {
    const resolved = typeof value === "string" ? value : around.secret(value.secret)
    if (resolved !== undefined) variables[name] = resolved
  }
  return {
    ...variables,
    PORT: String(port),
    SIGNALBOX_STACK: around.stack,
    SIGNALBOX_RELEASE: release.id,
    SIGNALBOX_VERSION: release.version,
    [marker.instance]: id,
    [marker.owner]: around.owner
  }
}
