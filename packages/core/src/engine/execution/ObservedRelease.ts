/**
 * What an observation says of one release.
 */
import type { Measured } from "../../domain/Verdict.ts"
import type { Health, Observation } from "../../spi/Provider.ts"

/** Its observed share of the traffic, in percent. */
export const shareOf = (observed: Observation, releaseId: string): number =>
  observed.traffic.find((share) => share.releaseId === releaseId)?.percent ?? 0

/** Its health; nothing is there if it is not observed. */
export const healthOf = (observed: Observation, releaseId: string): Health =>
  observed.health[releaseId] ?? { healthy: 0, total: 0 }

/** The share of it that is healthy, as a gate judges it. */
export const measuredHealth = (observed: Observation, releaseId: string): Pick<Measured, "healthy" | "healthUnit"> => {
  const { healthy, total, unit } = healthOf(observed, releaseId)
  return {
    healthy: total === 0 ? null : (100 * healthy) / total,
    ...(unit === undefined ? {} : { healthUnit: unit })
  }
}

/** What is recorded of it for dependents and for people. */
export const outputsOf = ({ endpoints, outputs }: Observation): Pick<Observation, "outputs" | "endpoints"> => ({
  outputs,
  ...(endpoints === undefined ? {} : { endpoints })
})
