/**
 * What an execution starts from: its stacks, and what each of them was before.
 */
import type { EnvironmentState } from "../../domain/Environment.ts"
import type { StackBefore } from "../../domain/Event.ts"
import type { StackName } from "../../domain/Ids.ts"
import type { DeploymentStatus, ExecutionKind } from "../../domain/Machines.ts"
import type { ExecutionSpec, StackSpec } from "../../domain/Spec.ts"
import { takenBackSpec } from "./RecordedManifest.ts"

export interface StartingPoint {
  readonly deploymentBefore: DeploymentStatus
  readonly stacksBefore: ReadonlyArray<StackBefore>
  readonly spec: ExecutionSpec
}

/**
 * Reads it from the state of the environment. A rollback works on the stacks that have an earlier release to go back to; it
 * and a destruction work on what was recorded, narrowed to `only`, and not on what was asked for.
 */
export const startingPoint = (
  kind: ExecutionKind,
  asked: ExecutionSpec,
  environment: EnvironmentState | undefined,
  only?: ReadonlyArray<StackName>
): StartingPoint => {
  const spec = takenBackSpec(kind, asked, environment, only)
  const before = (name: StackName): StackBefore => {
    const known = environment?.stacks.find((stack) => stack.name === name)
    return {
      name,
      status: known?.status ?? "not_deployed",
      release: known?.release ?? null,
      checkpoint: known?.checkpoint ?? null,
      outputs: known?.outputs ?? {}
    }
  }
  const stacks = kind === "rollback" ? spec.stacks.filter((stack) => goesBack(stack, before(stack.name))) : spec.stacks
  const names = new Set([...(environment?.stacks ?? []), ...stacks].map(({ name }) => name))
  return {
    deploymentBefore: environment?.status ?? "initialized",
    stacksBefore: [...names].map(before),
    spec: { ...spec, stacks }
  }
}

/** What was destroyed is deployed again, not rolled back. */
const goesBack = (stack: StackSpec, { checkpoint, release, status }: StackBefore): boolean =>
  stack.irreversible === undefined &&
  (status === "deployed" || status === "failed") &&
  checkpoint !== null &&
  checkpoint.release !== null &&
  checkpoint.release.id !== release?.id

/**
 * Whether there is nothing to do: a rollback of an environment that has no earlier release.
 */
export const isEmpty = (kind: ExecutionKind, { spec }: StartingPoint): boolean =>
  kind === "rollback" && spec.stacks.length === 0
