/**
 * The time of a simulator: it runs faster than the real one, or only when it is told to.
 */

interface Task {
  readonly due: number
  readonly work: () => void | Promise<void>
}

/** Longer than a timer of Node can wait. */
const farAway = 2 ** 30

export class SimulatedClock {
  readonly #scale: number
  readonly #began = performance.now()
  readonly #start: number
  readonly #tasks: Array<Task> = []
  #ahead = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #advancing: Promise<void> = Promise.resolve()

  /** `scale` is how many simulated milliseconds a real one has; with 0 the time stands still between advances. */
  constructor(scale: number, start = Date.now()) {
    this.#scale = scale
    this.#start = start
  }

  readonly now = (): number => Math.floor(this.#start + (performance.now() - this.#began) * this.#scale + this.#ahead)

  /** How long that takes in real time, for limits of real sockets: never below `least`. */
  real(millis: number, least: number): number {
    return this.#scale === 0 ? least : Math.max(least, millis / this.#scale)
  }

  /** Does the work later, and returns a function that prevents it. */
  after(millis: number, work: Task["work"]): () => void {
    const task = { due: this.now() + millis, work }
    const at = this.#tasks.findIndex(({ due }) => due > task.due)
    this.#tasks.splice(at === -1 ? this.#tasks.length : at, 0, task)
    this.#wait()
    return () => {
      const at = this.#tasks.indexOf(task)
      if (at !== -1) this.#tasks.splice(at, 1)
    }
  }

  /** Repeats the work, each time after the work before has ended. */
  every(millis: number, work: Task["work"]): () => void {
    let cancel = () => {}
    let ended = false
    const next = () => {
      if (ended) return
      cancel = this.after(millis, async () => {
        try {
          await work()
        } finally {
          next()
        }
      })
    }
    next()
    return () => {
      ended = true
      cancel()
    }
  }

  /** Turns the clock forward, and does what is due until then, in order. Resolves when that is done. */
  advance(millis: number): Promise<void> {
    this.#advancing = this.#advancing.then(async () => {
      const until = this.now() + millis
      while (this.#tasks[0] !== undefined && this.#tasks[0].due <= until) {
        const { due, work } = this.#tasks.shift()!
        this.#ahead += Math.max(0, due - this.now())
        await work()
      }
      this.#ahead += Math.max(0, until - this.now())
      this.#wait()
    })
    return this.#advancing
  }

  close(): void {
    this.#tasks.length = 0
    clearTimeout(this.#timer)
  }

  #wait(): void {
    clearTimeout(this.#timer)
    const first = this.#tasks[0]
    if (first === undefined || this.#scale === 0) return
    this.#timer = setTimeout(
      () => {
        const due = this.#tasks.filter((task) => task.due <= this.now())
        this.#tasks.splice(0, due.length)
        for (const { work } of due) void work()
        this.#wait()
      },
      Math.min(farAway, Math.max(0, (first.due - this.now()) / this.#scale))
    )
  }
}
