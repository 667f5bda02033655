/** One folder with a deployment in it, its supervisor, and a constant load on its applications. */
import { createHash } from "node:crypto"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs"
import { request } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readLedger, readLog, readStacks } from "./evidence.ts"
import { marked, naming, signal, until } from "./processes.ts"
import { type Ended, type Options, start, type Started } from "./program.ts"
import { deploymentId, environment, type Scenario, write } from "./scenario.ts"

export interface Asked {
  readonly at: number
  readonly stack: string
  readonly status: number | undefined
  readonly error?: string
}

/** How long one command may take before it counts as stuck. */
const patience = 300_000
/** How often a command is given again that lost its lease, though nothing was done to it. */
const leasesMax = 10

export const now = (): number => Number(process.hrtime.bigint() / 1000n) / 1000

export const get = (port: number): Promise<{ readonly status: number; readonly body: string }> =>
  new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, agent: false, timeout: 10_000 }, (response) => {
      let body = ""
      response.on("data", (data) => (body += data))
      response.on("end", () => resolve({ status: response.statusCode!, body }))
      response.on("error", reject)
    })
    call.on("timeout", () => call.destroy(new Error("no answer within 10 seconds")))
    call.on("error", reject)
    call.end()
  })

export class World {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "signalbox-chaos-")))
  readonly owner = createHash("sha256").update(join(this.folder, ".signalbox")).digest("hex").slice(0, 16)
  readonly trace = join(this.folder, "trace.ndjson")
  readonly scenario: Scenario
  readonly asked: Array<Asked> = []
  /** The commands in order, for investigating a failure. */
  readonly history: Array<string> = []
  readonly #program: string
  readonly #started = new Set<Started>()
  #mounted = false
  #loading = false
  #loads: ReadonlyArray<Promise<void>> = []

  constructor(program: string, scenario: Scenario) {
    this.#program = program
    this.scenario = scenario
    write(this.folder, scenario)
  }

  start(args: ReadonlyArray<string>, options: Options = {}): Started {
    const started = start(this.#program, this.folder, this.trace, args, options)
    this.#started.add(started)
    const begun = performance.now()
    void started.ended.then(({ code, signal, stderr }) => {
      this.#started.delete(started)
      const took = Math.round(performance.now() - begun)
      this.history.push(`signalbox ${args.join(" ")} → ${code ?? signal} in ${took} ms ${stderr.trim().slice(-300)}`)
    })
    return started
  }

  /** Runs a command to its end; a hanging one fails the run. */
  async run(args: ReadonlyArray<string>, options: Options = {}): Promise<Ended> {
    return this.end(this.start(args, options), args)
  }

  /**
   * Runs a command to its end though a slow machine takes its lease from it: the lease of a scenario is short. The same
   * command carries the same execution on.
   */
  async settle(args: ReadonlyArray<string>): Promise<Ended> {
    for (let lost = 1; ; lost++) {
      const ended = await this.run(args)
      if (lost === leasesMax || !/"code":"lease_(lost|expired)"/.test(ended.stderr)) return ended
    }
  }

  async end({ child, ended }: Started, args: ReadonlyArray<string>): Promise<Ended> {
    let timer: NodeJS.Timeout | undefined
    const stuck = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`stuck for ${patience / 1000} s: ${args.join(" ")}`)), patience)
    })
    try {
      return await Promise.race([ended, stuck])
    } finally {
      clearTimeout(timer)
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL")
    }
  }

  /** A file system of its own for the state, so that it can be filled. */
  mount(): void {
    const state = join(this.folder, ".signalbox")
    mkdirSync(state, { mode: 0o700 })
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", state])
    this.#mounted = true
  }

  /** Brings the deployment to the starting point of the operation, without faults. */
  async prepare(): Promise<void> {
    const must = async (...args: ReadonlyArray<string>) => {
      const { code, stderr, stdout } = await this.settle([...args, "--json"])
      if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${stderr}${stdout.slice(-2000)}`)
    }
    await must("init", "--id", deploymentId)
    for (const version of this.scenario.before) {
      const named = ["--version", version, "--correlation-id", version]
      await must("deploy", deploymentId, "--environment", environment, ...named)
      // A canary wants requests.
      if (!this.#loading) this.#load()
    }
  }

  #load(): void {
    this.#loading = true
    this.#loads = Object.values(readStacks(this.folder)).map(async ({ port, stack }) => {
      while (this.#loading) {
        const at = now()
        try {
          this.asked.push({ at, stack, status: (await get(port)).status })
        } catch (error) {
          this.asked.push({ at, stack, status: undefined, error: String(error) })
        }
        await new Promise((resolve) => setTimeout(resolve, 40))
      }
    })
  }

  get log() {
    return readLog(this.folder)
  }

  get ledger() {
    return readLedger(this.folder)
  }

  /** The process that holds the proxies, by the newest of its locks. */
  get supervisor(): number | undefined {
    try {
      const local = join(this.folder, ".signalbox", "local")
      const [latest] = readdirSync(local)
        .filter((name) => /^lock\.\d+$/.test(name))
        .map((name) => Number(name.slice(5)))
        .sort((a, b) => b - a)
      return (JSON.parse(readFileSync(join(local, `lock.${latest}`), "utf8")) as { pid: number }).pid
    } catch {
      return undefined
    }
  }

  async stopLoad(): Promise<void> {
    this.#loading = false
    await Promise.all(this.#loads)
  }

  /** Ends everything that was started here, and takes the folder away unless it is to be looked at. */
  async remove(keep: boolean): Promise<void> {
    await this.stopLoad()
    for (const { child } of this.#started) child.kill("SIGKILL")
    const gone = await until(() => {
      // Watchdogs before supervisors, else they would become the next.
      const here = naming(this.folder).toSorted((a, b) => Number(isWatchdog(b.command)) - Number(isWatchdog(a.command)))
      for (const { pid } of here) signal(pid, "SIGKILL")
      const left = marked(this.owner)
      for (const { group, pid } of left) signal(group === pid ? -pid : pid, "SIGKILL")
      return here.length === 0 && left.length === 0
    }, 10_000)
    if (!gone) throw new Error(`processes of ${this.folder} cannot be ended`)
    if (keep) return
    if (this.#mounted) execFileSync("umount", [join(this.folder, ".signalbox")])
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const isWatchdog = (command: string): boolean => command.includes("signalbox-watchdog")
