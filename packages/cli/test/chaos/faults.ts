/** The fault of an operation, drawn from a seed; and where its journal may be cut. */
import type { Chance } from "./chance.ts"
import type { Note } from "./evidence.ts"
import type { Disturbance } from "./program.ts"
import type { Kind, Scenario } from "./scenario.ts"

const mutating = "(stage|shift|retire|rollback|destroy)"

/** The places where the command is killed, by the labels of their boundaries. */
export const places = {
  "before intent": /^before intent\//,
  "between intent and effect": new RegExp(`^(after intent/${mutating}|call |connected )`),
  "between effect and receipt": new RegExp(`^(sent |answered |before receipt/${mutating})`),
  "after receipt": /^after receipt\//,
  "inside a transaction": /^within /,
  "inside a rollback": /rollback/,
  "inside a bake": /^after (verdict|intent\/watch)\//,
  "paused for a person": /^after (ask\/|intent\/ask\/|execution\/paused|stage\/.*\/waiting)/,
  anywhere: /^(before|after|within|call|connected|sent|answered) /
} as const
export type Place = keyof typeof places

export type Fault =
  | { readonly kind: "boundary"; readonly place: Place; readonly disturbance: Disturbance }
  | { readonly kind: "random"; readonly after: number }
  | { readonly kind: "sleep"; readonly disturbance: Disturbance; readonly wake: "while" | "after" }
  | { readonly kind: "supervisor"; readonly after: ReadonlyArray<number> }
  | { readonly kind: "together"; readonly after: number }
  | { readonly kind: "crowd"; readonly others: number; readonly same: boolean }
  | { readonly kind: "full"; readonly disturbance: Disturbance | null }
  | { readonly kind: "read-only" }
  | { readonly kind: "clock"; readonly disturbance: Disturbance }

export type FaultKind = Fault["kind"]

/** In the order in which runs take them. */
export const order: ReadonlyArray<readonly [FaultKind, Place?]> = [
  ["boundary", "before intent"],
  ["boundary", "between intent and effect"],
  ["sleep"],
  ["boundary", "inside a rollback"],
  ["supervisor"],
  ["boundary", "paused for a person"],
  ["full"],
  ["clock"],
  ["crowd"],
  ["boundary", "between effect and receipt"],
  ["together"],
  ["read-only"],
  ["random"],
  ["boundary", "after receipt"],
  ["boundary", "inside a bake"],
  ["boundary", "inside a transaction"],
  ["sleep"],
  ["boundary", "between intent and effect"],
  ["boundary", "between effect and receipt"],
  ["random"],
  ["supervisor"],
  ["boundary", "inside a rollback"],
  ["clock"],
  ["boundary", "anywhere"],
  ["crowd"]
]

export const faultKinds = [...new Set(order.map(([kind]) => kind))]

/** What wants small and read-only file systems, where this process may not mount them. */
export const unmountable = (): ReadonlyArray<FaultKind> => (process.getuid?.() === 0 ? [] : ["full", "read-only"])

const goesBack: ReadonlyArray<Kind> = ["broken", "erroring", "rollback"]

/** Whether a fault means something for a scenario. */
export const fits = ([kind, place]: readonly [FaultKind, Place?], scenario: Scenario): boolean => {
  if (place === "inside a rollback") return goesBack.includes(scenario.kind)
  if (place === "inside a bake") return scenario.kind === "deploy" || scenario.kind === "erroring"
  if (place === "paused for a person") return scenario.asks
  // Another execution takes over and ends where the first one should have: at the same version.
  if (kind === "sleep") return scenario.kind === "deploy" && !scenario.asks
  // Twice the same must be the same as once.
  if (kind === "crowd") return scenario.kind !== "rollback" && scenario.kind !== "destroy" && !scenario.asks
  return true
}

/** Labels that come again in every run: without times and numbers that differ. */
const stable = (notes: ReadonlyArray<Note>): ReadonlyArray<string> => [
  ...new Set(
    notes.flatMap(({ label }) =>
      label === undefined || /^\w+ progress\//.test(label) || /(set-aside|closing)\//.test(label)
        ? []
        : [label.replace(/(paused-or-resumed|verdict\/[^/]+\/[^/]+)\/\d+$/, "$1/")]
    )
  )
]

/** Boundaries at which the store is not locked: a process that sleeps there holds up no other. */
const idle = /^(call|connected|sent|answered|after (intent|receipt|verdict)) ?/

/** Draws a fault. `notes` and `took` come from the twin without faults. */
export const draw = (
  [kind, place]: readonly [FaultKind, Place?],
  notes: ReadonlyArray<Note>,
  took: number,
  chance: Chance
): Fault => {
  const labels = stable(notes)
  const at = (pattern: RegExp): string => {
    const found = labels.filter((label) => pattern.test(label))
    return chance.one(found.length === 0 ? labels : found)
  }
  const moment = () => Math.round(chance.next() * took * 1.1)
  switch (kind) {
    case "boundary":
      return { kind, place: place!, disturbance: { at: at(places[place!]), deed: "kill" } }
    case "sleep": {
      // The worst place is right before a mutation goes out.
      const mutation = new RegExp(`^(connected|call|after intent/${mutating})`)
      return {
        kind,
        disturbance: { at: at(chance.yes(0.4) ? /^connected / : chance.yes(0.6) ? mutation : idle), deed: "stop" },
        wake: chance.one(["while", "after"])
      }
    }
    case "supervisor":
      return { kind, after: chance.yes(0.5) ? [moment()] : [moment(), moment()] }
    case "crowd":
      return { kind, others: chance.int(1, 2), same: chance.yes(0.4) }
    case "full":
      return { kind, disturbance: chance.yes(0.25) ? null : { at: at(idle), deed: "stop" } }
    case "read-only":
      return { kind }
    case "clock": {
      // Where time is what matters, and anywhere else.
      const label = at(chance.yes(0.5) ? places["inside a bake"] : /^(before|after|call) /)
      return { kind, disturbance: { at: label, deed: `${chance.one([-1, 1]) * 3_600_000}` } }
    }
    default:
      return { kind, after: moment() }
  }
}
