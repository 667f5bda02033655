/**
 * The configuration that was recorded with the deployed stacks, for rollbacks and read-only commands.
 */
import * as Effect from "effect/Effect"
import type { Environment, Manifest } from "@signalbox/core/spi"
import type { DeploymentId, EnvironmentName } from "@signalbox/core/spi"
import type { DescribedError } from "@signalbox/core/text"
import { plain } from "../live/words.ts"
import { engine, signalbox } from "../main/services.ts"
import * as Target from "./target.ts"

/** The environment's; for stacks that were never deployed, it comes from `today`. */
export const recordedManifest = Effect.fnUntraced(function* (
  id: DeploymentId,
  environment: EnvironmentName,
  today: Manifest | undefined
) {
  const { RecordedManifest } = yield* engine
  const found = yield* Target.deployment(id)
  const state = yield* (yield* signalbox).deployments.environment(id, environment)
  return RecordedManifest.manifest(found, environment, state, today)
})

/** Whether anything was deployed there with a known configuration. */
export const isRecorded = Effect.fnUntraced(function* (id: DeploymentId, environment: EnvironmentName) {
  const { RecordedManifest } = yield* engine
  return RecordedManifest.isRecorded(yield* (yield* signalbox).deployments.environment(id, environment))
})

/** Deployed stacks that are no longer in the configuration, for `--json`. */
export const droppedView = (
  dropped: ReadonlyArray<Environment.StackInEnvironment>
): ReadonlyArray<{ readonly name: string; readonly version: string | null }> =>
  dropped.map(({ name, release }) => ({ name, version: release?.version ?? null }))

/** The same, as warnings for people. */
export const droppedWarning = (
  { name, release }: Environment.StackInEnvironment,
  id: DeploymentId,
  environment: EnvironmentName
): DescribedError => ({
  code: "stack_dropped",
  message: `${name} is not in the configuration any more and is still deployed${release === null ? "" : ` (${plain(release.version)})`}: nothing is done to it`,
  hint: `Take it away with: signalbox destroy-stack ${id} ${name} --environment ${environment}`
})
