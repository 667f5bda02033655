import { spawn } from "node:child_process"

export interface Ended {
  readonly code: number
  /** Its output on both streams, in the order of arrival. */
  readonly log: string
  /** How long it took from the signal to its end; undefined without a signal. */
  readonly stoppedAfter: number | undefined
}

/** When GitHub loses patience with a step of a job that is cancelled: SIGTERM, then the end of all that is below it. */
const patience = { terminate: 7500, kill: 10_000 }

/** Runs one process of a step. If its output matches `stopWhen`, it is cancelled as GitHub cancels a step. */
export const runChild = (
  command: string,
  args: ReadonlyArray<string>,
  options: {
    readonly cwd: string
    readonly env: Readonly<Record<string, string>>
    readonly stopWhen?: RegExp | undefined
  }
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own: signals go to the process alone, the end of patience to all of it.
      detached: true
    })
    let log = ""
    let stopped: number | undefined
    const timers: Array<NodeJS.Timeout> = []
    const stop = () => {
      stopped = performance.now()
      child.kill("SIGINT")
      timers.push(
        setTimeout(() => child.kill("SIGTERM"), patience.terminate),
        setTimeout(() => process.kill(-child.pid!, "SIGKILL"), patience.kill)
      )
    }
    const take = (chunk: string) => {
      log += chunk
      if (stopped === undefined && options.stopWhen?.test(log) === true) stop()
    }
    child.stdout.setEncoding("utf8").on("data", take)
    child.stderr.setEncoding("utf8").on("data", take)
    child.on("error", reject)
    child.on("close", (code) => {
      for (const timer of timers) clearTimeout(timer)
      resolve({ code: code ?? -1, log, stoppedAfter: stopped === undefined ? undefined : performance.now() - stopped })
    })
  })
