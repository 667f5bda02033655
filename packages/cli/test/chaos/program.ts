/** The real command as a child process, with the preload if it is watched or disturbed. */
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { cleanEnvironment } from "../bundle.ts"

const preload = fileURLToPath(new URL("preload.ts", import.meta.url))

export type Deed = "kill" | "stop" | `${number}`

/** What the preload does, at which of the boundaries whose label starts so. */
export interface Disturbance {
  readonly at: string
  readonly nth?: number
  readonly deed: Deed
}

export interface Options {
  readonly disturbance?: Disturbance
  /** A bug planted in this process: see the preload. */
  readonly plant?: string
  /** The state may be read and not written by this process. */
  readonly readOnly?: boolean
  readonly onStdout?: (text: string) => void
}

export interface Ended {
  readonly code: number | undefined
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

/** A mount of its own over the state, which only this process sees. */
const sealed = `mount --bind .signalbox .signalbox && mount -o remount,bind,ro .signalbox && exec "$@"`

export const start = (
  program: string,
  folder: string,
  trace: string,
  args: ReadonlyArray<string>,
  { disturbance, onStdout, plant, readOnly }: Options = {}
): Started => {
  const command = [process.execPath, program, ...args]
  const [file, ...rest] = readOnly === true ? ["unshare", "-m", "sh", "-c", sealed, "sh", ...command] : command
  const child = spawn(file!, rest, {
    cwd: folder,
    env: {
      ...cleanEnvironment(),
      HOME: folder,
      XDG_CONFIG_HOME: `${folder}/no-such-folder`,
      NODE_OPTIONS: `--import ${preload} --disable-warning=ExperimentalWarning`,
      CHAOS_TRACE: trace,
      ...(disturbance === undefined
        ? {}
        : { CHAOS_AT: disturbance.at, CHAOS_NTH: String(disturbance.nth ?? 1), CHAOS_DO: disturbance.deed }),
      ...(plant === undefined ? {} : { CHAOS_PLANT: plant })
    },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let stdout = ""
  let stderr = ""
  child.stdout!.on("data", (data) => {
    stdout += data
    onStdout?.(String(data))
  })
  child.stderr!.on("data", (data) => (stderr += data))
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (code, signal) => resolve({ code: code ?? undefined, signal, stdout, stderr }))
  })
  return { child, ended }
}
