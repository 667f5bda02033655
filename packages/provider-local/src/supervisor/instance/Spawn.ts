/**
 * Starts a process so that all its descendants can be found again.
 *
 * On Linux, it carries a number in a kernel limit that has no effect (`RLIMIT_LOCKS`). Children inherit it whatever
 * happens to their environment, session, parent and working directory; only a service that starts processes on request
 * (systemd, cron, a container engine) or a privileged program that sets limits (`su`, `sudo`) loses it.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { accessSync, constants, readFileSync, statSync } from "node:fs"
import { join, resolve } from "node:path"
import type { OpenLog } from "./Log.ts"
import { sha256 } from "../../sha256.ts"

const linux = process.platform === "linux"

const bits = (text: string, count: bigint): bigint =>
  BigInt(`0x${sha256().update(text).digest("hex").slice(0, 16)}`) & ((1n << count) - 1n)

/** The number of an instance, with the folder's number in its upper half. */
export const markOf = (owner: string, instance: string): bigint => (bits(owner, 30n) << 32n) | bits(instance, 32n)

/** Whether a number belongs to an instance of the folder. */
export const isOfOwner = (mark: bigint, owner: string): boolean => mark >> 32n === bits(owner, 30n)

/** The number of a process. */
export const markOn = (pid: number): bigint | undefined => {
  if (!linux) return undefined
  try {
    const [, value] = /^Max file locks +(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8")) ?? []
    return value === undefined ? undefined : BigInt(value)
  } catch {
    return undefined
  }
}

/** The limit is -w in dash and busybox, -x in bash. A shell adds unwanted variables. */
const marking = (mark: string, keep: NodeJS.ProcessEnv) =>
  `ulimit -S -w ${mark} 2>/dev/null || ulimit -S -x ${mark} 2>/dev/null; unset ${["PWD", "OLDPWD", "SHLVL"]
    .filter((name) => keep[name] === undefined)
    .join(" ")}; exec "$@"`

/** Removes a mark: for processes that are started from within an instance and are not part of it. */
export const unmarked = (command: ReadonlyArray<string>): readonly [string, ...Array<string>] =>
  linux
    ? ["/bin/sh", "-c", marking("unlimited", process.env), "signalbox-start", ...command]
    : (command as readonly [string, ...Array<string>])

const runs = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

const isThere = (program: string, cwd: string, path: string): boolean =>
  program.includes("/")
    ? runs(resolve(cwd, program))
    : path.split(":").some((folder) => runs(join(resolve(cwd, folder), program)))

/** Its own session and process group: it outlives the supervisor, and is stopped with all its children. */
export const start = (
  command: ReadonlyArray<string>,
  options: {
    readonly cwd: string
    readonly env: NodeJS.ProcessEnv
    readonly output: OpenLog["writers"]
    readonly mark: bigint
  }
): ChildProcess => {
  const { cwd, env, mark, output } = options
  const [program, ...args] = command
  const settings = { cwd, env, detached: true, stdio: ["ignore", ...output] } satisfies Parameters<typeof spawn>[2]
  // Node reports why a program cannot be run; a shell would only say that it cannot.
  if (!linux || !isThere(program!, cwd, env["PATH"] ?? "/usr/bin:/bin")) return spawn(program!, args, settings)
  return spawn("/bin/sh", ["-c", marking(String(mark), env), "signalbox-start", program!, ...args], settings)
}
