import { describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import { deploymentMachine, executionMachine, Machine, stackMachine, stageMachine } from "../../src/domain/index.ts"

const machines: ReadonlyArray<Machine.Machine<string, string>> = [
  deploymentMachine,
  stackMachine,
  executionMachine,
  stageMachine
]

const follows = (machine: Machine.Machine<string, string>, state: string): ReadonlyArray<string> =>
  machine.triggers.flatMap((trigger) => Option.toArray(Machine.next(machine, state, trigger)))

const reachable = (machine: Machine.Machine<string, string>, from: string): ReadonlySet<string> => {
  const seen = new Set([from])
  for (const state of seen) for (const next of follows(machine, state)) seen.add(next)
  return seen
}

describe.each(machines.map((machine) => [machine.name, machine] as const))("the %s machine", (_, machine) => {
  it("has one next state at most for a state and a trigger", () => {
    const pairs = machine.transitions.flatMap(({ from, on }) => from.map((state) => `${state} ${on}`))
    expect(pairs).toEqual([...new Set(pairs)])
  })

  it("names states of its own alone", () => {
    const named = machine.transitions.flatMap(({ from, to }) => [...from, to])
    expect(machine.states).toEqual(expect.arrayContaining([...named, machine.initial, ...machine.terminal]))
    expect(machine.states).toEqual([...new Set(machine.states)])
  })

  it("reaches every state", () => {
    expect([...reachable(machine, machine.initial)].toSorted()).toEqual(machine.states.toSorted())
  })

  it("has no way out of a terminal state, and one out of every other", () => {
    expect(machine.states.filter((state) => follows(machine, state).length === 0)).toEqual(machine.terminal)
  })

  it("reaches an end from everywhere, if it has one", () => {
    const stuck = machine.states.filter(
      (state) => ![...reachable(machine, state)].some((other) => machine.terminal.includes(other))
    )
    expect(stuck).toEqual(machine.terminal.length === 0 ? machine.states : [])
  })

  it.prop(
    "never leaves its states, whatever triggers come",
    [Schema.Array(Schema.Literals(machine.triggers))],
    ([triggers]) => {
      let state = machine.initial
      for (const trigger of triggers) {
        const next = Machine.next(machine, state, trigger)
        if (Machine.isTerminal(machine, state)) expect(next).toEqual(Option.none())
        state = Option.getOrElse(next, () => state)
        expect(machine.states).toContain(state)
      }
    }
  )

  it("is drawn with one arrow for each transition", () => {
    const lines = Machine.toMermaid(machine).split("\n")
    expect(lines[0]).toBe("stateDiagram-v2")
    expect(lines).toContain(`  [*] --> ${machine.initial}`)
    const arrows = machine.transitions.flatMap(({ from, on, to }) => from.map((state) => `  ${state} --> ${to}: ${on}`))
    expect(lines.toSorted()).toEqual(
      [
        "stateDiagram-v2",
        `  [*] --> ${machine.initial}`,
        ...arrows,
        ...machine.terminal.map((state) => `  ${state} --> [*]`)
      ].toSorted()
    )
  })
})

describe("a table", () => {
  it("is refused when a state has two transitions on one trigger", () => {
    expect(() =>
      Machine.make({
        name: "door",
        initial: "open",
        states: ["open", "closed", "locked"],
        terminal: [],
        transitions: [
          { from: ["open", "locked"], on: "pushed", to: "closed" },
          { from: ["open"], on: "pushed", to: "locked" }
        ]
      })
    ).toThrow("door: two transitions from open on pushed")
  })

  it("is refused when it leaves a terminal state", () => {
    expect(() =>
      Machine.make({
        name: "door",
        initial: "open",
        states: ["open", "bricked"],
        terminal: ["bricked"],
        transitions: [{ from: ["bricked"], on: "pushed", to: "open" }]
      })
    ).toThrow("door: bricked is terminal")
  })
})
