/** Many processes race for one lock, and are killed and stopped all the while. */
import { type ChildProcess, spawn } from "node:child_process"
import { appendFileSync, existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { fileURLToPath } from "node:url"
import { build } from "tsup"
import { cleanEnvironment } from "../bundle.ts"
import { type Chance, chance } from "../chaos/chance.ts"
import { signal } from "../chaos/processes.ts"
import { type Evidence, type Fault, gather } from "./evidence.ts"
import { judge, type Verdict } from "./judge.ts"
import { notesOf, type Terms, workerOf } from "./notes.ts"
import { lockKey } from "./place.ts"

export interface RaceOptions {
  readonly processes: number
  readonly rounds: number
  readonly seed: number
  /** Of the lease, in ms. */
  readonly ttl: number
  /** The mean time between two faults in ms; 0 for none. */
  readonly every: number
  /** How long the lock is held at most in the usual case, in ms a change. */
  readonly work: number
  /** Gives up after so many ms. */
  readonly limit: number
  readonly onProgress?: (line: string) => void
}

export interface Report extends Verdict {
  readonly evidence: Evidence
  readonly took: number
  readonly folder: string
  readonly errors: ReadonlyArray<string>
}

/** Bundles a worker: fifty that each compile the sources would need a minute to start. */
export const bundleWorker = async (directory: string): Promise<string> => {
  await build({
    config: false,
    entry: { worker: join(dirname(fileURLToPath(import.meta.url)), "worker.ts") },
    outDir: directory,
    format: "cjs",
    outExtension: () => ({ js: ".cjs" }),
    target: "node22",
    platform: "node",
    splitting: false,
    dts: false,
    removeNodeProtocol: false,
    silent: true,
    noExternal: [/^(?!node:)/],
    esbuildOptions: (options) => {
      options.conditions = ["@signalbox/source"]
    }
  })
  return join(directory, "worker.cjs")
}

interface Worker {
  readonly number: number
  child: ChildProcess | undefined
  /** Stopped, or dead and to be started again: left alone until then. */
  away: boolean
  finished: boolean
}

export class Race {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "signalbox-race-")))
  readonly #program: string
  readonly #options: RaceOptions
  readonly #workers: ReadonlyArray<Worker>
  readonly #faults: Array<Fault> = []
  readonly #errors: Array<string> = []
  readonly #chance: Chance
  #over = false
  #wake: () => void = () => undefined

  constructor(program: string, options: RaceOptions) {
    this.#program = program
    this.#options = options
    this.#chance = chance(options.seed, "faults")
    this.#workers = Array.from({ length: options.processes }, (_, number) => ({
      number,
      child: undefined,
      away: false,
      finished: false
    }))
    const { rounds, seed, ttl, work } = options
    writeFileSync(join(this.folder, "terms.json"), JSON.stringify({ rounds, seed, ttl, work } satisfies Terms))
  }

  async run(): Promise<Report> {
    const started = performance.now()
    const limit = setTimeout(() => this.#end(), this.#options.limit)
    const done = new Promise<void>((resolve) => (this.#wake = resolve))
    for (const worker of this.#workers) this.#start(worker)
    await Promise.race([done, this.#disturb()])
    await done
    clearTimeout(limit)
    this.abandon()
    if (!existsSync(join(this.folder, "signalbox.db"))) throw new Error(`no worker began: ${this.#errors.join("; ")}`)
    const { processes, rounds, ttl } = this.#options
    const finished = this.#workers.filter((worker) => worker.finished).map(({ number }) => number)
    const evidence = gather(this.folder, { processes, rounds, ttl, faults: this.#faults, finished })
    const took = performance.now() - started
    return { ...judge(evidence), evidence, took, folder: this.folder, errors: this.#errors }
  }

  /** Kills its descendants. */
  abandon(): void {
    this.#over = true
    for (const { child } of this.#workers) {
      if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) signal(child.pid, "SIGKILL")
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  #end(): void {
    this.#over = true
    this.#wake()
  }

  #start(worker: Worker): void {
    const child = spawn(process.execPath, [this.#program, this.folder, `${worker.number}`], {
      env: { ...cleanEnvironment(), NODE_COMPILE_CACHE: join(dirname(this.#program), "cache") },
      stdio: ["ignore", "ignore", "pipe"]
    })
    worker.child = child
    worker.away = false
    let said = ""
    child.stderr.on("data", (data) => (said += String(data)))
    child.once("exit", (code, killed) => {
      if (killed !== "SIGKILL" && said.trim() !== "") this.#errors.push(`worker ${worker.number}: ${said.trim()}`)
      if (this.#over) return
      if (code === 0) {
        worker.finished = true
        if (this.#workers.every(({ finished }) => finished)) this.#end()
      } else if (killed !== "SIGKILL") {
        this.#errors.push(`worker ${worker.number} ended with ${code ?? killed}`)
        this.#end()
      }
    })
  }

  async #disturb(): Promise<void> {
    const { every } = this.#options
    if (every === 0) return
    const database = () => new DatabaseSync(join(this.folder, "signalbox.db"), { readOnly: true, timeout: 5_000 })
    let told = performance.now()
    while (!this.#over) {
      await this.#pause(every * (0.5 + this.#chance.next()))
      const present = this.#workers.filter(
        ({ away, finished, number }) => !away && !finished && notesOf(this.folder, number).length > 0
      )
      const holder = this.#holder(database)
      const held = present.find(({ number }) => number === holder)
      const worker =
        held !== undefined && this.#chance.yes(0.1) ? held : present[this.#chance.int(0, 1e6) % present.length]
      if (worker === undefined || this.#over) continue
      this.#hurt(worker, worker.number === holder)
      if (performance.now() - told < 10_000) continue
      told = performance.now()
      this.#options.onProgress?.(
        `${this.#faults.length} faults, ${this.#workers.filter((one) => one.finished).length} finished`
      )
    }
  }

  #pause(millis: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, millis))
  }

  #holder(open: () => DatabaseSync): number {
    let database: DatabaseSync | undefined
    try {
      database = open()
      const row = database
        .prepare("SELECT holder FROM signalbox_leases WHERE key = ? AND expires_at > ?")
        .get(lockKey, Date.now()) as { readonly holder: string } | undefined
      return workerOf(row?.holder ?? "")
    } catch {
      // It is not there yet.
      return Number.NaN
    } finally {
      database?.close()
    }
  }

  /** In a file too, for looking at a race in progress. */
  #note(fault: Fault): void {
    this.#faults.push(fault)
    appendFileSync(join(this.folder, "faults.ndjson"), `${JSON.stringify(fault)}\n`)
  }

  #hurt(worker: Worker, held: boolean): void {
    const pid = worker.child?.pid
    if (pid === undefined || worker.child?.exitCode !== null) return
    const { ttl } = this.#options
    const from = Date.now()
    worker.away = true
    if (this.#chance.yes(0.35)) {
      const back = this.#chance.int(0, ttl)
      this.#note({ worker: worker.number, kind: "kill", from, to: from + back, held })
      worker.child.once("exit", (code) => {
        // It had ended on its own.
        if (code !== null || this.#over) return
        void this.#pause(back).then(() => this.#over || this.#start(worker))
      })
      return signal(pid, "SIGKILL")
    }
    // Shorter than the lease lives, or longer.
    const long = this.#chance.yes(0.5)
    const nap = long ? this.#chance.int(ttl * 1.1, ttl * 2) : this.#chance.int(20, ttl * 0.6)
    this.#note({ worker: worker.number, kind: "stop", from, to: from + nap, held })
    signal(pid, "SIGSTOP")
    void this.#pause(nap).then(() => {
      worker.away = false
      if (worker.child?.pid === pid && worker.child.exitCode === null) signal(pid, "SIGCONT")
    })
  }
}
