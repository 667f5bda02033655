/** Watches a simulated schedule: the trace of what happened, and the first violation. */
import type { World } from "../world/World.ts"

/**
 * The invariants; the first six come from the design, and are checked after every append and every effect.
 *
 * *Details*: `one_mutator` effects and appends only by the current lease holder, tokens never decrease ·
 * `journal_first` an effect has an intent and no receipt yet, no step has its effect twice · `log_is_truth` no gaps,
 * nothing illegal, states are the fold of events · `no_teardown_on_faith` capacity is removed only after the observed
 * traffic · `typed_verdicts` only a pass, or a person, promotes, and a stack
 * starts after the proof of its dependencies · `failure_goes_back` to the checkpoints, dependents
 * first, irreversible never · `in_turn` rollbacks first, but not forever, then first come, first served; a withdrawn,
 * locked-out or vetoed request does not begin; with `latest_wins` only the latest waits · `no_defects` the engine has
 * no defect · `everything_ends` every execution ends, the end is reported once and with it, and the record matches the
 * clouds · `as_its_twin` its end is the same as without interruptions · `data_only` events
 * hold no sentence of ours.
 */
export type Invariant =
  | "one_mutator"
  | "journal_first"
  | "log_is_truth"
  | "no_teardown_on_faith"
  | "typed_verdicts"
  | "failure_goes_back"
  | "in_turn"
  | "no_defects"
  | "everything_ends"
  | "as_its_twin"
  | "data_only"
  | "custom"

/** A violation: which invariant, and when. */
export interface Violation {
  readonly invariant: Invariant
  readonly message: string
  /** Milliseconds of virtual time. */
  readonly at: number
  readonly step: number
}

export class Monitor {
  readonly trace: Array<string> = []
  violation: Violation | undefined
  /** Number of appends and effects so far. */
  steps = 0
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  say(line: string): void {
    this.trace.push(`${(this.#world.now / 1_000).toFixed(3)} ${line}`)
  }

  violate(invariant: Invariant, message: string): void {
    if (this.violation !== undefined) return
    this.violation = { invariant, message, at: this.#world.now, step: this.steps }
    this.say(`!! ${invariant}: ${message}`)
  }

  /** Asserts an invariant. */
  hold(condition: boolean, invariant: Invariant, message: () => string): void {
    if (!condition) this.violate(invariant, message())
  }
}
