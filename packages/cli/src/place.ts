/**
 * Where a coordinated deployment takes place: a deployment and one of its environments, with a configuration or without.
 */
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import { type DeploymentId, DeploymentStore, EnvironmentName, type Manifest, type StackName } from "@signalbox/core/spi"
import { actor } from "./actor.ts"
import type { Invocation } from "./Invocation.ts"
import { inRegion, manifestOf } from "./manifest.ts"
import { engine, signalbox, withServices } from "./services.ts"
import * as Target from "./target.ts"
import type * as Option from "effect/Option"

export interface Place {
  readonly manifest: Manifest
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
  /** Whether the project has no configuration; its deployment is made where there is none. */
  readonly bare: boolean
}

/** The names of a project that has no configuration: those of its repository, else of its folder. */
const namesOf = ({ host, settings }: Invocation): readonly [organization: string, project: string] => {
  const [owner, name] = (host.env.GITHUB_REPOSITORY ?? "").split("/")
  return owner && name ? [owner, name] : ["local", Path.basename(settings.directory) || "root"]
}

/**
 * Finds it. Without a configuration the deployment is the one of this folder, else one whose id follows from the names of
 * the project, so that every checkout of it means the same; without an environment it is "default".
 */
export const placeOf = Effect.fnUntraced(function* (
  inv: Invocation,
  given: DeploymentId | undefined,
  stacks: ReadonlyArray<StackName> = []
) {
  if (inv.settings.config !== undefined) {
    const configured = yield* manifestOf(inv)
    const deploymentId = yield* Target.deploymentId(inv, given)
    const environment = yield* Target.environmentOf(inv, configured)
    return { manifest: inRegion(configured, environment, inv.settings.region), deploymentId, environment, bare: false }
  }
  const { Configuration, deploymentIdOf } = yield* engine
  const [organization, project] = namesOf(inv)
  const environment = EnvironmentName.make(inv.settings.environment ?? "default")
  const deploymentId = given ?? Target.idIn(inv.settings.directory) ?? deploymentIdOf(organization, project)
  return {
    manifest: Configuration.bare({ organization, project, environment, stacks }),
    deploymentId,
    environment,
    bare: true
  }
})

/**
 * A place whose deployment is there already and knows no environment "default": its only one, where none was named.
 *
 * *Details*: a deployment that was named, and is not this project's, gets no new environments.
 */
export const settled = Effect.fnUntraced(function* (inv: Invocation, place: Place, named: boolean) {
  if (!place.bare) {
    yield* Target.deployment(place.deploymentId)
    return place
  }
  const known = named
    ? yield* Target.deployment(place.deploymentId)
    : yield* (yield* DeploymentStore).deployment(place.deploymentId)
  if (known === undefined || known.environments.includes(place.environment)) return place
  if (!named && inv.settings.environment !== undefined) return place
  const environment = yield* Target.environmentIn(inv, known.environments)
  const settings = place.manifest.environments[place.environment]!
  return { ...place, environment, manifest: { ...place.manifest, environments: { [environment]: settings } } }
})

/** Works there with the stores open; a deployment without a configuration is made first. */
export const within = <A, E, R>(
  inv: Invocation,
  place: Place,
  by: Option.Option<string>,
  body: Effect.Effect<A, E, R>
) =>
  withServices(
    inv,
    Effect.gen(function* () {
      const box = yield* signalbox
      if (place.bare) yield* box.ensure({ ...place, by: actor(inv, by) })
      else yield* Target.deployment(place.deploymentId)
      return yield* body
    }),
    { create: place.bare }
  )
