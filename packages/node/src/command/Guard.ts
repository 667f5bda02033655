/// <reference types="node" preserve="true" />
/**
 * The guard: a process between a command and the process that holds its lease. It kills the command before the lease
 * ends unless it learns of a renewal, and at once if the holder is gone, so that the next lease holder never meets the
 * running command. Only Node is loaded here: the command waits for it.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { statSync } from "node:fs"
import { Socket } from "node:net"
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

type Start = Extract<ToGuard, { readonly type: "start" }>

/** How long a command may take to end, in ms, after its holder is gone. */
const orphanGrace = 300
/** The same for what a command left running in its group when it ended. */
const restGrace = 500
/** How often the wall clock is checked. */
const lookEvery = 200

class Guard {
  readonly #channel: Socket
  #start: Start | undefined
  #deadline: Deadline | undefined
  #child: ChildProcess | undefined
  #timer: NodeJS.Timeout | undefined
  #because: "lease_lost" | "asked" | undefined
  /** When a command that was asked to end is killed, by the monotonic clock. */
  #killAt: number | undefined
  #over = false

  constructor(channel: Socket) {
    this.#channel = channel
    channel.on(
      "data",
      messages<ToGuard>((message) => this.#told(message))
    )
    for (const event of ["end", "error", "close"]) channel.on(event, () => this.#orphaned())
  }

  #told(message: ToGuard): void {
    if (this.#over) return
    if (message.type === "start") {
      this.#start = message
      this.#deadline = new Deadline(message.ttl)
    } else if (message.type === "until") {
      this.#deadline?.renew(message.at)
      if (this.#child === undefined) this.#begin()
      else this.#judge()
    } else {
      this.#because ??= "asked"
      // A command that has not begun has nothing to clean up.
      if (this.#child === undefined)
        this.#finish({ type: "ended", code: null, signal: message.signal, killedBecause: "asked" })
      else if (this.#child.pid !== undefined) signalGroup(this.#child.pid, message.signal)
    }
  }

  #begin(): void {
    const start = this.#start!
    if (this.#deadline!.left <= margins(start.ttl).term) return this.#finish({ type: "failed", code: "LEASE" })
    if (statSync(start.cwd, { throwIfNoEntry: false })?.isDirectory() !== true) {
      return this.#finish({ type: "failed", code: "ENOTDIR" })
    }
    const failed = (error: unknown) =>
      this.#finish({ type: "failed", code: (error as NodeJS.ErrnoException).code ?? String(error) })
    try {
      // Its own process group, to be killed with all its children. Its output goes directly to the holder, past this
      // process.
      const child = spawn(start.command, start.args, {
        cwd: start.cwd,
        env: start.env,
        detached: true,
        stdio: "inherit"
      })
      this.#child = child
      child.once("error", failed)
      if (child.pid === undefined) return
      this.#say({ type: "started", pid: child.pid })
      child.once("exit", (code, signal) => this.#ended(code, signal))
      this.#judge()
    } catch (error) {
      failed(error)
    }
  }

  /** Checks the clocks: asks it to end, kills it, or checks again later. */
  #judge(): void {
    clearTimeout(this.#timer)
    const pid = this.#child?.pid
    if (pid === undefined || this.#over) return
    const margin = margins(this.#start!.ttl)
    const left = this.#deadline!.left
    if (this.#killAt === undefined && left <= margin.term) {
      this.#because = "lease_lost"
      this.#condemn(margin.term - margin.kill)
    }
    // A renewal that arrives after it was asked to end changes nothing.
    const untilKill = Math.min(left - margin.kill, (this.#killAt ?? Number.POSITIVE_INFINITY) - performance.now())
    if (untilKill <= 0) this.#kill(pid)
    const next = this.#killAt === undefined ? left - margin.term : untilKill
    this.#timer = setTimeout(() => this.#judge(), Math.min(lookEvery, Math.max(10, next)))
  }

  #condemn(grace: number): void {
    this.#killAt = performance.now() + grace
    signalGroup(this.#child!.pid!, "SIGTERM")
  }

  #kill(pid: number): void {
    signalGroup(pid, "SIGKILL")
    const { id } = this.#start!
    killMarked((mark) => mark === id)
  }

  #orphaned(): void {
    if (this.#over) return
    if (this.#child?.pid === undefined) process.exit(0)
    if (this.#because === "lease_lost") return
    this.#because = "lease_lost"
    this.#condemn(orphanGrace)
    this.#judge()
  }

  /** The command ended; its leftovers in the group must not continue. */
  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    this.#over = true
    clearTimeout(this.#timer)
    const pid = this.#child!.pid!
    const report = () => {
      if (this.#because === "lease_lost") this.#kill(pid)
      this.#finish({
        type: "ended",
        code,
        signal,
        ...(this.#because === undefined ? {} : { killedBecause: this.#because })
      })
    }
    const grace = Math.min(restGrace, this.#deadline!.left - margins(this.#start!.ttl).kill)
    const killAt = this.#killAt ?? performance.now() + grace
    const wait = () => {
      if (!signalGroup(pid, 0)) return report()
      if (performance.now() < killAt) return void setTimeout(wait, 10)
      signalGroup(pid, "SIGKILL")
      report()
    }
    signalGroup(pid, "SIGTERM")
    wait()
  }

  #say(message: FromGuard): void {
    this.#channel.write(encode(message))
  }

  #finish(message: FromGuard): void {
    this.#over = true
    clearTimeout(this.#timer)
    // Ends when the holder has read it, or is gone: a holder that writes to a closed pipe would lose unread data.
    this.#channel.on("close", () => process.exit(0))
    this.#channel.end(encode(message))
  }
}

/**
 * Guards one command, in a separate process: descriptor 3 tells it what to run, and until when. Ends with the command.
 */
export const runGuard = (): void => {
  // Signals for the command come from the holder. A guard that ended would leave it unguarded.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP"] as const) {
    process.on(signal, () => undefined)
  }
  void new Guard(new Socket({ fd: channelDescriptor }))
}
