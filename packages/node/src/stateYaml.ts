/** The two files that people and older tools read, as text. */
import type { CorrelationId, Environment, ExecutionKind } from "@signalbox/core/spi"
import { stringify } from "yaml"

/** Their contents. `operations` gives the kind of the executions in progress, `store` the URL that was configured. */
export interface Shown {
  readonly deployment: Environment.Deployment
  readonly environments: ReadonlyArray<Environment.EnvironmentState>
  readonly operations: ReadonlyMap<CorrelationId, ExecutionKind>
  readonly store?: string
}

const iso = (time: number): string => new Date(time).toISOString()

const yaml = (value: unknown): string => stringify(value, { sortMapEntries: true, lineWidth: 0 })

/** The most recently changed environment. */
const latest = (environments: ReadonlyArray<Environment.EnvironmentState>): Environment.EnvironmentState | undefined =>
  environments.reduce<Environment.EnvironmentState | undefined>(
    (last, next) => (last === undefined || next.updatedAt >= last.updatedAt ? next : last),
    undefined
  )

/**
 * The text of `.deployment-metadata.yaml`.
 *
 * *Details*: `status` belongs to the most recently changed environment, `initialized` before the first execution.
 */
export const metadataYaml = ({ deployment, environments, store }: Shown): string =>
  yaml({
    created_at: iso(deployment.createdAt),
    deployment_id: deployment.deploymentId,
    organization: deployment.organization,
    project: deployment.project,
    status: latest(environments)?.status ?? "initialized",
    ...(store === undefined ? {} : { store }),
    template: deployment.template
  })

/**
 * The text of `.deployment-state.yaml`.
 *
 * *Details*: `current_operation` is the kind of the execution in progress in the most recently changed environment,
 * null if there is none. `stacks` has one entry for each stack in each environment, `<stack>-<environment>`.
 */
export const stateYaml = ({ deployment, environments, operations }: Shown): string => {
  const shown = latest(environments)
  return yaml({
    current_operation: (shown?.current && operations.get(shown.current)) ?? null,
    deployment_status: shown?.status ?? "initialized",
    last_updated: iso(shown?.updatedAt ?? deployment.createdAt),
    stacks: Object.fromEntries(
      environments.flatMap(({ environment, stacks }) =>
        stacks.map((stack) => [
          `${stack.name}-${environment}`,
          { environment, last_updated: iso(stack.updatedAt), stack_name: stack.name, status: stack.status }
        ])
      )
    )
  })
}
