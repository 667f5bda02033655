/** The replaceable parts of a simulation: providers, and wrappers around them and the stores. */
import type { ExecutionState } from "../../domain/Execution.ts"
import type { Provider } from "../../spi/Provider.ts"
import type { Encoded } from "../../store/Encoded.ts"
import * as RevisionsProvider from "../provider/RevisionsProvider.ts"
import * as SimulatedProvider from "../provider/SimulatedProvider.ts"
import * as SlowProvider from "../provider/SlowProvider.ts"
import type { Cloud } from "./invariants/Effects.ts"
import type { Scenario, ScenarioCloud } from "./scenario/Scenario.ts"

/**
 * The parts that replace a simulation's defaults.
 *
 * *Details*: created for each schedule, because no state may outlive one. `providers` replaces the simulated clouds;
 * providers that report their effects (`ledger`, `inspect`, like `SimulatedProvider`) are checked more closely.
 * `wrapProvider` and `wrapStore` stand between a process and its providers and stores. `check` runs after every step
 * and returns a description of the violation.
 */
export interface Parts {
  readonly providers?: (
    scenario: Scenario
  ) => ReadonlyArray<{ readonly provider: Provider } & Partial<SimulatedProvider.SimulatedProvider>>
  readonly wrapProvider?: (provider: Provider) => Provider
  readonly wrapStore?: (encoded: Encoded) => Encoded
  readonly check?: (view: ProcessView) => string | undefined
}

/** The inputs of a custom check. */
export interface ProcessView {
  readonly now: number
  readonly executions: ReadonlyArray<ExecutionState>
  readonly ledger: ReadonlyArray<SimulatedProvider.LedgerEntry>
}

const made = ({ instances, kind, operations, requestsPerSecond, shape }: ScenarioCloud) => {
  const given = { kind, instances, ...operations }
  if (operations !== undefined && shape === "transactional") return SlowProvider.make({ ...given, pollMillis: 1_000 })
  const capabilities = shape === "full" ? {} : { capabilities: SimulatedProvider.shapes[shape] }
  return operations !== undefined && shape === "revisions"
    ? RevisionsProvider.make({ ...given, ...capabilities, requestsPerSecond, revisions: 2 })
    : SimulatedProvider.make({ kind, instances, requestsPerSecond, ...capabilities })
}

const cloudOf = (scenario: Scenario) => (cloud: ScenarioCloud) => {
  const simulated = made(cloud)
  for (const { script, stack, version } of scenario.scripts) simulated.script(stack, version, script)
  return simulated
}

/** The clouds of one schedule. */
export type Clouds = ReadonlyArray<{ readonly provider: Provider } & Partial<SimulatedProvider.SimulatedProvider>>

export const cloudsOf = (scenario: Scenario, parts: Parts): Clouds =>
  parts.providers?.(scenario) ?? scenario.clouds.map(cloudOf(scenario))

export const byKind = (clouds: Clouds): ReadonlyMap<string, Provider> =>
  new Map(clouds.map(({ provider }) => [provider.kind, provider]))

/** The providers of a scenario. */
export const providersOf = (scenario: Scenario, parts: Parts): ReadonlyMap<string, Provider> =>
  byKind(cloudsOf(scenario, parts))

export const watched = (cloud: Partial<SimulatedProvider.SimulatedProvider>): ReadonlyArray<Cloud> =>
  cloud.ledger === undefined || cloud.inspect === undefined ? [] : [{ ledger: cloud.ledger, inspect: cloud.inspect }]
