/**
 * The output pipes of a command. Node creates sockets when asked for pipes, and a script cannot open those through
 * `/dev/stderr`; so these are named pipes, whose names are removed at once.
 */
import { execFileSync } from "node:child_process"
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs"
import { Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Readable } from "node:stream"

export interface OutputPipe {
  readonly source: Readable
  /** The write ends of the command. To be closed here as soon as the command has them. */
  readonly descriptor: number
}

const open = (path: string): OutputPipe => {
  const readable = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const descriptor = openSync(path, constants.O_WRONLY)
    return { source: new Socket({ fd: readable, readable: true, writable: false }), descriptor }
  } catch (error) {
    closeSync(readable)
    throw error
  }
}

/** Undefined if this machine cannot create them: no `mkfifo`, no space. */
export const outputPipes = (): readonly [stdout: OutputPipe, stderr: OutputPipe] | undefined => {
  let folder: string | undefined
  const opened: Array<OutputPipe> = []
  try {
    folder = mkdtempSync(join(tmpdir(), "signalbox-run-"))
    const paths = ["stdout", "stderr"].map((name) => join(folder!, name))
    execFileSync("mkfifo", ["-m", "600", ...paths], { stdio: "ignore" })
    for (const path of paths) opened.push(open(path))
    return [opened[0]!, opened[1]!]
  } catch {
    for (const { descriptor, source } of opened) {
      closeSync(descriptor)
      source.destroy()
    }
    return undefined
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
}
