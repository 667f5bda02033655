import type { Blocker, QueuePlace } from "@signalbox/core/api"
import type { DeploymentId, EnvironmentName, Execution } from "@signalbox/core/spi"

/** The knowledge at one look. */
export interface Look {
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
  readonly execution?: Execution.ExecutionState
  readonly place?: QueuePlace
  readonly blockers: ReadonlyArray<Blocker>
  readonly degraded: string | null
  readonly turn: boolean
  readonly message: string
}
