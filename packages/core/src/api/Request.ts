/**
 * The requests that a program makes to the facade.
 */
import type { Origin, QueuePolicy } from "../domain/Event.ts"
import type { CorrelationId, DeploymentId, EnvironmentName, StackName } from "../domain/Ids.ts"
import type { ExecutionKind } from "../domain/Machines.ts"
import type { Manifest, StrategyName } from "../domain/Spec.ts"

/**
 * An execution to start.
 *
 * *Details*: `stacks` limits it to these (exactly one for `deploy-stack` and `destroy-stack`); `version` and `artifact`
 * are what a `deploy` brings in; `strategy` overrides the strategy of every stack. `queue` is the policy while another
 * execution is running (default: `fifo` for a wrapped command, otherwise `reject`). `override` is the reason for
 * ignoring a freeze, a veto or drift. `command` is how a `run` shows its command, with secrets masked. With
 * `identical`, it joins an execution only if the same actor requested it in the same workflow. With `later`, it is
 * executed at another time or place, so its inputs need not be here yet: its providers are not asked before it is
 * recorded.
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
