/**
 * Wrapped commands: separate processes, which survive when their runner dies or stands still, until they are told to
 * end or the last deadline that they know has passed.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { causeInfo } from "../../../domain/errors/index.ts"
import { environmentLeaseKey } from "../../../spi/LeaseKey.ts"
import type { CommandOutcome, CommandExecution } from "../../../engine/execution/CommandExecution.ts"
import type { Log } from "../invariants/Log.ts"
import type { Monitor } from "../invariants/Monitor.ts"
import type { Process, World } from "./World.ts"

export class WrappedCommands {
  readonly #world: World
  readonly #monitor: Monitor
  readonly #log: Log
  readonly #begun = new Set<string>()
  /** Which command runs under a lease. */
  readonly #inside = new Map<string, string>()

  constructor(world: World, monitor: Monitor, log: Log) {
    this.#world = world
    this.#monitor = monitor
    this.#log = log
  }

  /** A command that takes `lasts` milliseconds and ends with `code`, as started by a runner in `process`. */
  command(process: Process, lasts: number, code: number): CommandExecution {
    return ({ correlationId, deadlines, stopped }) =>
      Effect.callback<CommandOutcome>((resume) => {
        const lock = this.#lockOf(correlationId)
        let until: number | undefined
        let over = false
        const end = (how: Omit<CommandOutcome, "asked">, asked = false) => {
          if (over) return
          over = true
          this.#leave(lock, correlationId)
          this.#world.after(1, process, () => resume(Effect.succeed({ ...how, asked })))
        }
        const killed = { code: null, signal: "SIGKILL", cause: causeInfo("lease_not_renewed", {}) }
        const guard = (): void => {
          if (over || until === undefined) return
          if (this.#world.now >= until) end(killed)
          else this.#world.after(until - this.#world.now, undefined, guard)
        }
        const hears = (deadline: number) =>
          Effect.sync(() => {
            const first = until === undefined
            until = deadline
            if (first && deadline > this.#world.now) {
              this.#enter(process, lock, correlationId)
              this.#world.after(lasts, undefined, () => end({ code, signal: null }))
            }
            guard()
          })
        const listening = Effect.raceFirst(
          Stream.runForEach(deadlines, hears),
          Effect.andThen(
            stopped,
            Effect.andThen(
              Effect.sleep("200 millis"),
              Effect.sync(() => end({ code: 130, signal: null }, true))
            )
          )
        )
        const { interrupt } = this.#world.fork(process, Effect.andThen(listening, Effect.never))
        return Effect.sync(interrupt)
      })
  }

  #lockOf(id: string): string {
    const state = this.#log.executions.get(id)?.state
    return state === undefined ? "" : environmentLeaseKey(state.deploymentId, state.environment)
  }

  #enter(process: Process, lock: string, id: string): void {
    const monitor = this.#monitor
    monitor.steps++
    monitor.say(`${process.name} starts the command of ${id}`)
    const other = this.#inside.get(lock)
    monitor.hold(!this.#begun.has(id), "journal_first", () => `the command of ${id} is started a second time`)
    monitor.hold(
      other === undefined,
      "one_mutator",
      () => `the command of ${id} is started while the command of ${other} runs under ${lock}`
    )
    this.#begun.add(id)
    this.#inside.set(lock, id)
    this.#held(lock, id, "is started")
  }

  #leave(lock: string, id: string): void {
    if (this.#inside.get(lock) !== id) return
    this.#monitor.say(`the command of ${id} ends`)
    this.#inside.delete(lock)
    this.#held(lock, id, "ends")
  }

  /** No other lease can have existed between the two: the token would have changed. */
  #held(lock: string, id: string, what: string): void {
    const lease = this.#log.leases.get(lock)
    this.#monitor.hold(
      lease?.holder === id && lease.expiresAt >= this.#world.now,
      "one_mutator",
      () =>
        `the command of ${id} ${what} ${lease?.holder === id ? "after its lease" : `while ${lease?.holder} has ${lock}`}`
    )
  }
}
