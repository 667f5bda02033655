/**
 * The machine under a simulation: virtual time, processes that can be killed and stopped, and one order of all events.
 * Everything runs synchronously; if several tasks are ready, the next one is drawn from a seed.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { CurrentLoggers } from "effect/Logger"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import type { Chance } from "./Chance.ts"
import { chance } from "./Chance.ts"

/** A simulated process. Its fibers are its memory: they run only while it does. */
export interface Process {
  readonly name: string
  /** Which of the simulated machines it runs on; -1 for those outside. */
  readonly slot: number
  /** The services of its fibers: clock, scheduler, randomness. */
  readonly context: Context.Context<never>
  state: "running" | "stopped" | "dead"
  /** What was due in it while it was stopped. */
  readonly missed: Array<() => void>
}

interface Timer {
  readonly at: number
  readonly order: number
  readonly process: Process | undefined
  readonly run: () => void
  cancelled: boolean
}

interface Task {
  readonly process: Process
  readonly run: () => void
}

const before = (left: Timer, right: Timer) => left.at < right.at || (left.at === right.at && left.order < right.order)

/** Timers by time, then by creation. */
class Timers {
  readonly #heap: Array<Timer> = []

  push(timer: Timer): void {
    const heap = this.#heap
    let index = heap.push(timer) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!before(timer, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = timer
  }

  pop(): Timer | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || first === last) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
    return first
  }
}

/** Virtual time and the processes in it. */
export class World {
  /** Milliseconds of virtual time. */
  now = 1_000
  /** How many tasks and timers ran. */
  turns = 0
  readonly #timers = new Timers()
  readonly #ready: Array<Task> = []
  readonly #order: Chance
  readonly #seed: number
  readonly #shuffle: number
  #timersSet = 0

  /** `shuffle` is the probability that a ready task other than the first runs next. */
  constructor(seed: number, shuffle: number) {
    this.#seed = seed
    this.#shuffle = shuffle
    this.#order = chance(seed, "order")
  }

  /** Runs `run` later: in a process, or (undefined) outside all processes. Returns a function that cancels it. */
  after(millis: number, process: Process | undefined, run: () => void): () => void {
    // Computers count whole milliseconds.
    const timer: Timer = { at: this.now + Math.ceil(millis), order: this.#timersSet++, process, run, cancelled: false }
    this.#timers.push(timer)
    return () => {
      timer.cancelled = true
    }
  }

  /** Runs `run` in the process: now if it runs, when it continues if it is stopped, never if it is dead. */
  within(process: Process | undefined, run: () => void): void {
    if (process === undefined || process.state === "running") run()
    else if (process.state === "stopped") process.missed.push(run)
  }

  process(name: string, slot: number): Process {
    const draws = chance(this.#seed, `process/${name}`)
    const process: Process = {
      name,
      slot,
      state: "running",
      missed: [],
      context: Context.empty()
    }
    const context = Context.empty().pipe(
      Context.add(Clock.Clock, this.#clock(process)),
      Context.add(Scheduler.Scheduler, this.#scheduler(process)),
      Context.add(CurrentLoggers, new Set()),
      Context.add(Random.Random, {
        nextIntUnsafe: () => Math.floor((draws.next() - 0.5) * Number.MAX_SAFE_INTEGER),
        nextDoubleUnsafe: draws.next
      })
    ) as Context.Context<never>
    return Object.assign(process, { context })
  }

  /** Starts a fiber in a process. `ended` is called in the process. */
  fork<A, E>(
    process: Process,
    effect: Effect.Effect<A, E>,
    ended?: (exit: Exit.Exit<A, E>) => void
  ): { readonly interrupt: () => void } {
    let fiber: Fiber.Fiber<A, E> | undefined
    let interrupted = false
    this.#ready.push({
      process,
      run: () => {
        if (interrupted) return
        fiber = Effect.runForkWith(process.context)(effect)
        if (ended !== undefined) fiber.addObserver(ended)
      }
    })
    return {
      interrupt: () => {
        interrupted = true
        if (fiber !== undefined) this.within(process, () => fiber!.interruptUnsafe())
      }
    }
  }

  /** None of its instructions run from now on, and no finalizers; messages that it sent are on their way. */
  kill(process: Process): void {
    process.state = "dead"
    process.missed.length = 0
  }

  /** SIGSTOP. */
  stop(process: Process): void {
    if (process.state === "running") process.state = "stopped"
  }

  /** SIGCONT: everything that was due meanwhile happens now, in order. */
  continue(process: Process): void {
    if (process.state !== "stopped") return
    process.state = "running"
    for (const run of process.missed.splice(0)) this.#ready.push({ process, run })
  }

  /** Runs the next task, or the next timer if no task is ready. Returns whether there was anything to run. */
  turn(): boolean {
    this.turns++
    const task = this.#next()
    if (task !== undefined) {
      this.within(task.process, task.run)
      return true
    }
    let timer = this.#timers.pop()
    while (timer !== undefined && (timer.cancelled || timer.process?.state === "dead")) timer = this.#timers.pop()
    if (timer === undefined) return false
    this.now = Math.max(this.now, timer.at)
    this.within(timer.process, timer.run)
    return true
  }

  #next(): Task | undefined {
    const ready = this.#ready
    if (ready.length > 1 && this.#shuffle > 0 && this.#order.yes(this.#shuffle)) {
      return ready.splice(this.#order.int(0, ready.length - 1), 1)[0]
    }
    return ready.shift()
  }

  #scheduler(process: Process): Scheduler.Scheduler {
    const dispatcher: Scheduler.SchedulerDispatcher = {
      scheduleTask: (run) => void this.#ready.push({ process, run }),
      flush: () => {}
    }
    return {
      executionMode: "async",
      shouldYield: (fiber) => fiber.currentOpCount >= 2_048,
      makeDispatcher: () => dispatcher
    }
  }

  #clock(process: Process): Clock.Clock {
    const nanos = () => BigInt(Math.round(this.now * 1_000_000))
    return {
      currentTimeMillisUnsafe: () => this.now,
      currentTimeMillis: Effect.sync(() => this.now),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos),
      monotonicTimeNanosUnsafe: nanos,
      monotonicTimeNanos: Effect.sync(nanos),
      sleep: (duration) => {
        const millis = Duration.toMillis(duration)
        if (millis <= 0) return Effect.yieldNow
        if (!Number.isFinite(millis)) return Effect.never
        return Effect.callback<void>((resume) => Effect.sync(this.after(millis, process, () => resume(Effect.void))))
      }
    }
  }
}
