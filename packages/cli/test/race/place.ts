/** What they race for. */
import { deploymentIdOf } from "@signalbox/core/engine"
import { EnvironmentName } from "@signalbox/core/spi"

export const organization = "acme"
export const project = "race"
export const deploymentId = deploymentIdOf(organization, project)
export const environment = EnvironmentName.make("production")
export const lockKey = `environment/${deploymentId}/${environment}`
