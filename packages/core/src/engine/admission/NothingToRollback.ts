import * as Effect from "effect/Effect"
import type { EnvironmentState } from "../../domain/Environment.ts"
import type { DeploymentId, EnvironmentName, StackName } from "../../domain/Ids.ts"
import { causeInfo, type ErrorInfo, errorInfo, type Remedy } from "../../domain/errors/index.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { isThere } from "./RecordedManifest.ts"

/** How far back to look for other versions, and how many of them to name. */
const reach = 100
const named = 5

/** Why there is nothing to roll back: the current release of each stack, and its earlier ones, latest first. */
export const nothingToRollback = Effect.fnUntraced(function* (
  { deploymentId, environment }: { readonly deploymentId: DeploymentId; readonly environment: EnvironmentName },
  state: EnvironmentState | undefined
): Effect.fn.Return<ErrorInfo, StoreError, DeploymentStore> {
  const stacks = (state?.stacks ?? []).filter((stack) => isThere(stack) && stack.release !== null)
  const before = yield* versionsBefore({ deploymentId, environment })
  const earlierOf = ({ name, release }: (typeof stacks)[number]) =>
    (before.get(name) ?? []).filter((version) => version !== release?.version)
  const [other] = stacks.flatMap(earlierOf)
  const place = { deployment: deploymentId, environment }
  const remedies: ReadonlyArray<Remedy> = [
    ...(other === undefined ? [] : [{ _tag: "deploy_version", ...place, version: other } as const]),
    { _tag: "history", ...place }
  ]
  const history = stacks.map((stack) =>
    causeInfo("stack_history", {
      stack: stack.name,
      version: stack.release?.version ?? "",
      earlier: earlierOf(stack).slice(0, named)
    })
  )
  return errorInfo("nothing_to_roll_back", { ...place, stacks: history }, { remedies })
})

/** The versions that each stack was deployed with, latest first. */
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
