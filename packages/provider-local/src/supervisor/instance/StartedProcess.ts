/**
 * Starts the process of an instance, and explains how it ended.
 */
import type { ChildProcess } from "node:child_process"
import { closeSync } from "node:fs"
import { resolve } from "node:path"
import type { InstanceRecord, KnownRelease } from "../State.ts"
import { environmentFor } from "./Environment.ts"
import type { InstanceLog } from "./InstanceLog.ts"
import { explain } from "./Launch.ts"
import { settled } from "./Log.ts"
import { type Identity, identify } from "./Processes.ts"
import { markOf, start } from "./Spawn.ts"
import type { Surroundings } from "./Surroundings.ts"
import type { Trouble } from "./Trouble.ts"

/** How long to wait for the log of an ended process. */
const logMillis = 500
/** How the shell that starts a process reports that it could not. */
const notExecutable = 126
const notFound = 127

interface Starting {
  readonly record: InstanceRecord
  readonly release: KnownRelease
  readonly around: Surroundings
  readonly log: InstanceLog
  /** Whether it should still be started once its log is open. */
  readonly isWanted: () => boolean
  /** Called at once when it runs. */
  readonly onStart: (identity: Identity) => void
  /** Called when it has ended, or could not be started. */
  readonly onEnd: (trouble: Trouble) => void
}

export const startProcess = async ({
  around,
  isWanted,
  log,
  onEnd,
  onStart,
  record,
  release
}: Starting): Promise<void> => {
  const { command, cwd } = release.runtime
  const root = around.directoryOf(release)
  const env = environmentFor(record, release, around)
  const files = { root, shown: release.release.artifact ?? "the artifact", open: false }
  const explained = (error: NodeJS.ErrnoException) => explain(error, release.runtime, files, env)
  const refused = (error: NodeJS.ErrnoException) => onEnd(explained(error))
  const { complete, writers } = await log.open()
  let child: ChildProcess
  try {
    if (!isWanted()) return
    child = start(command, { cwd: resolve(root, cwd), env, output: writers, mark: markOf(around.owner, record.id) })
  } catch (error) {
    // Some errors come as an event, others are thrown: to the caller they are the same.
    process.nextTick(refused, error)
    return
  } finally {
    for (const writer of writers) closeSync(writer)
  }
  child.once("error", (error: NodeJS.ErrnoException) => {
    if (child.pid === undefined) refused(error)
  })
  if (child.pid === undefined) return
  child.once("exit", async (code, signal) => {
    // Its last output says why.
    await settled(complete, logMillis)
    const found = code === notFound || code === notExecutable ? explained({ name: "", message: "" }) : undefined
    const reason = code === null ? `its process was ended by ${signal}` : `its process exited with code ${code}`
    onEnd(found?.hint === undefined ? { reason } : found)
  })
  const identity = identify(child.pid)
  if (identity !== undefined) onStart(identity)
}
