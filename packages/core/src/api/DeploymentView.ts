/**
 * Deployments as they are shown, and plans for them.
 */
import * as Schema from "effect/Schema"
import { Actor, DeploymentFields } from "../domain/Event.ts"
import { CorrelationId, DeploymentId, EnvironmentName, Percent, StackName } from "../domain/Ids.ts"
import { DeploymentStatus, ExecutionKind, StackStatus } from "../domain/Machines.ts"
import { Endpoints, Outputs, PlannedResource, PlanTarget, Release } from "../domain/Release.ts"
import { ExecutionView, StageView } from "./ExecutionView.ts"
import { Instant } from "./Instant.ts"

/** A deployment, with all stacks that it was ever deployed with. */
export const DeploymentView = Schema.Struct({
  ...DeploymentFields,
  createdAt: Instant
}).annotate({ identifier: "DeploymentView" })
export type DeploymentView = typeof DeploymentView.Type

/** A stack in an environment: its current release, and the candidate while an execution brings it in. */
export const EnvironmentStackView = Schema.Struct({
  name: StackName,
  provider: Schema.NullOr(Schema.String),
  status: StackStatus,
  release: Schema.NullOr(Release),
  candidate: Schema.NullOr(Release),
  candidateTraffic: Percent,
  outputs: Outputs,
  endpoints: Schema.optionalKey(Endpoints),
  updatedAt: Schema.NullOr(Instant),
  stages: Schema.Array(StageView)
}).annotate({ identifier: "EnvironmentStackView" })
export type EnvironmentStackView = typeof EnvironmentStackView.Type

/** A deployment in one environment, with its current or last execution. */
export const EnvironmentView = Schema.Struct({
  deploymentId: DeploymentId,
  organization: Schema.String,
  project: Schema.String,
  environment: EnvironmentName,
  status: DeploymentStatus,
  updatedAt: Instant,
  stacks: Schema.Array(EnvironmentStackView),
  execution: Schema.NullOr(ExecutionView)
}).annotate({ identifier: "EnvironmentView" })
export type EnvironmentView = typeof EnvironmentView.Type

/** The answer of a dry run. `action` is null if it waits for the outputs in `waitsFor`. */
export const PlanView = Schema.Struct({
  deploymentId: DeploymentId,
  correlationId: CorrelationId,
  traceId: Schema.String,
  kind: ExecutionKind,
  environment: EnvironmentName,
  version: Schema.NullOr(Schema.String),
  strategy: Schema.NullOr(Schema.String),
  triggeredBy: Actor,
  dryRun: Schema.Boolean,
  stacks: Schema.Array(
    Schema.Struct({
      name: StackName,
      provider: Schema.String,
      dependsOn: Schema.Array(StackName),
      action: Schema.NullOr(Schema.Literals(["create", "update", "none"])),
      waitsFor: Schema.Array(Schema.String),
      artifact: Schema.NullOr(Schema.String),
      values: Schema.Record(Schema.String, Schema.String),
      region: Schema.NullOr(Schema.String),
      account: Schema.NullOr(Schema.String),
      release: Schema.NullOr(Release),
      from: Schema.NullOr(Release),
      changes: Schema.Array(Schema.String),
      rollback: Schema.NullOr(Schema.String),
      warnings: Schema.Array(Schema.String),
      resources: Schema.Array(PlannedResource),
      target: Schema.NullOr(PlanTarget),
      timeoutMs: Schema.NullOr(Schema.Int),
      irreversible: Schema.NullOr(Schema.String)
    })
  )
}).annotate({ identifier: "PlanView" })
export type PlanView = typeof PlanView.Type
