import { mkdirSync } from "node:fs"
import { tmpdir, userInfo } from "node:os"
import { join } from "node:path"
import { sha256 } from "../sha256.ts"
import type { StackKey } from "./Protocol.ts"

/** The supervisor's own folder within a `.signalbox` directory. */
export const localOf = (root: string): string => join(root, "local")

/** A short name for the directory: the mark of its processes. */
export const ownerOf = (root: string): string => sha256().update(root).digest("hex").slice(0, 16)

/** The longest path that a unix socket may have on every system. */
const socketPathMax = 100

/** The control socket. If the directory's own path is too long, it is in a private folder for temporary files. */
export const socketOf = (root: string): string => {
  const inside = join(localOf(root), "supervisor.sock")
  if (Buffer.byteLength(inside) <= socketPathMax) return inside
  const outside = join(tmpdir(), `signalbox-${userInfo().uid}`)
  mkdirSync(outside, { recursive: true, mode: 0o700 })
  return join(outside, `${ownerOf(root)}.sock`)
}

/**
 * Where the releases of a stack are unpacked. One folder per environment, although the same files may be unpacked
 * twice: otherwise one environment could prune a release that another one is just bringing in.
 */
export const releasesOf = (root: string, key: StackKey): string =>
  join(root, "releases", key.deploymentId, key.environment, key.stack)

export const releaseDirectory = (root: string, key: StackKey, digest: string): string =>
  join(releasesOf(root, key), digest.replace(":", "-"))

/** Where the logs of a stack's instances are. */
export const logsOf = (root: string, { deploymentId, environment, stack }: StackKey): string =>
  join(localOf(root), "logs", deploymentId, environment, stack)

export const logOf = (root: string, key: StackKey, instance: string): string =>
  join(logsOf(root, key), `${instance}.log`)

/** Where the logs of failed instances are kept. No deployment is called `failed`: ids have another form. */
export const failedLogsOf = (root: string, key: StackKey): string =>
  join(localOf(root), "logs", "failed", key.deploymentId, key.environment, key.stack)
