/**
 * What a program asks of the facade.
 */
import type { Origin, QueuePolicy } from "../domain/Event.ts"
import type { CorrelationId, DeploymentId, EnvironmentName, StackName } from "../domain/Ids.ts"
import type { ExecutionKind } from "../domain/Machines.ts"
import type { Manifest, StrategyName } from "../domain/Spec.ts"

/**
 * An execution to start.
 *
 * *Details*: `stacks` narrows it to those (for `deploy-stack` and `destroy-stack` exactly one); `version` and `artifact` are
 * what a `deploy` brings in; `strategy` overrides that of every stack. `queue` says what is done while another execution is
 * in the way (default: `fifo` for a wrapped command, else `reject`). `override` is the reason for going ahead in spite of a
 * freeze, a veto or drift. `command` is what a `run` shows of its command, with its secrets covered.
 * With `identical` it joins an execution only where the same actor asked for it in the same workflow. With `later` it is carried
 * out at another time or place, so that what it needs need not be here yet: its providers are not asked before it is recorded.
 */
export interface Request {
  readonly kind: Exclude<ExecutionKind, "observe">
  readonly correlationId: CorrelationId
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
  readonly manifest: Manifest
  readonly by: string
  readonly stacks?: ReadonlyArray<StackName>
  readonly version?: string
  readonly artifact?: string
  readonly strategy?: StrategyName
  readonly reason?: string
  readonly queue?: QueuePolicy
  readonly origin?: Origin
  readonly override?: string
  readonly command?: string
  readonly identical?: boolean
  readonly later?: boolean
}
