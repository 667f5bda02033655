/**
 * State machines as data: one table defines the transitions, and the diagrams in the docs are drawn from it.
 */
import * as Option from "effect/Option"

/**
 * One row of a transition table: any of `from`, on `on`, becomes `to`.
 */
export interface Transition<State extends string, Trigger extends string> {
  readonly from: ReadonlyArray<State>
  readonly on: Trigger
  readonly to: State
}

/**
 * A deterministic state machine: for a state and a trigger there is at most one next state.
 */
export interface Machine<State extends string, Trigger extends string> {
  readonly name: string
  readonly initial: State
  readonly states: ReadonlyArray<State>
  readonly terminal: ReadonlyArray<State>
  readonly triggers: ReadonlyArray<Trigger>
  readonly transitions: ReadonlyArray<Transition<State, Trigger>>
}

/**
 * Builds a machine from its table.
 *
 * *Errors*: throws while the module loads if the table is ambiguous or leaves a terminal state; both are mistakes in the
 * table itself, never in input.
 */
export const make = <const State extends string, const Trigger extends string>(options: {
  readonly name: string
  readonly initial: NoInfer<State>
  readonly states: ReadonlyArray<State>
  readonly terminal: ReadonlyArray<NoInfer<State>>
  readonly transitions: ReadonlyArray<Transition<NoInfer<State>, Trigger>>
}): Machine<State, Trigger> => {
  const seen = new Set<string>()
  for (const { from, on } of options.transitions) {
    for (const state of from) {
      if (seen.has(`${state} ${on}`)) throw new Error(`${options.name}: two transitions from ${state} on ${on}`)
      if (options.terminal.includes(state)) throw new Error(`${options.name}: ${state} is terminal`)
      seen.add(`${state} ${on}`)
    }
  }
  return { ...options, triggers: [...new Set(options.transitions.map((transition) => transition.on))] }
}

/**
 * The next state, or none if the table has no such transition.
 */
export const next = <State extends string, Trigger extends string>(
  machine: Machine<State, Trigger>,
  state: State,
  trigger: Trigger
): Option.Option<State> => {
  const row = machine.transitions.find(({ from, on }) => on === trigger && from.includes(state))
  return row === undefined ? Option.none() : Option.some(row.to)
}

/**
 * Whether `state` is terminal.
 */
export const isTerminal = <State extends string, Trigger extends string>(
  machine: Machine<State, Trigger>,
  state: State
): boolean => machine.terminal.includes(state)

/**
 * Draws the table as a Mermaid state diagram.
 */
export const toMermaid = <State extends string, Trigger extends string>(machine: Machine<State, Trigger>): string =>
  [
    "stateDiagram-v2",
    `  [*] --> ${machine.initial}`,
    ...machine.transitions.flatMap(({ from, on, to }) => from.map((state) => `  ${state} --> ${to}: ${on}`)),
    ...machine.terminal.map((state) => `  ${state} --> [*]`)
  ].join("\n")
