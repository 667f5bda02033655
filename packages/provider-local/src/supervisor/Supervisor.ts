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
import { forget } from "./instance/FailedLogs.ts"
import { acquire, type Lock } from "./Lock.ts"
import { readLogs } from "./Logs.ts"
import * as Operations from "./Operations.ts"
import { localOf, ownerOf, releasesOf, socketOf } from "./Paths.ts"
import { findMarked, signalAll } from "./instance/Processes.ts"
import { type Line, type MutationHeader, type Mutations, type Reads, refuse, type StackKey } from "./Protocol.ts"
import { Secrets } from "./Secrets.ts"
import { type House, Stack } from "./Stack.ts"
import { keyOf, StateFile } from "./State.ts"
import { heldBy, viewAbsent } from "./Stopped.ts"
import { Watchdog } from "./Watchdog.ts"

const idleMillis = 3000
const watchMillis = 1000
const broken = new Set(["ECONNRESET", "EPIPE", "ECONNREFUSED", "ETIMEDOUT", "ERR_STREAM_PREMATURE_CLOSE"])

/** The body of a call for its operation. Calls come from this package's own client, over a private socket. */
type Body = MutationHeader &
  Mutations["stage"] &
  Mutations["shift"] &
  Mutations["retire"] &
  Mutations["rollback"] &
  Mutations["correct"] &
  Reads["measure"]["body"] &
  Reads["detect"]["body"] &
  Reads["logs"]["body"] &
  Abandonment

interface Abandonment {
  readonly stacks: ReadonlyArray<StackKey>
  readonly environments: ReadonlyArray<Omit<StackKey, "stack">>
}

interface Work {
  readonly key: string
  readonly operation: string
  readonly startedAt: number
  readonly abort: AbortController
  readonly listeners: Set<(message: string, resource?: string) => void>
  readonly done: Promise<unknown>
}

export class Supervisor {
  readonly #house: House
  readonly #watchdog: Watchdog
  readonly #stacks = new Map<string, Stack>()
  readonly #work = new Map<string, Work>()
  /** The latest call about each stack. */
  readonly #latest = new Map<string, Pick<MutationHeader, "fence" | "order">>()
  readonly #lock: Lock
  readonly #startedAt = Date.now()
  /** Whether missing processes were started. A supervisor that a command started waits for that command's request. */
  #resumed: boolean
  #calls = 0
  #idle: NodeJS.Timeout | undefined
  #ending = false
  #closing = false
  readonly #server = createServer((request, response) => void this.#serve(request, response))

  constructor(directory: string, command: ReadonlyArray<string>, lock: Lock) {
    this.#lock = lock
    const root = realpathSync(directory)
    const { secrets, succeeds } = Secrets.from(process.env)
    this.#resumed = succeeds
    const file = new StateFile(localOf(root))
    this.#watchdog = new Watchdog([...command, directory], secrets, localOf(root))
    this.#house = { root, owner: ownerOf(root), file, secrets, onSecrets: () => this.#watchdog.renew() }
  }

  async run(): Promise<void> {
    const { file, owner, root } = this.#house
    for (const state of Object.values(file.state.stacks)) {
      this.#stacks.set(keyOf(state), new Stack(state, this.#house))
    }
    const known = new Set([...this.#stacks.values()].flatMap(({ state }) => state.instances.map(({ id }) => id)))
    signalAll(
      findMarked(owner, known).filter(({ instance }) => !known.has(instance)),
      "SIGKILL"
    )
    await Promise.all([...this.#stacks.values()].map((stack) => stack.recover(this.#resumed)))
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
    for (const stack of this.#stacks.values()) stack.letGo()
    this.#lock.release()
    rmSync(socketOf(this.#house.root), { force: true })
    const exit = () => process.exit(0)
    setTimeout(exit, 1000)
    this.#watchdog.stop(exit)
  }

  /** Nothing left to hold: ends after a while. */
  #rest(): void {
    clearTimeout(this.#idle)
    if (this.#stacks.size > 0 || this.#calls > 0) return
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
      write({ failed: Operations.reasonOf(error) })
    } finally {
      response.end()
      this.#calls -= 1
      this.#rest()
    }
  }

  async #answer(operation: string, body: Body, write: (line: Line) => void): Promise<unknown> {
    switch (operation) {
      case "ping":
        return { pid: process.pid, stacks: this.#stacks.size }
      case "observe":
        return this.#view(body) satisfies Reads["observe"]["answer"] | null
      case "measure": {
        const stack = this.#stacks.get(keyOf(body))
        return stack === undefined
          ? { requests: 0, errors: 0, latency: null, healthy: null }
          : Operations.measure(stack, body.releaseId, body.windowMillis)
      }
      case "detect": {
        const stack = this.#stacks.get(keyOf(body))
        return stack === undefined ? [] : Operations.detect(stack, body.configDigest)
      }
      case "logs": {
        const { file, root, secrets } = this.#house
        const secret = (name: string) => secrets.get(keyOf(body), name) ?? body.secrets[name]
        return readLogs(root, body, file.state.stacks[keyOf(body)], {
          ...body,
          secret
        }) satisfies Reads["logs"]["answer"]
      }
      case "held":
        return heldBy(this.#house.file.state) satisfies Reads["held"]["answer"]
      case "abandon":
        return this.#abandon(body)
      case "fence":
        await this.#fence(body)
        return null
      case "shutdown":
        await this.#shutdown()
        return null
      default:
        return this.#mutate(operation as keyof Mutations, body, (message, resource) =>
          write(resource === undefined ? { progress: message } : { progress: message, resource })
        )
    }
  }

  async #shutdown(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    await Promise.all(
      [...this.#stacks.values()].map(async (stack) => {
        this.#work.get(stack.key)?.abort.abort()
        await stack.close({ signal: new AbortController().signal, hurry: true })
      })
    )
    setImmediate(() => this.#end())
  }

  /** Stops stacks that no store knows, and forgets the fences that the lost store had shown. */
  async #abandon({ environments, stacks }: Abandonment): Promise<null> {
    const { file } = this.#house
    await Promise.all(
      stacks.map(async (key) => {
        const stack = this.#stacks.get(keyOf(key))
        const work = this.#work.get(keyOf(key))
        work?.abort.abort()
        await work?.done.catch(() => undefined)
        if (stack === undefined) return
        await Operations.destroy(stack, {
          key: "abandon",
          signal: new AbortController().signal,
          progress: () => undefined,
          effect: () => undefined
        })
        await this.#forget(stack)
      })
    )
    for (const { deploymentId, environment } of environments) file.forget(deploymentId, environment)
    await file.save()
    return null
  }

  #view(key: StackKey) {
    const stack = this.#stacks.get(keyOf(key))
    const work = this.#work.get(keyOf(key))
    return (
      stack?.view(
        work === undefined
          ? null
          : {
              id: work.key,
              description: work.operation,
              foreign: false,
              startedAt: work.startedAt
            }
      ) ?? viewAbsent(this.#house.file.fence(key))
    )
  }

  /** Refuses older fences of the environment from now on. The fence is kept with its stacks' fences. */
  async #fence(place: StackKey & Pick<MutationHeader, "fence">): Promise<void> {
    const { file } = this.#house
    refuseOlder(file.fence(place), place.fence)
    file.memory(keyOf(place)).fence = place.fence
    await file.save()
  }

  /** Refuses a call that was sent before one that has arrived: what was given up must not undo what came after it. */
  #refuseLate(id: string, { fence, order }: MutationHeader): void {
    const latest = this.#latest.get(id)
    if (latest?.fence === fence && order < latest.order) {
      refuse({ _tag: "Conflict", message: "a later call of the same holder has been here" })
    }
    if (latest === undefined || fence >= latest.fence) this.#latest.set(id, { fence, order })
  }

  /**
   * One mutation: the same key joins the work in progress, or finds that it was done; another key with a fence that is
   * not older takes over. The lease ensures that there is one caller: the one with the newer fence is the caller now.
   */
  async #mutate(
    operation: keyof Mutations,
    body: Body,
    progress: (message: string, resource?: string) => void
  ): Promise<unknown> {
    const { file, secrets } = this.#house
    const id = keyOf(body)
    this.#refuseLate(id, body)
    for (;;) {
      const memory = file.memory(id)
      refuseOlder(file.fence(body), body.fence)
      if (body.fence > memory.fence) {
        memory.fence = body.fence
        await file.save()
        continue
      }
      if (memory.done.includes(body.idempotencyKey)) return this.#view(body)
      const current = this.#work.get(id)
      if (current === undefined) break
      if (current.key === body.idempotencyKey) {
        current.listeners.add(progress)
        await current.done
        return this.#view(body)
      }
      current.abort.abort()
      await current.done.catch(() => undefined)
    }
    const fresh = secrets.tell(id, body.secrets)
    const abort = new AbortController()
    const listeners = new Set([progress])
    const tell = (message: string, resource?: string) => {
      for (const listener of listeners) listener(message, resource)
    }
    const perform = async () => {
      await this.#resume(operation, body, fresh)
      await this.#perform(operation, body, abort.signal, tell)
    }
    const done = perform().finally(() => this.#work.delete(id))
    done.catch(() => undefined)
    this.#work.set(id, { key: body.idempotencyKey, operation, startedAt: Date.now(), abort, listeners, done })
    await done
    return this.#view(body)
  }

  /**
   * Starts missing processes before the first change of this supervisor, and again for stacks that lacked secrets when
   * there are new ones; not for stacks that are about to be removed.
   */
  async #resume(operation: keyof Mutations, key: StackKey, fresh: boolean): Promise<void> {
    if (fresh) this.#watchdog.renew()
    const own = this.#stacks.get(keyOf(key))
    const others = this.#resumed ? [] : [...this.#stacks.values()].filter((stack) => stack !== own)
    const all = own === undefined || operation === "destroy" || (this.#resumed && !fresh) ? others : [...others, own]
    this.#resumed = true
    await Promise.all(all.map((stack) => stack.resume()))
  }

  async #perform(
    operation: keyof Mutations,
    body: Body,
    signal: AbortSignal,
    progress: (message: string, resource?: string) => void
  ): Promise<void> {
    const { file } = this.#house
    const stack = this.#stackFor(operation, body)
    if (stack !== undefined) {
      const run: Operations.Run = {
        key: body.idempotencyKey,
        signal,
        progress,
        effect: (releaseId) => {
          // A repeat that finishes work from before a crash is the same effect.
          if (stack.state.begun === body.idempotencyKey) return
          stack.state.begun = body.idempotencyKey
          stack.state.lastChangedAt = Date.now()
          file.note(body, { operation, releaseId, fence: body.fence, idempotencyKey: body.idempotencyKey })
        }
      }
      try {
        await this.#carryOut(operation, stack, body, run)
      } catch (error) {
        // An effect that never reached the disk never began.
        if (file.withdraw(body.idempotencyKey)) stack.state.begun = null
        throw error
      } finally {
        if (stack.gone || (stack.state.instances.length === 0 && stack.state.stable === null)) await this.#forget(stack)
      }
    } else if (operation !== "destroy" && !(operation === "rollback" && body.checkpoint.release === null)) {
      refuse({ _tag: "Missing", message: "nothing is deployed" })
    } else if (operation === "destroy") {
      forget(this.#house.root, body)
    }
    await file.remember(keyOf(body), body.idempotencyKey)
  }

  #carryOut(operation: keyof Mutations, stack: Stack, body: Body, run: Operations.Run): Promise<void> {
    switch (operation) {
      case "stage":
        return Operations.stage(stack, body, run)
      case "shift":
        return Operations.shift(stack, body, run)
      case "retire":
        return Operations.retire(stack, body, run)
      case "rollback":
        return Operations.rollback(stack, body, run)
      case "destroy":
        return Operations.destroy(stack, run)
      case "restart":
        return Operations.restart(stack, run)
      case "correct":
        return Operations.correct(stack, body, run)
      default:
        return refuse({ _tag: "Unsupported", message: `no operation ${operation}`, capability: operation })
    }
  }

  #stackFor(operation: keyof Mutations, body: Body): Stack | undefined {
    const known = this.#stacks.get(keyOf(body))
    const brings = operation === "stage" || (operation === "rollback" && body.checkpoint.release !== null)
    if (known !== undefined || !brings) return known
    const { deploymentId, environment, stack } = body
    const made = new Stack(
      {
        deploymentId,
        environment,
        stack,
        port: 0,
        stable: null,
        candidate: null,
        weights: {},
        releases: {},
        instances: [],
        lastChangedAt: Date.now(),
        restarting: null,
        begun: null
      },
      this.#house
    )
    this.#house.file.state.stacks[made.key] = made.state
    this.#stacks.set(made.key, made)
    return made
  }

  async #forget(stack: Stack): Promise<void> {
    if (stack.proxy.port !== undefined) await stack.proxy.close()
    stack.letGo()
    rmSync(releasesOf(this.#house.root, stack.state), { recursive: true, force: true })
    rmSync(stack.logs, { recursive: true, force: true })
    this.#stacks.delete(stack.key)
    this.#house.secrets.forget(stack.key)
    delete this.#house.file.state.stacks[stack.key]
    await this.#house.file.save()
    this.#rest()
  }
}

const refuseOlder = (newest: number, fence: number): void => {
  if (fence < newest) refuse({ _tag: "Fenced", message: `fence ${fence} is older than ${newest}`, fence: newest })
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
