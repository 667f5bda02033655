import type { CanDeploy, QueueStatus } from "@signalbox/core/engine"
import type { DeploymentId, EnvironmentName, Execution } from "@signalbox/core/spi"

/** The knowledge at one look. */
export interface Look {
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
  readonly execution?: Execution.ExecutionState
  readonly place?: QueueStatus.QueuePlace
  readonly blockers: CanDeploy.CanDeployAnswer["blockers"]
  readonly degraded: string | null
  readonly turn: boolean
  readonly message: string
}
