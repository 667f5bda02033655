/**
 * Where a coordinated deployment takes place: a deployment and one of its environments, with or without a
 * configuration.
 */
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import {
  type DeploymentId,
  EnvironmentName,
  escapeUnfit,
  type Manifest,
  type StackName,
  type StoreError
} from "@signalbox/core/spi"
import type { Signalbox } from "@signalbox/core/engine"
import { actor } from "./actor.ts"
import type { Failure } from "../main/Failure.ts"
import type { Invocation } from "../main/Invocation.ts"
import { inRegion, manifestOf } from "./manifest.ts"
import { engine, signalbox } from "../main/services.ts"
import { withProviders } from "./plugins.ts"
import * as Target from "./target.ts"
import { today } from "./today.ts"
import type * as Option from "effect/Option"

export interface Place {
  readonly manifest: Manifest
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
  /** Whether the project has no configuration; a missing deployment is then created. */
  readonly bare: boolean
  /** Whether it is an existing deployment, named by its ID, to which no environments are added implicitly. */
  readonly named: boolean
  /** Whether its environment may be missing in the configuration. */
  readonly onRecord?: boolean
}

/** A folder may have any name, a project may not. */
const nameOf = (folder: string): string => escapeUnfit(folder).trim().slice(0, 128).trim() || "root"

/** The names of a project without a configuration: from its repository, or else from its folder. */
const namesOf = ({ host, settings }: Invocation): readonly [organization: string, project: string] => {
  const [owner, name] = (host.env.GITHUB_REPOSITORY ?? "").split("/")
  return owner && name ? [nameOf(owner), nameOf(name)] : ["local", nameOf(Path.basename(settings.directory))]
}

/**
 * Finds it. Without a configuration, the deployment is the one of this folder, or else one whose ID follows from the
 * names of the project, so that every checkout of it means the same; without an environment it is "default", until the
 * store knows others.
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
    const manifest = inRegion(configured, environment, inv.settings.region)
    return { manifest, deploymentId, environment, bare: false, named: true }
  }
  const { Configuration, deploymentIdOf } = yield* engine
  const [organization, project] = namesOf(inv)
  const environment = EnvironmentName.make(inv.settings.environment ?? "default")
  const own = deploymentIdOf(organization, project)
  // The file that the first command here wrote names the same deployment, and still lets it grow.
  const deploymentId = given ?? Target.idHere(inv) ?? own
  return {
    manifest: Configuration.bare({ organization, project, environment, stacks }),
    deploymentId,
    environment,
    bare: true,
    named: given !== undefined || deploymentId !== own
  }
})

/**
 * Finds it for operations on the record: locks, and rollbacks. An unreadable configuration is a warning, and the
 * environment may come from the record too.
 */
export const placeOnRecord = Effect.fnUntraced(function* (
  inv: Invocation,
  given: DeploymentId | undefined,
  stacks: ReadonlyArray<StackName> = []
) {
  if (inv.settings.config === undefined) return yield* placeOf(inv, given, stacks)
  const { Configuration } = yield* engine
  const { manifest: read } = yield* today(inv)
  const deploymentId = yield* Target.deploymentId(inv, given)
  const [organization, project] = namesOf(inv)
  // Which one it is, the store knows.
  const names = [inv.settings.environment, ...Object.keys(read?.environments ?? {})]
  const environment = names.find(Target.isEnvironmentName) ?? EnvironmentName.make("default")
  const manifest = read ?? Configuration.bare({ organization, project, environment, stacks })
  const place: Place = { manifest, deploymentId, environment, bare: read === undefined, named: true, onRecord: true }
  return place
})

/** What lists everything that blocks it. */
export const explaining = ({ deploymentId, environment }: Pick<Place, "deploymentId" | "environment">): string =>
  `signalbox can-deploy ${deploymentId} --environment ${environment} --explain`

const moved = (place: Place, environment: EnvironmentName): Place => {
  const { environments } = place.manifest
  const settings = environments[environment] ?? (place.bare ? environments[place.environment]! : { stacks: {} })
  return { ...place, environment, manifest: { ...place.manifest, environments: { [environment]: settings } } }
}

/**
 * The place as the store knows it: a named deployment must exist, and the environment is one of its own; if no
 * environment was named, its only one.
 */
export const settled = Effect.fnUntraced(function* (
  inv: Invocation,
  place: Place
): Effect.fn.Return<Place, Failure | StoreError, Signalbox> {
  if (place.onRecord === true) {
    const configured = place.bare ? undefined : place.manifest
    return moved(place, yield* Target.environmentOnRecord(inv, place.deploymentId, configured))
  }
  if (place.named) {
    const { environments } = yield* Target.deployment(place.deploymentId)
    return place.bare ? moved(place, yield* Target.environmentIn(inv, environments)) : place
  }
  if (inv.settings.environment !== undefined) return place
  const found = yield* (yield* signalbox).deployments.get(place.deploymentId)
  const environments = found?.environments ?? []
  if (environments.length === 0 || environments.includes(place.environment)) return place
  return moved(place, yield* Target.environmentIn(inv, environments))
})

/** Which plug-ins it needs. Commands without a configuration change no stack of theirs, except on the record. */
export const pluginsOf = ({ bare, deploymentId, onRecord }: Place) => ({
  of: deploymentId,
  bare: bare && onRecord !== true
})

/** Works there with the stores open; the deployment of a project without a configuration is created first. */
export const within = <A, E, R>(
  inv: Invocation,
  place: Place,
  by: Option.Option<string>,
  body: (place: Place) => Effect.Effect<A, E, R>
) =>
  withProviders(
    inv,
    pluginsOf(place),
    Effect.gen(function* () {
      const here = yield* settled(inv, place)
      const box = yield* signalbox
      if (!here.named) yield* box.deployments.ensure({ ...here, by: actor(inv, by) })
      return yield* body(here)
    }),
    { create: !place.named }
  )
