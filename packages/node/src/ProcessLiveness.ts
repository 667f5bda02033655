/**
 * The identity of this process, and whether another one is certainly dead.
 */
import { RunnerIdentity } from "@signalbox/core/engine"
import * as Layer from "effect/Layer"
import { execFileSync } from "node:child_process"
import { readFileSync, readlinkSync } from "node:fs"
import { hostname, platform } from "node:os"

const unknown = "-"

const attempt = (read: () => string): string => {
  try {
    return read().trim() || unknown
  } catch {
    return unknown
  }
}

/** What changes with each boot of the machine. */
const bootId = (): string =>
  platform() === "linux"
    ? attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8"))
    : platform() === "darwin"
      ? attempt(() => execFileSync("sysctl", ["-n", "kern.bootsessionuuid"], { encoding: "utf8", timeout: 1_000 }))
      : unknown

/** Containers may share host and boot, and number their processes separately. */
const pidNamespace = (): string =>
  platform() === "linux" ? attempt(() => readlinkSync("/proc/self/ns/pid").replace(/\D/g, "")) : "host"

interface Stat {
  readonly state: string
  readonly startedAt: string
}

const stat = (pid: number): Stat | undefined => {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, "utf8"))
  // The name, in parentheses, may contain anything; the fields after it are counted from the third.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
  return fields.length < 20 ? undefined : { state: fields[0]!, startedAt: fields[19]! }
}

const place = (() => {
  let known: string | undefined
  return () => (known ??= [encodeURIComponent(hostname()), bootId(), pidNamespace()].join("/"))
})()

/**
 * Names this process: host, boot, process namespace, process id and start time, such as
 * `build-7/5f0c…/4026531836/4711/98213`.
 */
export const owner = (): string => `${place()}/${process.pid}/${stat(process.pid)?.startedAt ?? unknown}`

const parse = (name: string) => {
  const parts = name.split("/")
  const pid = Number(parts[3])
  return parts.length === 5 && Number.isSafeInteger(pid) && pid > 0
    ? { place: parts.slice(0, 3).join("/"), pid, startedAt: parts[4]! }
    : undefined
}

const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH"
  }
}

/**
 * Whether the process with that name is certainly dead: it ran on this host, in this boot and namespace, and its ID is
 * free, reused by another process, or belongs to one that has ended. False if unknown.
 */
export const isDead = (name: string): boolean => {
  const process = parse(name)
  if (process === undefined || process.place !== place() || process.place.split("/").includes(unknown)) return false
  if (isGone(process.pid)) return true
  const now = stat(process.pid)
  if (now === undefined) return false
  return (process.startedAt !== unknown && now.startedAt !== process.startedAt) || /^[ZXx]$/.test(now.state)
}

/**
 * Gives the engine this process's name, and lets it take over at once from a dead process.
 */
export const layer: Layer.Layer<never> = Layer.sync(RunnerIdentity, () => ({ owner: owner(), isDead }))
