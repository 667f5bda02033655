import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Deployment } from "../domain/Environment.ts"
import type { Event } from "../domain/Event.ts"
import { type DeploymentId, type EnvironmentName, makeDeploymentId } from "../domain/Ids.ts"
import type { Manifest } from "../domain/Spec.ts"
import { DeploymentStore } from "../spi/DeploymentStore.ts"
import type { StoreError } from "../spi/StoreError.ts"
import { Refused } from "./Refused.ts"

/**
 * Makes a deployment; its id is drawn where none is given.
 *
 * *Errors*: `Refused` (`conflict`) where the given id is taken.
 *
 * @since 0.1.0
 */
export const init = Effect.fnUntraced(function* (options: {
  readonly manifest: Manifest
  readonly by: string
  readonly deploymentId?: DeploymentId
}): Effect.fn.Return<Deployment, Refused | StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const { manifest } = options
  while (true) {
    const deploymentId = options.deploymentId ?? (yield* makeDeploymentId)
    const at = yield* Clock.currentTimeMillis
    const event: Event = {
      _tag: "DeploymentInitialized",
      deploymentId,
      organization: manifest.organization,
      project: manifest.project,
      template: manifest.template,
      environments: Object.keys(manifest.environments) as unknown as ReadonlyArray<EnvironmentName>,
      stacks: manifest.stacks.map(({ name }) => name),
      by: options.by
    }
    const taken = yield* store
      .append({ stream: deploymentId, expected: 0, events: [{ id: "initialized", at, event }] })
      .pipe(
        Effect.as(false),
        Effect.catchTag("SequenceConflict", () => Effect.succeed(true)),
        Effect.catchTag(["IllegalTransition", "LeaseLost"], Effect.die)
      )
    if (!taken) {
      const deployment = yield* store.deployment(deploymentId)
      if (deployment !== undefined) return deployment
    }
    if (options.deploymentId !== undefined) {
      return yield* new Refused({
        kind: "conflict",
        code: "deployment_exists",
        message: `there is a deployment ${options.deploymentId} already`,
        hint: "Leave the id out to have a free one drawn."
      })
    }
  }
})
