/** What a simulation is made of, where it is given: providers, and what stands before them and before the stores. */
import type { ExecutionState } from "../../domain/Execution.ts"
import type { Provider } from "../../spi/Provider.ts"
import type { Encoded } from "../../store/Encoded.ts"
import * as SimulatedProvider from "../provider/SimulatedProvider.ts"
import type { Cloud } from "./invariants/Effects.ts"
import type { Scenario } from "./scenario/Scenario.ts"

/**
 * What the processes of a simulation are made of, where it is not what they are made of anyway.
 *
 * *Details*: made anew for each schedule, as nothing may outlive one. `providers` replaces the simulated clouds; those
 * that tell of their effects (`ledger`, `inspect`, as a `SimulatedProvider` does) are watched closer. `wrapProvider` and
 * `wrapStore` stand between a process and its providers and stores. `check` is asked after every step; what it returns is
 * what is wrong.
 */
export interface Parts {
  readonly providers?: (
    scenario: Scenario
  ) => ReadonlyArray<{ readonly provider: Provider } & Partial<SimulatedProvider.SimulatedProvider>>
  readonly wrapProvider?: (provider: Provider) => Provider
  readonly wrapStore?: (encoded: Encoded) => Encoded
  readonly check?: (view: ProcessView) => string | undefined
}

/** What a check of one's own may look at. */
export interface ProcessView {
  readonly now: number
  readonly executions: ReadonlyArray<ExecutionState>
  readonly ledger: ReadonlyArray<SimulatedProvider.LedgerEntry>
}

const cloudOf = (scenario: Scenario) => (cloud: Scenario["clouds"][number]) => {
  const simulated = SimulatedProvider.make({
    kind: cloud.kind,
    instances: cloud.instances,
    requestsPerSecond: cloud.requestsPerSecond,
    ...(cloud.shape === "full" ? {} : { capabilities: SimulatedProvider.shapes[cloud.shape] })
  })
  for (const { script, stack, version } of scenario.scripts) simulated.script(stack, version, script)
  return simulated
}

/** The clouds of one schedule. */
export type Clouds = ReadonlyArray<{ readonly provider: Provider } & Partial<SimulatedProvider.SimulatedProvider>>

export const cloudsOf = (scenario: Scenario, parts: Parts): Clouds =>
  parts.providers?.(scenario) ?? scenario.clouds.map(cloudOf(scenario))

export const byKind = (clouds: Clouds): ReadonlyMap<string, Provider> =>
  new Map(clouds.map(({ provider }) => [provider.kind, provider]))

/** The providers that a scenario is carried out with. */
export const providersOf = (scenario: Scenario, parts: Parts): ReadonlyMap<string, Provider> =>
  byKind(cloudsOf(scenario, parts))

export const watched = (cloud: Partial<SimulatedProvider.SimulatedProvider>): ReadonlyArray<Cloud> =>
  cloud.ledger === undefined || cloud.inspect === undefined ? [] : [{ ledger: cloud.ledger, inspect: cloud.inspect }]
