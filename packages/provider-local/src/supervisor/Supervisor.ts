/// <reference types="node" preserve="true" />
/**
 * The supervisor: one small process per `.signalbox` directory that holds the proxies and the processes of all its
 * stacks and outlives the command that started it. There is one for all environments, because they share the ports of
 * the machine, and one process is easier to find, to watch and to end.
 *
 * If it dies, its watchdog becomes the next supervisor, which takes over the processes and binds the same ports.
 */
import { chmodSync, existsSync, realpathSync, rmSync } from "node:fs"
import { type IncomingMessage, createServer, type ServerResponse } from "node:http"
import { acquire, type Lock } from "./Lock.ts"
import { readLogs } from "./Logs.ts"
import * as Operations from "./operations/index.ts"
import { localOf, ownerOf, socketOf } from "./Paths.ts"
import { findMarked, signalAll } from "./instance/Processes.ts"
import { type Line, type Mutations, type Reads, Refusal } from "./Protocol.ts"
import { Secrets } from "./Secrets.ts"
import type { House } from "./Stack.ts"
import { type Abandonment, type MutationBody, StackMutations } from "./StackMutations.ts"
import { Stacks } from "./Stacks.ts"
import { keyOf, StateFile } from "./State.ts"
import { heldBy } from "./Stopped.ts"
import { Watchdog } from "./Watchdog.ts"

const idleMillis = 3000
const watchMillis = 1000
const broken = new Set(["ECONNRESET", "EPIPE", "ECONNREFUSED", "ETIMEDOUT", "ERR_STREAM_PREMATURE_CLOSE"])

/** The body of a call for its operation. Calls come from this package's own client, over a private socket. */
type Body = MutationBody & Reads["measure"]["body"] & Reads["detect"]["body"] & Reads["logs"]["body"] & Abandonment

export class Supervisor {
  readonly #house: House
  readonly #watchdog: Watchdog
  readonly #stacks: Stacks
  readonly #mutations: StackMutations
  readonly #resumes: boolean
  readonly #lock: Lock
  readonly #startedAt = Date.now()
  #calls = 0
  #idle: NodeJS.Timeout | undefined
  #ending = false
  #closing = false
  readonly #server = createServer((request, response) => void this.#serve(request, response))

  constructor(directory: string, command: ReadonlyArray<string>, lock: Lock) {
    this.#lock = lock
    const root = realpathSync(directory)
    const { secrets, succeeds } = Secrets.from(process.env)
    this.#resumes = succeeds
    const file = new StateFile(localOf(root))
    this.#watchdog = new Watchdog([...command, directory], secrets, localOf(root))
    this.#house = { root, owner: ownerOf(root), file, secrets, onSecrets: () => this.#watchdog.renew() }
    this.#stacks = new Stacks(this.#house)
    this.#mutations = new StackMutations(this.#house, this.#stacks, succeeds)
  }

  async run(): Promise<void> {
    const { owner, root } = this.#house
    const known = new Set(this.#stacks.all.flatMap(({ state }) => state.instances.map(({ id }) => id)))
    signalAll(
      findMarked(owner, known).filter(({ instance }) => !known.has(instance)),
      "SIGKILL"
    )
    await Promise.all(this.#stacks.all.map((stack) => stack.recover(this.#resumes)))
    const socket = socketOf(root)
    rmSync(socket, { force: true })
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject)
      this.#server.listen(socket, resolve)
    })
    chmodSync(socket, 0o600)
    this.#watchdog.start()
    this.#rest()
    // Deleting the directory deletes everything that was deployed from it.
    setInterval(() => this.#lock.isHeld() || void this.#shutdown(), watchMillis).unref()
    // A connection error without a listener is no reason to break all other connections. Any other error is: the next
    // supervisor starts from the state on disk.
    process.on("uncaughtException", (error: NodeJS.ErrnoException) => {
      if (error.code !== undefined && broken.has(error.code)) return
      process.stderr.write(`${error.stack ?? error.message}\n`)
      process.exit(1)
    })
    process.on("SIGHUP", () => undefined)
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => this.#end())
  }

  /** Ends cleanly; the processes stay for the next supervisor. */
  #end(): void {
    if (this.#ending) return
    this.#ending = true
    for (const stack of this.#stacks.all) stack.letGo()
    this.#lock.release()
    rmSync(socketOf(this.#house.root), { force: true })
    const exit = () => process.exit(0)
    setTimeout(exit, 1000)
    this.#watchdog.stop(exit)
  }

  /** Nothing left to hold: ends after a while. */
  #rest(): void {
    clearTimeout(this.#idle)
    if (this.#stacks.all.length > 0 || this.#calls > 0) return
    const age = Date.now() - this.#startedAt
    this.#idle = setTimeout(() => this.#end(), age < idleMillis ? idleMillis : idleMillis / 2)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#calls += 1
    clearTimeout(this.#idle)
    const write = (line: Line) => {
      if (!response.destroyed) response.write(`${JSON.stringify(line)}\n`)
    }
    try {
      const chunks: Array<Buffer> = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Body
      response.writeHead(200, { "content-type": "application/x-ndjson" })
      response.flushHeaders()
      write({ ok: (await this.#answer(request.url!.slice(1), body, write)) ?? null })
    } catch (error) {
      write({ failed: reasonOf(error) })
    } finally {
      response.end()
      this.#calls -= 1
      this.#rest()
    }
  }

  async #answer(operation: string, body: Body, write: (line: Line) => void): Promise<unknown> {
    switch (operation) {
      case "ping":
        return { pid: process.pid, stacks: this.#stacks.all.length }
      case "observe":
        return this.#mutations.view(body) satisfies Reads["observe"]["answer"] | null
      case "measure": {
        const stack = this.#stacks.get(body)
        return stack === undefined
          ? { requests: 0, errors: 0, latency: null, healthy: null }
          : Operations.measure(stack, body.releaseId, body.windowMillis)
      }
      case "detect": {
        const stack = this.#stacks.get(body)
        return stack === undefined ? [] : Operations.detect(stack, body.configDigest)
      }
      case "logs": {
        const { file, root, secrets } = this.#house
        const stack = this.#stacks.get(body)
        return readLogs(root, body, file.state.stacks[keyOf(body)], {
          ...body,
          secret: (name) => secrets.get(keyOf(body), name) ?? body.secrets[name],
          look: (id) => stack?.instances.find(({ record }) => record.id === id)?.log.look()
        }) satisfies Reads["logs"]["answer"]
      }
      case "held":
        return heldBy(this.#house.file.state) satisfies Reads["held"]["answer"]
      case "abandon":
        return this.#mutations.abandon(body)
      case "fence":
        await this.#mutations.fence(body)
        return null
      case "shutdown":
        await this.#shutdown()
        return null
      default:
        return this.#mutations.mutate(operation as keyof Mutations, body, (message, resource) =>
          write(resource === undefined ? { progress: message } : { progress: message, resource })
        )
    }
  }

  async #shutdown(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    await Promise.all(
      this.#stacks.all.map(async (stack) => {
        this.#mutations.abort(stack)
        await stack.close({ signal: new AbortController().signal, hurry: true })
      })
    )
    setImmediate(() => this.#end())
  }
}

const reasonOf = (error: unknown) =>
  error instanceof Refusal
    ? error.reason
    : {
        _tag: "Unavailable" as const,
        message: `the supervisor could not do it: ${error instanceof Error ? error.message : String(error)}`
      }

const startedBy = (directory: string): ReadonlyArray<string> => {
  const args = process.argv.slice(1)
  return [process.execPath, ...process.execArgv, ...(args.at(-1) === directory ? args.slice(0, -1) : args)]
}

/**
 * Runs the supervisor of a directory in this process until nothing is left to hold; then it ends the process. Returns
 * without any effect if one is already running.
 *
 * *Details*: `command` starts its replacement (the directory is appended); it must lead here again. By default, the
 * command that started this process.
 */
export const runSupervisor = async (
  directory: string,
  command: ReadonlyArray<string> = startedBy(directory)
): Promise<void> => {
  // The process that starts it creates its folder first; if the folder is gone, so is everything that it held.
  if (!existsSync(localOf(directory))) return
  const local = localOf(realpathSync(directory))
  const lock = acquire(local)
  if (lock === undefined) return
  await new Supervisor(directory, command, lock).run()
  // It ends by ending the process.
  return new Promise(() => undefined)
}
