/** What a simulated schedule is watched with: the trace of what happened, and the first thing that must not. */
import type { World } from "../world/World.ts"

/**
 * What must always hold; the first six are those of the design, checked after every append and every effect.
 *
 * *Details*: `one_mutator` effects and appends only by the present holder of the lease, tokens never go down ·
 * `journal_first` an effect has an intent and no receipt yet, no step's effect twice · `log_is_truth` no gaps, nothing
 * illegal, states are the fold of events · `no_teardown_on_faith` capacity goes only after observed traffic · `typed_verdicts`
 * only a pass, or a person, promotes · `failure_goes_back` to the checkpoints, dependents first, irreversible never ·
 * `in_turn` rollbacks first, but not for ever, then first come, first served; who was withdrawn, is held or vetoed does not
 * begin; the latest alone waits where it wins · `no_defects` the engine met no defect · `everything_ends` every execution comes to its end, which is told once and with it, the record agrees with the
 * clouds · `as_its_twin` and it is the end that it has without interruptions · `data_only` events hold no sentence of ours.
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

/** A rule that did not hold: which one, and when. */
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
  /** Appends and effects so far. */
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

  /** Says that something must hold. */
  hold(condition: boolean, invariant: Invariant, message: () => string): void {
    if (!condition) this.violate(invariant, message())
  }
}
