import type { Deployment, EnvironmentState } from "../../domain/Environment.ts"
import type { ExecutionState } from "../../domain/ExecutionState.ts"
import type { EnvironmentName, StackName } from "../../domain/Ids.ts"
import { traceIdOf } from "../../telemetry/Ids.ts"
import type { DeploymentView, EnvironmentView, PlanView } from "../DeploymentView.ts"
import type { PlannedStack } from "../Plan.ts"
import type { Request } from "../Request.ts"
import { executionView, stageView, endpointsOf } from "./execution.ts"
import { instantOf } from "./instantOf.ts"

/** The stacks that a deployment was created with, and the stacks deployed since. */
export const stackNames = (
  deployment: Deployment,
  states: ReadonlyArray<EnvironmentState>
): ReadonlyArray<StackName> => [
  ...new Set([...deployment.stacks, ...states.flatMap(({ stacks }) => stacks.map(({ name }) => name))])
]

/** Shows a deployment. */
export const deploymentView = (
  deployment: Deployment,
  states: ReadonlyArray<EnvironmentState> = []
): DeploymentView => ({
  deploymentId: deployment.deploymentId,
  organization: deployment.organization,
  project: deployment.project,
  template: deployment.template,
  environments: deployment.environments,
  stacks: stackNames(deployment, states),
  createdAt: instantOf(deployment.createdAt)
})

/** Shows a deployment in one environment. */
export const environmentView = (
  deployment: Deployment,
  state: EnvironmentState | undefined,
  environment: EnvironmentName,
  execution: ExecutionState | undefined,
  now: number
): EnvironmentView => ({
  deploymentId: deployment.deploymentId,
  organization: deployment.organization,
  project: deployment.project,
  environment,
  status: state?.status ?? "initialized",
  updatedAt: instantOf(state?.updatedAt ?? deployment.createdAt),
  stacks: stackNames(deployment, state === undefined ? [] : [state]).map((name) => {
    const stack = state?.stacks.find((one) => one.name === name)
    const within = execution?.stacks.find((one) => one.name === name)
    const comes = execution?.finishedAt === undefined
    const candidate = comes ? (within?.candidate ?? null) : null
    return {
      name,
      provider: stack?.provider ?? within?.provider ?? null,
      status: stack?.status ?? "not_deployed",
      release: stack?.release ?? null,
      candidate,
      candidateTraffic: comes ? (within?.candidateTraffic ?? 0) : 0,
      outputs: stack?.outputs ?? {},
      ...endpointsOf(stack?.endpoints, stack?.release ?? null, candidate),
      updatedAt: stack === undefined ? null : instantOf(stack.updatedAt),
      stages: within?.stages.map(stageView) ?? []
    }
  }),
  execution: execution === undefined ? null : executionView(execution, now)
})

/** Shows a plan. */
export const planView = (request: Request, plan: ReadonlyArray<PlannedStack>): PlanView => ({
  deploymentId: request.deploymentId,
  correlationId: request.correlationId,
  traceId: traceIdOf(request.correlationId),
  kind: request.kind,
  environment: request.environment,
  version: request.version ?? null,
  strategy: request.strategy ?? null,
  triggeredBy: request.by,
  dryRun: true,
  stacks: plan.map(
    ({ account, artifact, dependsOn, irreversible, name, plan, provider, region, values, waitsFor }) => ({
      name,
      provider,
      dependsOn,
      action: plan?.action ?? null,
      waitsFor,
      artifact: artifact ?? null,
      values: values ?? {},
      region: region ?? null,
      account: account ?? null,
      release: plan?.candidate ?? null,
      from: plan?.checkpoint.release ?? null,
      changes: plan?.changes ?? [],
      rollback: plan?.rollback ?? null,
      warnings: plan?.warnings ?? [],
      resources: plan?.resources ?? [],
      target: plan?.target ?? null,
      timeoutMs: plan?.timeoutMs ?? null,
      irreversible: irreversible ?? null
    })
  )
})
