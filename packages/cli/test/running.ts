/**
 * `signalbox run` as a shell runs it: a process that can be watched, signalled and waited for.
 */
import { type ChildProcess, spawn } from "node:child_process"
import * as Path from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { Binary } from "./binary.ts"
import { cleanEnvironment } from "./bundle.ts"
import { until } from "./chaos/processes.ts"

export interface RunEnded {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<RunEnded>
  /** Waits until it has printed that, on either stream. */
  readonly says: (pattern: RegExp) => Promise<void>
}

/** Starts the program with these arguments, in a folder that is its home too. */
export const start = (
  binary: Binary,
  cwd: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {}
): Running => {
  const child = spawn(process.execPath, [binary.path, ...args], {
    cwd,
    env: { ...cleanEnvironment(), HOME: cwd, XDG_CONFIG_HOME: Path.join(cwd, "no-such-folder"), ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let stdout = ""
  let stderr = ""
  child.stdout.on("data", (data) => (stdout += String(data)))
  child.stderr.on("data", (data) => (stderr += String(data)))
  const ended = new Promise<RunEnded>((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  const says = async (pattern: RegExp): Promise<void> => {
    if (await until(() => pattern.test(stdout) || pattern.test(stderr))) return
    throw new Error(`it never said ${pattern}:\n${stdout}\n${stderr}`)
  }
  return { child, ended, says }
}

/** The status of a folder's only environment, from the log. */
export const deploymentStatus = (cwd: string): string => {
  const row = read(cwd, "SELECT state FROM signalbox_environments") as { readonly state: string }
  return (JSON.parse(row.state) as { readonly status: string }).status
}

/** The state of an execution, from the log; undefined if it was never recorded. */
export const executionState = (
  cwd: string,
  id: string
): { readonly status: string; readonly error?: { readonly code: string } } | undefined => {
  const row = read(cwd, "SELECT state FROM signalbox_executions WHERE stream = ?", id)
  return row === undefined ? undefined : JSON.parse((row as { readonly state: string }).state)
}

/** The lease of a folder's only environment; undefined if it was never acquired. */
export const lockOf = (cwd: string): { readonly holder: string; readonly expires_at: number } | undefined =>
  read(cwd, "SELECT holder, expires_at FROM signalbox_leases WHERE key LIKE 'environment/%'") as ReturnType<
    typeof lockOf
  >

const read = (cwd: string, sql: string, ...parameters: ReadonlyArray<string>): unknown => {
  const database = new DatabaseSync(Path.join(cwd, ".signalbox", "signalbox.db"), { readOnly: true, timeout: 30_000 })
  try {
    return database.prepare(sql).get(...parameters)
  } finally {
    database.close()
  }
}
