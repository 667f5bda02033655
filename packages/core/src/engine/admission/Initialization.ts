import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as EventId from "../../domain/EventId.ts"
import type { Deployment } from "../../domain/Environment.ts"
import type { Event } from "../../domain/Event.ts"
import { type DeploymentId, deploymentIdFrom, type EnvironmentName, makeDeploymentId } from "../../domain/Ids.ts"
import type { Manifest } from "../../domain/Spec.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { sha256 } from "../../telemetry/sha256.ts"
import { ExecutionLog } from "../log/index.ts"
import { reject, type Rejected } from "../../api/Rejected.ts"

/**
 * The deployment of a project without a configuration: always the same one for the same names, so that every checkout
 * of it, on any machine, uses the same lease.
 */
export const deploymentIdOf = (organization: string, project: string): DeploymentId => {
  const digest = sha256(`signalbox/deployment/${organization}/${project}`)
  return deploymentIdFrom(
    Array.from({ length: 6 }, (_, index) => Number.parseInt(digest.slice(2 * index, 2 * index + 2), 16))
  )
}

/**
 * The deployment of a project without a configuration; created, or extended by what it does not know yet.
 *
 * *Errors*: `Rejected`: `conflict` if another project has the same id; `not_found` if a given id is neither a project's
 * own nor known.
 */
export const ensure = Effect.fnUntraced(function* (options: {
  readonly manifest: Manifest
  readonly by: string
  readonly deploymentId: DeploymentId
}): Effect.fn.Return<Deployment, Rejected | StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const { by, deploymentId, manifest } = options
  const own = deploymentId === deploymentIdOf(manifest.organization, manifest.project)
  const found = yield* store.deployment(deploymentId)
  if (found === undefined && !own) {
    return yield* reject("unknown_deployment", { deployment: deploymentId }, { remedies: [{ _tag: "list" }] })
  }
  const known =
    found ??
    (yield* init(options).pipe(
      // Another process was faster.
      Effect.catchIf(
        (error) => error._tag === "Rejected",
        () => store.deployment(deploymentId)
      )
    ))
  if (
    known === undefined ||
    (own && (known.organization !== manifest.organization || known.project !== manifest.project))
  ) {
    return yield* reject("deployment_id_taken", {
      deployment: deploymentId,
      project: `${manifest.organization}/${manifest.project}`,
      owner: known === undefined ? undefined : `${known.organization}/${known.project}`
    })
  }
  const missing = (deployment: Deployment) => ({
    environments: (Object.keys(manifest.environments) as Array<EnvironmentName>).filter(
      (name) => !deployment.environments.includes(name)
    ),
    stacks: manifest.stacks.map(({ name }) => name).filter((name) => !deployment.stacks.includes(name))
  })
  const isComplete = ({ environments, stacks }: ReturnType<typeof missing>) => environments.length + stacks.length === 0
  if (isComplete(missing(known))) return known
  const at = yield* Clock.currentTimeMillis
  yield* ExecutionLog.write(deploymentId, ({ deployment = known }) => {
    const more = missing(deployment)
    const id = EventId.extended([...more.environments, ...more.stacks])
    return Effect.succeed(isComplete(more) ? [] : [{ id, at, event: { _tag: "DeploymentExtended", ...more, by } }])
  }).pipe(Effect.catchTag(["IllegalTransition", "LeaseLost"], Effect.die))
  return (yield* store.deployment(deploymentId)) ?? known
})

/**
 * Creates a deployment; without an id, one is drawn.
 *
 * *Errors*: `Rejected` (`conflict`) if the given id is taken.
 */
export const init = Effect.fnUntraced(function* (options: {
  readonly manifest: Manifest
  readonly by: string
  readonly deploymentId?: DeploymentId
}): Effect.fn.Return<Deployment, Rejected | StoreError, DeploymentStore> {
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
    const written = yield* ExecutionLog.write(deploymentId, ({ seq }) =>
      Effect.succeed(seq === 0 ? [{ id: EventId.initialized, at, event }] : [])
    ).pipe(Effect.catchTag(["IllegalTransition", "LeaseLost"], Effect.die))
    if (written.length > 0) {
      const deployment = yield* store.deployment(deploymentId)
      if (deployment !== undefined) return deployment
    }
    if (options.deploymentId !== undefined) {
      return yield* reject("deployment_exists", { deployment: options.deploymentId })
    }
  }
})
