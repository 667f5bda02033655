/**
 * Talks to the supervisor, and starts it if needed.
 */
import { spawn } from "node:child_process"
import { closeSync, existsSync, mkdirSync, openSync, realpathSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import type { ProviderReason } from "@signalbox/core/spi"
import { call, type Cut, isCut } from "./SupervisorCall.ts"
import { isHeld, owner, wasHeld } from "./supervisor/Lock.ts"
import { localOf, socketOf } from "./supervisor/Paths.ts"
import { marker } from "./supervisor/instance/Processes.ts"
import {
  type Held,
  type MutationHeader,
  type Mutations,
  type Reads,
  Refusal,
  type StackKey,
  type StackView
} from "./supervisor/Protocol.ts"
import { unmarked } from "./supervisor/instance/Spawn.ts"
import { keyOf, readState, type State } from "./supervisor/State.ts"
import { readLogs } from "./supervisor/Logs.ts"
import { detectStopped, heldBy, measureStopped, viewStopped } from "./supervisor/Stopped.ts"

const lookMillis = 20
/** 15 seconds, with a start every 3. */
const startLooks = 750
const startEvery = 150
const attemptsMax = 8
const nothing = { requests: 0, errors: 0, latency: null, healthy: null }

/**
 * How the supervisor is started: `command`, with the directory appended, must end in `runSupervisor(directory)`.
 *
 * *Details*: by default this package's own entry, run by the current Node. If you bundle this package into one file,
 * pass `[process.execPath, file, "__supervisor"]` or similar.
 */
export interface SupervisorOptions {
  readonly command: ReadonlyArray<string>
}

const ownEntry = (): ReadonlyArray<string> => {
  const source = import.meta.url.endsWith(".ts")
  const entry = fileURLToPath(new URL(source ? "./supervisor/main.ts" : "./supervisor/main.js", import.meta.url))
  return [process.execPath, ...(source ? ["--conditions=@signalbox/source"] : []), entry]
}

export class Client {
  readonly directory: string
  readonly #options: SupervisorOptions | undefined

  constructor(directory: string, options: SupervisorOptions | undefined) {
    this.directory = resolve(directory)
    this.#options = options
  }

  /** Whether there is anything for a supervisor to hold. */
  get holdsStacks(): boolean {
    try {
      return Object.keys(readState(localOf(this.directory)).stacks).length > 0
    } catch {
      return false
    }
  }

  observe(key: StackKey): Effect.Effect<StackView | null, ProviderReason> {
    return this.#read("observe", key, (state) => viewStopped(state, key))
  }

  measure(key: StackKey, body: Reads["measure"]["body"]): Effect.Effect<Reads["measure"]["answer"], ProviderReason> {
    return this.#read("measure", { ...key, ...body }, ({ stacks }) => {
      const state = stacks[keyOf(key)]
      return state === undefined ? nothing : measureStopped(state, body.releaseId)
    })
  }

  detect(key: StackKey, body: Reads["detect"]["body"]): Effect.Effect<Reads["detect"]["answer"], ProviderReason> {
    return this.#read("detect", { ...key, ...body }, ({ stacks }) => {
      const state = stacks[keyOf(key)]
      return state === undefined ? [] : detectStopped(state, body.configDigest)
    })
  }

  /** Without a supervisor, only the caller's secrets are known. */
  logs(key: StackKey, body: Reads["logs"]["body"]): Effect.Effect<Reads["logs"]["answer"], ProviderReason> {
    return this.#read("logs", { ...key, ...body }, ({ stacks }) =>
      readLogs(this.directory, key, stacks[keyOf(key)], { ...body, secret: (name) => body.secrets[name] })
    )
  }

  /** Everything that the supervisor has, whatever any store knows of it. */
  get held(): Effect.Effect<Held, ProviderReason> {
    return this.#read("held", {}, heldBy)
  }

  /** Stops stacks, and forgets the fences of environments from a lost store. */
  abandon(body: {
    readonly stacks: ReadonlyArray<StackKey>
    readonly environments: ReadonlyArray<Omit<StackKey, "stack">>
  }): Effect.Effect<void, ProviderReason> {
    return Effect.asVoid(this.#again(call(this.directory, "abandon", body)))
  }

  /**
   * Executes a mutation. If a supervisor dies in the middle of it, the call waits and retries: the key makes it the
   * same mutation. `guard` runs before every attempt.
   */
  mutate<Operation extends keyof Mutations, E>(
    operation: Operation,
    header: Omit<MutationHeader, "order">,
    body: Mutations[Operation],
    options: {
      readonly guard: Effect.Effect<void, E>
      readonly progress: (message: string, resource?: string) => Effect.Effect<void>
    }
  ): Effect.Effect<StackView | null, ProviderReason | E> {
    const attempt = Effect.suspend(() => {
      const order = Number(process.hrtime.bigint() / 1_000n)
      return call(this.directory, operation, { ...header, order, ...body }, options.progress)
    }) as Effect.Effect<StackView | null, ProviderReason | Cut>
    return this.#again(Effect.andThen(options.guard, attempt))
  }

  /** Makes the supervisor refuse older callers. The supervisor is started for that, because it outlives the caller. */
  fence(place: StackKey, fence: number): Effect.Effect<void, ProviderReason> {
    return Effect.asVoid(this.#again(call(this.directory, "fence", { ...place, fence }))) as Effect.Effect<
      void,
      ProviderReason
    >
  }

  /**
   * Stops all processes and the supervisor. It waits for a supervisor that is just being replaced, and if only its
   * processes are left, starts another one to end them.
   */
  readonly stop: Effect.Effect<void, ProviderReason> = Effect.gen({ self: this }, function* () {
    const local = localOf(this.directory)
    for (let attempt = 0; existsSync(local) && attempt < (owner(local) === undefined ? 20 : 200); attempt++) {
      const answer = yield* Effect.catchIf(call(this.directory, "shutdown", {}), isCut, () =>
        Effect.succeed("cut" as const)
      )
      if (answer !== "cut") return
      if (!wasHeld(local) && !this.holdsStacks) return
      yield* Effect.sleep(50)
    }
    if (!this.holdsStacks) return
    yield* this.#again(call(this.directory, "shutdown", {}))
  }) as Effect.Effect<void, ProviderReason>

  /**
   * Asks the supervisor, or reads its state if there is none: a query starts nothing. If it was just killed, this waits
   * for its watchdog to replace it.
   */
  #read<A>(operation: keyof Reads, body: object, stopped: (state: State) => A): Effect.Effect<A, ProviderReason> {
    const local = localOf(this.directory)
    const asked = call(this.directory, operation, body) as Effect.Effect<A, ProviderReason | Cut>
    const loop = (left: number): Effect.Effect<A, ProviderReason> =>
      Effect.catchIf(asked, isCut, (): Effect.Effect<A, ProviderReason> => {
        if (!isHeld(local)) return Effect.try({ try: () => stopped(readState(local)), catch: unreadable })
        return left === 0
          ? Effect.fail({ _tag: "Unavailable", message: "the supervisor does not answer" })
          : Effect.andThen(Effect.sleep(lookMillis), loop(left - 1))
      }) as Effect.Effect<A, ProviderReason>
    return loop(startLooks)
  }

  /** Calls the supervisor; if it does not answer or dies meanwhile, starts one and calls again. */
  #again<A, E>(attempt: Effect.Effect<A, E | Cut>): Effect.Effect<A, Exclude<E, Cut> | ProviderReason> {
    const loop = (left: number): Effect.Effect<A, E | Cut | ProviderReason> =>
      Effect.catchIf(attempt, isCut, (): Effect.Effect<A, E | Cut | ProviderReason> =>
        left === 0
          ? Effect.fail({ _tag: "Unavailable", message: "the supervisor does not answer" })
          : Effect.andThen(this.#ensure(), loop(left - 1))
      )
    return loop(attemptsMax) as Effect.Effect<A, Exclude<E, Cut> | ProviderReason>
  }

  /** Ensures that a supervisor answers. Several callers may start one at once: one of them gets the lock. */
  #ensure(): Effect.Effect<void, ProviderReason> {
    return Effect.gen({ self: this }, function* () {
      // After a kill, the watchdog is faster than a new process.
      for (let look = 0; look < startLooks; look++) {
        if (yield* this.#answers()) return
        if (look % startEvery === (wasHeld(localOf(this.directory)) ? 5 : 0)) {
          yield* Effect.try({
            try: () => this.#start(),
            catch: (error): ProviderReason => ({
              _tag: "Unavailable",
              message: `the supervisor cannot be started: ${error instanceof Error ? error.message : String(error)}`
            })
          })
        }
        yield* Effect.sleep(lookMillis)
      }
      return yield* Effect.fail<ProviderReason>({
        _tag: "Unavailable",
        message: `the supervisor does not start; see ${join(localOf(this.directory), "supervisor.log")}`
      })
    })
  }

  #answers(): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      if (!existsSync(this.directory) || !existsSync(socketOf(realpathSync(this.directory))))
        return Effect.succeed(false)
      return Effect.match(
        Effect.timeoutOrElse(call(this.directory, "ping", {}), {
          duration: 2000,
          orElse: () => Effect.fail<Cut>({ _tag: "Cut" })
        }),
        { onFailure: () => false, onSuccess: () => true }
      )
    })
  }

  #start(): void {
    const local = localOf(this.directory)
    // A new folder is kept out of commits; an existing one stays as it is.
    if (mkdirSync(this.directory, { recursive: true, mode: 0o700 }) !== undefined)
      writeFileSync(join(this.directory, ".gitignore"), "*\n", { mode: 0o600 })
    mkdirSync(local, { recursive: true, mode: 0o700 })
    const [program, ...args] = this.#options?.command ?? ownEntry()
    const log = openSync(join(local, "supervisor.log"), "a", 0o600)
    try {
      // Without the marks: a supervisor started from within an instance is not part of that instance.
      const { [marker.owner]: _owner, [marker.instance]: _instance, ...env } = process.env
      // Nor the inherited mark.
      const [shell, ...command] = unmarked([program!, ...args, this.directory])
      const child = spawn(shell, command, {
        detached: true,
        stdio: ["ignore", log, log],
        cwd: this.directory,
        env
      })
      child.on("error", () => undefined)
      child.unref()
    } finally {
      closeSync(log)
    }
  }
}

const unreadable = (error: unknown): ProviderReason =>
  error instanceof Refusal
    ? error.reason
    : {
        _tag: "Unexpected",
        message: `the supervisor's state cannot be read: ${error instanceof Error ? error.message : String(error)}`
      }
