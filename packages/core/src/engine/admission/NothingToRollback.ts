import * as Effect from "effect/Effect"
import type { EnvironmentState } from "../../domain/Environment.ts"
import type { DeploymentId, EnvironmentName, StackName } from "../../domain/Ids.ts"
import type { ErrorInfo } from "../../domain/Release.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { isThere } from "./RecordedManifest.ts"

/** How far back other versions are looked for, and how many of them are named. */
const reach = 100
const named = 5

/** Why there is nothing to roll back: what each stack has, and what else it had, latest first. */
export const nothingToRollback = Effect.fnUntraced(function* (
  { deploymentId, environment }: { readonly deploymentId: DeploymentId; readonly environment: EnvironmentName },
  state: EnvironmentState | undefined
): Effect.fn.Return<ErrorInfo, StoreError, DeploymentStore> {
  const stacks = (state?.stacks ?? []).filter((stack) => isThere(stack) && stack.release !== null)
  const before = yield* versionsBefore({ deploymentId, environment })
  const lines = stacks.map(({ name, release }) => {
    const others = (before.get(name) ?? []).filter((version) => version !== release?.version).slice(0, named)
    return `${name} is at ${release?.version}${others.length === 0 ? "" : ` and had ${others.join(", ")}`}`
  })
  const [other] = stacks.flatMap(({ name, release }) =>
    (before.get(name) ?? []).filter((version) => version !== release?.version)
  )
  const history = `signalbox history ${deploymentId} --environment ${environment}`
  return {
    code: "nothing_to_roll_back",
    message:
      `${deploymentId} in ${environment} has no earlier release to go back to` +
      (lines.length === 0 ? "" : `: ${lines.join("; ")}`),
    hint:
      other === undefined
        ? `See what was deployed: ${history}`
        : `A rollback goes back one release. To bring another version in again: signalbox deploy ${deploymentId} --environment ${environment} --version ${other} --artifact <where it is> · what was deployed: ${history}`
  }
})

/** The versions that each stack was brought to, latest first. */
const versionsBefore = Effect.fnUntraced(function* (place: {
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
}): Effect.fn.Return<ReadonlyMap<StackName, ReadonlyArray<string>>, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const { items } = yield* store.executions({
    ...place,
    kinds: ["deploy", "deploy-stack"],
    statuses: ["completed"],
    limit: reach
  })
  const versions = new Map<StackName, Set<string>>()
  for (const { name, release } of items.flatMap((execution) => execution.stacks)) {
    if (release === null) continue
    versions.set(name, (versions.get(name) ?? new Set()).add(release.version))
  }
  return new Map([...versions].map(([name, found]) => [name, [...found]]))
})
