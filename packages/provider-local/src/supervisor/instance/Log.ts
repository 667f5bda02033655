/**
 * Where a process writes: a pipe, which a small shell copies into a file. The shell starts a new file before the
 * present one exceeds its limit. It belongs to no supervisor, so that a process neither blocks nor breaks when its
 * supervisor is killed, and ends when the last writer has closed the pipe.
 */
import { execFile, spawn } from "node:child_process"
import { closeSync, constants, mkdirSync, openSync, rmSync } from "node:fs"
import { basename, dirname } from "node:path"
import { promisify } from "node:util"

/** A log holds at most this many bytes, and the previous one as many. */
export const logMax = 10 << 20

/**
 * `dd` writes immediately and reads at most a page at a time, so `count` pages never exceed what is left of the file.
 * It prints `0+0 records in` at the end of the pipe. Without a file (it was deleted) or without disk space, the input
 * is discarded: the process must not block.
 */
const script = `
LC_ALL=C; export LC_ALL; umask 077
while :; do
  left=0
  if [ -e "$1" ]; then
    left=$(( ($2 - $(wc -c < "$1")) / 4096 ))
    if [ "$left" -le 0 ]; then mv -f "$1" "$1.1" && : > "$1"; left=$(( $2 / 4096 )); fi
  fi
  said=
  [ "$left" -gt 0 ] && said=$(dd bs=4096 count="$left" 2>&1 >> "$1") || said=$(dd bs=4096 count=256 of=/dev/null 2>&1)
  case "$said" in "0+0 records in"*) exit 0;; esac
done`

const run = promisify(execFile)

export interface OpenLog {
  /** Where the process writes its output and its errors; closed here once the process has them. */
  readonly writers: readonly [stdout: number, stderr: number]
  /** Resolves when everything written is in the file and no process holds the pipe any more. */
  readonly complete: Promise<void>
}

/** Opens the log of a process that is about to start; an earlier log stays. */
export const openLog = async (file: string, max = logMax): Promise<OpenLog> => {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  closeSync(openSync(file, "a", 0o600))
  const pipe = `${file}.pipe`
  rmSync(pipe, { force: true })
  await run("mkfifo", ["-m", "600", pipe])
  // Either end alone would wait for the other one to be opened. This one holds both for a moment.
  const both = openSync(pipe, constants.O_RDWR)
  const reader = openSync(pipe, "r")
  // Opened twice: a program that makes one of them non-blocking (Node does so at first use) leaves the other unchanged.
  const writers = [openSync(pipe, "w"), openSync(pipe, "w")] as const
  closeSync(both)
  rmSync(pipe, { force: true })
  const shell = spawn("/bin/sh", ["-c", script, "signalbox-log", basename(file), String(max)], {
    cwd: dirname(file),
    detached: true,
    env: { PATH: process.env["PATH"] },
    stdio: [reader, "ignore", "ignore"]
  })
  closeSync(reader)
  const complete = new Promise<void>((resolve) => {
    shell.once("error", () => resolve())
    shell.once("exit", () => resolve())
  })
  shell.unref()
  return { writers, complete }
}

/** Waits for a log to be complete, but no longer than `millis`: a leftover descendant may hold it open. */
export const settled = (complete: Promise<void>, millis: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, millis)
    void complete.then(() => {
      clearTimeout(timer)
      resolve()
    })
  })
