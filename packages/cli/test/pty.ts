/**
 * A program on a terminal of its own, which can be closed. Python has what Node lacks.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"

const program = `
import os, pty, select, sys
pid, master = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
while True:
    ready, _, _ = select.select([master, 0], [], [])
    if 0 in ready:
        break
    try:
        os.write(1, os.read(master, 65536))
    except OSError:
        break
os.close(master)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
`

export const hasPty: boolean = spawnSync("python3", ["-c", "import pty"]).status === 0

export interface OnTerminal {
  readonly child: ChildProcess
  /** What the terminal shows, with all its control sequences. */
  readonly shown: () => string
  /** Closes the terminal: the kernel sends SIGHUP. */
  readonly hangUp: () => void
  /** The program's exit code. */
  readonly ended: Promise<number | null>
}

export const onTerminal = (
  cwd: string,
  command: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>
): OnTerminal => {
  const child = spawn("python3", ["-c", program, ...command], { cwd, env, stdio: ["pipe", "pipe", "inherit"] })
  let shown = ""
  child.stdout.on("data", (data) => (shown += String(data)))
  child.stdin.on("error", () => undefined)
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (code) => resolve(code))
  })
  return { child, shown: () => shown, hangUp: () => child.stdin.end(), ended }
}
