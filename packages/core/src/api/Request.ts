/**
 * The requests that a program makes to the facade.
 */
import * as Schema from "effect/Schema"
import { OperatorCommand, Origin, QueuePolicy } from "../domain/Event.ts"
import { CorrelationId, DeploymentId, EnvironmentName, StackName } from "../domain/Ids.ts"
import { ExecutionKind } from "../domain/Machines.ts"
import { Manifest, StrategyName } from "../domain/Spec.ts"

/**
 * An execution to start.
 *
 * *Details*: `stacks` limits it to these (exactly one for `deploy-stack` and `destroy-stack`); `version` and `artifact`
 * are what a `deploy` brings in, `artifacts` what it brings in for single stacks; `strategy` overrides the strategy of
 * every stack. `queue` is the policy while another execution is running (default: `fifo` for a wrapped command,
 * otherwise `reject`). `override` is the reason for ignoring a freeze, a veto, a dependency or a newer commit. `to` is
 * where a `rollback` goes instead of one release back: the version, or the correlation id of the execution, after which
 * the deployment was as it should be again. `command` is how a `run` shows its command, with secrets masked. With
 * `identical`, it joins an execution only if the same actor requested it in the same workflow. With `later`, it is
 * executed at another time or place, so its inputs need not be here yet: its providers are not asked before it is
 * recorded.
 */
export const Request = Schema.Struct({
  kind: Schema.Literals(["deploy", "deploy-stack", "rollback", "destroy", "destroy-stack", "run"]),
  correlationId: CorrelationId,
  deploymentId: DeploymentId,
  environment: EnvironmentName,
  manifest: Manifest,
  by: Schema.String,
  stacks: Schema.optionalKey(Schema.Array(StackName)),
  version: Schema.optionalKey(Schema.String),
  artifact: Schema.optionalKey(Schema.String),
  artifacts: Schema.optionalKey(Schema.Record(StackName, Schema.String)),
  strategy: Schema.optionalKey(StrategyName),
  to: Schema.optionalKey(Schema.String),
  reason: Schema.optionalKey(Schema.String),
  queue: Schema.optionalKey(QueuePolicy),
  origin: Schema.optionalKey(Origin),
  override: Schema.optionalKey(Schema.String),
  command: Schema.optionalKey(Schema.String),
  identical: Schema.optionalKey(Schema.Boolean),
  later: Schema.optionalKey(Schema.Boolean)
}).annotate({ identifier: "Request" })
export type Request = typeof Request.Type

/**
 * A command for a running (or paused) execution; `stack` limits it where that is possible.
 */
export const CommandRequest = Schema.Struct({
  command: OperatorCommand,
  by: Schema.String,
  stack: Schema.optionalKey(StackName),
  reason: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "CommandRequest" })
export type CommandRequest = typeof CommandRequest.Type

/**
 * Asks whether something may be deployed. Its fields mean the same as in a request; the correlation id names a registered one.
 */
export const CanDeployRequest = Schema.Struct({
  manifest: Manifest,
  deploymentId: DeploymentId,
  environment: EnvironmentName,
  kind: Schema.optionalKey(ExecutionKind),
  correlationId: Schema.optionalKey(CorrelationId),
  stacks: Schema.optionalKey(Schema.Array(StackName)),
  version: Schema.optionalKey(Schema.String),
  origin: Schema.optionalKey(Origin),
  override: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "CanDeployRequest" })
export type CanDeployRequest = typeof CanDeployRequest.Type
