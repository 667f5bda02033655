/** Shrinks a failing schedule, as long as it fails in the same way. */
import type { Config } from "../../config/Configuration.ts"
import type { Scenario } from "./scenario/Scenario.ts"

const without = <A>(items: ReadonlyArray<A>, from: number, count = 1): ReadonlyArray<A> => [
  ...items.slice(0, from),
  ...items.slice(from + count)
]

type Stacks = Config["stacks"]

const withStacks = (scenario: Scenario, stacks: ReadonlyArray<Stacks[number]>): Scenario => ({
  ...scenario,
  manifest: { ...scenario.manifest, stacks: stacks as Stacks }
})

const withoutStack = (scenario: Scenario, name: string): Scenario => ({
  ...withStacks(
    scenario,
    scenario.manifest.stacks.flatMap((stack) => {
      if (stack.name === name) return []
      const { properties, ...rest } = stack
      const dependsOn = (stack.dependsOn ?? []).filter(
        (edge) => (typeof edge === "string" ? edge : edge.stack) !== name
      )
      const refers = JSON.stringify(properties ?? {}).includes(`"$output":"${name}.`)
      return [{ ...rest, dependsOn, ...(refers || properties === undefined ? {} : { properties }) }]
    })
  ),
  scripts: scenario.scripts.filter(({ stack }) => stack !== name),
  requests: scenario.requests.filter(({ stack }) => stack !== name),
  commands: scenario.commands.filter(({ stack }) => stack !== name)
})

const withDecisions = (scenario: Scenario, decisions: NonNullable<Scenario["decisions"]>): Scenario => ({
  ...scenario,
  decisions
})

const withoutRequest = (scenario: Scenario, index: number): Scenario => {
  const id = scenario.requests[index]!.id
  return {
    ...scenario,
    requests: without(scenario.requests, index),
    commands: scenario.commands.filter(({ request }) => request !== id),
    ...(scenario.decisions === undefined
      ? {}
      : { decisions: scenario.decisions.filter((one) => one.decides !== "withdraw" || one.request !== id) })
  }
}

/** Slightly smaller scenarios, the largest reductions first. */
const smaller = function* (scenario: Scenario): Generator<Scenario> {
  const { commands, faults, manifest, requests, scripts } = scenario
  const [first] = manifest.stacks
  if (faults.length > 2) {
    const half = Math.ceil(faults.length / 2)
    yield { ...scenario, faults: faults.slice(0, half) }
    yield { ...scenario, faults: faults.slice(half) }
  }
  for (let index = faults.length - 1; index >= 0; index--) yield { ...scenario, faults: without(faults, index) }
  if (commands.length > 0) yield { ...scenario, commands: [] }
  for (let index = 0; index < commands.length; index++) yield { ...scenario, commands: without(commands, index) }
  const decisions = scenario.decisions ?? []
  for (let index = 0; index < decisions.length; index++) yield withDecisions(scenario, without(decisions, index))
  if (manifest.freezes !== undefined) {
    const { freezes: _, ...rest } = manifest
    yield { ...scenario, manifest: rest }
  }
  if (requests.length > 1) {
    for (let index = requests.length - 1; index >= 0; index--) yield withoutRequest(scenario, index)
  }
  if (manifest.stacks.length > 1) {
    for (const { name } of manifest.stacks) yield withoutStack(scenario, name)
  }
  for (let index = 0; index < scripts.length; index++) yield { ...scenario, scripts: without(scripts, index) }
  for (const request of requests) {
    if (request.also === undefined) continue
    const { also: _, ...rest } = request
    yield { ...scenario, requests: requests.map((other) => (other === request ? rest : other)) }
  }
  for (const stack of manifest.stacks) {
    if (stack.strategy === undefined || stack.strategy.type === "all_at_once") continue
    const simple = { ...stack, strategy: { type: "all_at_once" } as const }
    yield withStacks(
      scenario,
      manifest.stacks.map((other) => (other === stack ? simple : other))
    )
  }
  const irreversible = manifest.stacks.findIndex((stack) => stack.irreversible !== undefined)
  if (irreversible >= 0) {
    yield withStacks(
      scenario,
      manifest.stacks.map((stack, index) => {
        const { irreversible: _, ...rest } = stack
        return index === irreversible ? rest : stack
      })
    )
  }
  if (scenario.shuffle > 0) yield { ...scenario, shuffle: 0 }
  if (scenario.processes > 1) yield { ...scenario, processes: scenario.processes - 1 }
  if (manifest.stacks.length === 1 && (first.dependsOn?.length ?? 0) > 0) {
    yield withStacks(scenario, [{ ...first, dependsOn: [] }])
  }
}

/**
 * The smallest scenario found that still fails, and how many were tried; at most `most`.
 */
export const shrink = (
  scenario: Scenario,
  fails: (scenario: Scenario) => boolean,
  most: number
): { readonly scenario: Scenario; readonly tried: number } => {
  let smallest = scenario
  let tried = 0
  let found = true
  while (found && tried < most) {
    found = false
    for (const candidate of smaller(smallest)) {
      if (tried >= most) break
      tried++
      if (!fails(candidate)) continue
      smallest = candidate
      found = true
      break
    }
  }
  return { scenario: smallest, tried }
}
