/**
 * A shell that waits on a pipe beside a supervisor. When the supervisor dies, however it dies, the kernel closes the
 * pipe and the shell becomes the next one: no polling, and almost no memory. Its environment holds the secrets that the
 * next one needs.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { announceWatchdog } from "./Lock.ts"
import { identify } from "./instance/Processes.ts"
import type { Secrets } from "./Secrets.ts"

const quickLife = 2000
const script = `read -r line; [ "$line" = stop ] && exit 0; exec "$@"`

export class Watchdog {
  readonly #command: ReadonlyArray<string>
  readonly #secrets: Secrets
  readonly #local: string
  #child: ChildProcess | undefined
  #renewing = false
  #stopped = false

  /** `command` is what it becomes, `local` the supervisor's folder. */
  constructor(command: ReadonlyArray<string>, secrets: Secrets, local: string) {
    this.#command = command
    this.#secrets = secrets
    this.#local = local
  }

  /** Starts it, and restarts it whenever it ends. */
  start(): void {
    const started = Date.now()
    const child = spawn("/bin/sh", ["-c", script, "signalbox-watchdog", ...this.#command], {
      detached: true,
      env: { ...process.env, ...this.#secrets.toEnvironment() },
      stdio: ["pipe", "inherit", "inherit"]
    })
    child.stdin!.on("error", () => undefined)
    child.on("error", () => undefined)
    child.once("exit", () => {
      if (this.#stopped || this.#child !== child) return
      // A person who kills it repeatedly may have a reason.
      setTimeout(() => this.#stopped || this.start(), Date.now() - started < quickLife ? quickLife : 0)
    })
    child.unref()
    this.#child = child
    const identity = child.pid === undefined ? undefined : identify(child.pid)
    if (identity === undefined) return
    try {
      announceWatchdog(this.#local, identity)
    } catch {
      // No space, or the folder is being deleted. A query during a change of supervisors is then told that none runs.
    }
  }

  /** New secrets are known: another watchdog replaces it, and exists before it goes. */
  renew(): void {
    if (this.#renewing || this.#child === undefined) return
    this.#renewing = true
    setImmediate(() => {
      this.#renewing = false
      if (this.#stopped) return
      const before = this.#child
      this.start()
      before?.stdin?.end("stop\n")
    })
  }

  /** Tells it not to take over; calls back when it has read that, which must be before the pipe closes. */
  stop(then: () => void): void {
    this.#stopped = true
    this.#child?.stdin?.end("stop\n")
    if (this.#child?.exitCode === null) this.#child.once("exit", then)
    else then()
  }
}
