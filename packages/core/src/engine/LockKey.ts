import type { CorrelationId, DeploymentId, EnvironmentName } from "../domain/Ids.ts"

/** The key under which executions of one deployment in one environment exclude each other. @since 0.1.0 */
export const lockKey = (deploymentId: DeploymentId, environment: EnvironmentName): string =>
  `lock/${deploymentId}/${environment}`

/** The key of the claim to run one execution. @since 0.1.0 */
export const claimKey = (id: CorrelationId): string => `execution/${id}`
