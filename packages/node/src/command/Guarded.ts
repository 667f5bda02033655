/**
 * One command under a guard, from the lease holder's point of view.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync } from "node:fs"
import type { Duplex, Readable } from "node:stream"
import { fileURLToPath } from "node:url"
import { type CommandNotStarted, notStarted } from "./CommandNotStarted.ts"
import {
  channelDescriptor,
  Deadline,
  encode,
  type FromGuard,
  margins,
  messages,
  type ToGuard
} from "./guardProtocol.ts"
import { killMarked, signalGroup } from "./killing.ts"
import { outputPipes } from "./outputPipes.ts"

/**
 * How a command ended.
 *
 * *Details*: `killedBecause` says that it did not end by itself, or was asked to stop: its lease ended, its guard was
 * killed, or a signal was passed to it.
 */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly killedBecause?: "lease_lost" | "guard_gone" | "asked"
}

export interface GuardedOptions {
  readonly id: string
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly stdin: "inherit" | "ignore"
  readonly ttl: number
  readonly guard: ReadonlyArray<string> | undefined
}

/** Node runs the sources directly; the compiled package and bundles use the built file. */
const ownGuard = (): ReadonlyArray<string> => {
  const source = import.meta.url.endsWith(".ts")
  const entry = fileURLToPath(new URL(source ? "./guardMain.ts" : "./guardMain.js", import.meta.url))
  return [process.execPath, entry]
}

/**
 * The guard's own environment. `NODE_OPTIONS` and the like are the command's: they would slow down or break the guard.
 */
const inherited = ["PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"]

export class Guarded {
  /** How it ended; fails with `CommandNotStarted`. */
  readonly ended: Promise<Exit>
  readonly stdout: Readable
  readonly stderr: Readable
  /** A signal was passed to it. */
  asked = false
  readonly #options: GuardedOptions
  readonly #guard: ChildProcess
  readonly #channel: Duplex
  readonly #deadline: Deadline
  #pid: number | undefined
  #timer: NodeJS.Timeout | undefined
  #report: Exclude<FromGuard, { readonly type: "started" }> | undefined
  #lost = false
  /** The guard was allowed to start the command, and may have, whatever it managed to report. */
  #allowed = false

  constructor(options: GuardedOptions) {
    this.#options = options
    this.#deadline = new Deadline(options.ttl)
    const [file, ...args] = options.guard ?? ownGuard()
    const pipes = outputPipes()
    try {
      this.#guard = spawn(file!, args, {
        // Its own session: the holder passes on signals from the terminal.
        detached: true,
        env: Object.fromEntries(inherited.flatMap((name) => (name in process.env ? [[name, process.env[name]]] : []))),
        stdio: [options.stdin, pipes?.[0].descriptor ?? "pipe", pipes?.[1].descriptor ?? "pipe", "pipe"]
      })
    } finally {
      for (const { descriptor } of pipes ?? []) closeSync(descriptor)
    }
    this.stdout = pipes?.[0].source ?? this.#guard.stdout!
    this.stderr = pipes?.[1].source ?? this.#guard.stderr!
    this.#channel = this.#guard.stdio[channelDescriptor] as Duplex
    this.#channel.on("error", () => undefined)
    this.#channel.on(
      "data",
      messages<FromGuard>((message) => this.#told(message))
    )
    this.ended = new Promise((resolve, reject) => {
      const done = (outcome: Exit | CommandNotStarted) => {
        clearTimeout(this.#timer)
        if ("_tag" in outcome) reject(outcome)
        else resolve(outcome)
      }
      this.#guard.once("error", (error: NodeJS.ErrnoException) => {
        if (this.#guard.pid === undefined) done(notStarted(`guard ${error.code}`, options.command, options.cwd))
      })
      // After its last message was read.
      const closed = new Promise((resolve) => this.#channel.once("close", resolve))
      this.#guard.once("exit", (code, signal) => void closed.then(() => done(this.#outcome(code, signal))))
    })
    const { args: given, command, cwd, env, id, ttl } = options
    this.#say({ type: "start", id, command, args: given, cwd, env, ttl })
  }

  /** The lease is held until then. The first call starts the command. */
  renew(at: number): void {
    this.#deadline.renew(at)
    this.#allowed ||= this.#deadline.left > 0
    this.#say({ type: "until", at })
    this.#watch()
  }

  signal(signal: NodeJS.Signals): void {
    this.asked = true
    this.#say({ type: "signal", signal })
  }

  /**
   * The guard may be frozen: long after it should have killed the command, and still before the lease ends, this kills
   * it.
   */
  #watch(): void {
    clearTimeout(this.#timer)
    if (this.#report !== undefined) return
    const left = this.#deadline.left - margins(this.#options.ttl).kill / 2
    if (left > 0) {
      this.#timer = setTimeout(() => this.#watch(), Math.min(left, 1000))
      return
    }
    this.#lost = true
    this.#kill()
    this.#guard.kill("SIGKILL")
  }

  /** Whether there was anything to kill. */
  #kill(): boolean {
    const group = this.#pid !== undefined && signalGroup(this.#pid, "SIGKILL")
    return killMarked((mark) => mark === this.#options.id) > 0 || group
  }

  #told(message: FromGuard): void {
    if (message.type === "started") this.#pid = message.pid
    else this.#report = message
  }

  #outcome(code: number | null, signal: NodeJS.Signals | null): Exit | CommandNotStarted {
    const report = this.#report
    if (report?.type === "ended") {
      return {
        code: report.code,
        signal: report.signal,
        ...(report.killedBecause === undefined ? {} : { killedBecause: report.killedBecause })
      }
    }
    const { command, cwd } = this.#options
    if (report?.type === "failed") return notStarted(report.code, command, cwd)
    const started = this.#kill() || this.#pid !== undefined
    if (this.#lost && !this.#allowed) return notStarted("LEASE", command, cwd)
    if (this.#lost) return { code: null, signal: "SIGKILL", killedBecause: "lease_lost" }
    return !started && code !== null
      ? notStarted(`its guard ended with ${code}`, command, cwd)
      : { code: null, signal: signal ?? "SIGKILL", killedBecause: "guard_gone" }
  }

  #say(message: ToGuard): void {
    if (this.#channel.writable) this.#channel.write(encode(message))
  }
}
