/**
 * The record of an environment, as a configuration: whatever the project's file says now, the deployed stacks were
 * deployed with this.
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import type { Deployment, EnvironmentState, StackInEnvironment } from "../../domain/Environment.ts"
import * as Graph from "../../domain/Graph.ts"
import type { EnvironmentName, StackName } from "../../domain/Ids.ts"
import type { ExecutionKind } from "../../domain/Machines.ts"
import {
  type EnvironmentSpec,
  ExecutionSettings,
  type ExecutionSpec,
  type Manifest,
  StackSpec
} from "../../domain/Spec.ts"

/**
 * Whether a kind undoes or removes, instead of deploying.
 */
export const takesBack = (kind: ExecutionKind): boolean =>
  kind === "rollback" || kind === "destroy" || kind === "destroy-stack"

/** Whether any part of a stack may exist. */
export const isThere = ({ status }: Pick<StackInEnvironment, "status">): boolean =>
  status !== "not_deployed" && status !== "destroyed"

/** Whether the record is sufficient to work on an environment. */
export const isRecorded = (state: EnvironmentState | undefined): boolean =>
  state?.stacks.some(({ spec }) => spec !== undefined) === true

const decodeSpec = Schema.decodeSync(StackSpec)
const decodeSettings = Schema.decodeSync(ExecutionSettings)

const settingsOf = (state: EnvironmentState | undefined): ExecutionSettings | undefined =>
  state?.settings === undefined ? undefined : decodeSettings(state.settings)

const recordedStacks = (state: EnvironmentState | undefined): ReadonlyArray<StackSpec> =>
  acyclic(state?.stacks ?? []).filter(({ name }) => state?.stacks.some((one) => one.name === name && isThere(one)))

/**
 * Each stack names its dependencies from when it was deployed, which may be different times: older names yield to newer
 * ones.
 */
const acyclic = (stacks: ReadonlyArray<StackInEnvironment>): ReadonlyArray<StackSpec> => {
  const byAge = stacks.toSorted((left, right) => left.updatedAt - right.updatedAt)
  let specs = stacks.flatMap(({ spec }) => (spec === undefined ? [] : [decodeSpec(spec)]))
  for (let around = Graph.cycle(specs); around !== undefined; around = Graph.cycle(specs)) {
    const cycle = around
    const oldest = byAge.find(({ name }) => cycle.includes(name))?.name
    const next = cycle[cycle.indexOf(oldest!) + 1]
    specs = specs.map((spec) =>
      spec.name === oldest ? { ...spec, dependsOn: spec.dependsOn.filter((name) => name !== next) } : spec
    )
  }
  return specs
}

const where = ({ account, region }: Partial<ExecutionSettings>) => ({
  ...(region === undefined ? {} : { region }),
  ...(account === undefined ? {} : { account })
})

/**
 * The configuration of the deployed stacks of an environment: as they were deployed, where they were deployed.
 *
 * *Details*: stacks that exist only in `today` come after them, and settings that do not concern single stacks come
 * from `today`, if it can be read. Without it, history is not deleted on a guess: retention is the longest possible.
 */
export const manifest = (
  deployment: Deployment,
  environment: EnvironmentName,
  state: EnvironmentState | undefined,
  today?: Manifest
): Manifest => {
  const stacks = recordedStacks(state)
  const names = new Set(stacks.map(({ name }) => name))
  const given = today?.environments[environment]
  const settings: EnvironmentSpec = {
    ...where(settingsOf(state) ?? given ?? {}),
    // The record was resolved for its environment before.
    stacks: Object.fromEntries(
      Object.entries(given?.stacks ?? {}).filter(([name]) => !names.has(name as StackName))
    ) as EnvironmentSpec["stacks"]
  }
  const others = today?.stacks.filter(({ name }) => !names.has(name)) ?? []
  const all = [...stacks, ...others] as unknown as Manifest["stacks"]
  if (today !== undefined) {
    return { ...today, environments: { ...today.environments, [environment]: settings }, stacks: all }
  }
  const {
    freezes = [],
    leaseTtl = Duration.seconds(15),
    parallelism = 4,
    plugins,
    queue,
    requires = [],
    rollback = true
  } = settingsOf(state) ?? {}
  return {
    organization: deployment.organization,
    project: deployment.project,
    template: deployment.template,
    environments: { [environment]: settings },
    stacks: all,
    parallelism,
    rollback,
    leaseTtl,
    retention: Duration.days(3_650),
    freezes,
    requires,
    ...(queue === undefined ? {} : { queue }),
    ...(plugins === undefined ? {} : { plugins })
  }
}

/**
 * What a rollback or a destruction really works on, by the current state.
 *
 * *Details*: every deployed stack, as it was deployed, even if it is no longer in the project's file; unless it is
 * limited to some, `only`. Requested stacks that were never deployed are left out if others were.
 */
export const takenBackSpec = (
  kind: ExecutionKind,
  spec: ExecutionSpec,
  state: EnvironmentState | undefined,
  only?: ReadonlyArray<StackName>
): ExecutionSpec => {
  if (!takesBack(kind) || state === undefined || !isRecorded(state)) return spec
  const there = recordedStacks(state).filter(({ name }) => only === undefined || only.includes(name))
  const others = spec.stacks.filter(
    ({ name }) =>
      !there.some((stack) => stack.name === name) &&
      (only !== undefined || state.stacks.some((stack) => stack.name === name))
  )
  const { account: _, region: __, ...rest } = spec
  return { ...rest, ...where(settingsOf(state) ?? spec), stacks: [...there, ...others] }
}

/**
 * The deployed stacks that a configuration no longer has: a deployment with it leaves them running.
 */
export const dropped = (
  { stacks }: Pick<Manifest, "stacks">,
  state: EnvironmentState | undefined
): ReadonlyArray<StackInEnvironment> =>
  (state?.stacks ?? []).filter(
    (one) => one.spec !== undefined && isThere(one) && !stacks.some(({ name }) => name === one.name)
  )
