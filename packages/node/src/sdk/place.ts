/** Where coordination takes place: a deployment and one of its environments, with or without a configuration. */
import { Configuration } from "@signalbox/core/config"
import { deploymentIdOf, RecordedManifest } from "@signalbox/core/engine"
import { DeploymentId, type Environment, EnvironmentName, type Manifest, StackName } from "@signalbox/core/spi"
import type { UndoOptions } from "./Connection.ts"
import type { OwnerOptions } from "./Coordination.ts"
import { named } from "./input.ts"
import type { Session } from "./session.ts"
import { ConfigurationError, InvalidInputError, NotFoundError } from "./SignalboxError.ts"

export interface Place {
  readonly manifest: Manifest
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
  /** Whether there is no configuration. */
  readonly bare: boolean
  /** Whether a missing deployment is created. */
  readonly own: boolean
}

interface Asked {
  readonly environment: string
  readonly stacks?: ReadonlyArray<string> | undefined
  readonly signal?: AbortSignal | undefined
}

interface Names {
  readonly organization: string
  readonly project: string
}

/** The names in "acme/shop"; the names of a folder "shop" without a repository. */
const namesOf = (given: string): Names => {
  const [first = "", second, ...more] = given.split("/")
  const names =
    second === undefined ? { organization: "local", project: first } : { organization: first, project: second }
  if (more.length === 0 && names.organization !== "" && names.project !== "") return names
  throw new InvalidInputError({
    code: "input_invalid",
    message: `project: "${given}" is no name of a project`,
    hint: `Give it as "acme/shop", or "shop".`,
    path: "project"
  })
}

const bare = (names: Names, environment: EnvironmentName, stacks: ReadonlyArray<StackName>): Manifest => {
  try {
    return Configuration.bare({ ...names, environment, stacks })
  } catch (error) {
    throw new InvalidInputError({
      code: "input_invalid",
      message: `project: "${names.organization}/${names.project}" is no name of a project`,
      hint: "A name has 1 to 128 characters, without blanks around it.",
      path: "project",
      cause: error
    })
  }
}

/** The deployment itself. */
export const deploymentOf = async (
  session: Session,
  id: DeploymentId,
  signal: AbortSignal | undefined
): Promise<Environment.Deployment> => {
  const found = await session.box(({ deployments }) => deployments.get(id), signal)
  if (found !== undefined) return found
  throw new NotFoundError({
    code: "unknown_deployment",
    message: `there is no deployment ${id}`,
    hint: "Create one with deployments.init()."
  })
}

/** A lock with a mistyped name would keep no one out. */
const known = ({ deploymentId, environments }: Environment.Deployment, environment: EnvironmentName): void => {
  if (environments.includes(environment)) return
  throw new InvalidInputError({
    code: "unknown_environment",
    message: `${deploymentId} has no environment "${environment}"`,
    hint: `Its environments are: ${environments.join(", ")}.`,
    path: "environment"
  })
}

/** Finds it. Writes nothing. */
export const placeOf = async (session: Session, options: OwnerOptions & Asked): Promise<Place> => {
  const environment = named(EnvironmentName, "environment", options.environment)
  const stacks = (options.stacks ?? []).map((stack, index) => named(StackName, `stacks[${index}]`, stack))
  if (options.project !== undefined) {
    const names = namesOf(options.project)
    const deploymentId = deploymentIdOf(names.organization, names.project)
    return { manifest: bare(names, environment, stacks), deploymentId, environment, bare: true, own: true }
  }
  const deploymentId = named(DeploymentId, "deploymentId", options.deploymentId)
  if (options.configuration !== undefined) {
    const manifest = await session.checked(options.configuration)
    return { manifest, deploymentId, environment, bare: false, own: false }
  }
  const deployment = await deploymentOf(session, deploymentId, options.signal)
  const own = deploymentIdOf(deployment.organization, deployment.project) === deploymentId
  if (!own) known(deployment, environment)
  return { manifest: bare(deployment, environment, stacks), deploymentId, environment, bare: true, own }
}

/** Warns as Node does. */
export const warn = (message: string): void => process.emitWarning(message, "SignalboxWarning")

/** The mistakes of a configuration that the record replaces. */
const passedOver = (error: unknown): void => {
  if (!(error instanceof ConfigurationError)) throw error
  warn(`${error.message}; what was recorded is used instead of the configuration`)
}

/** Finds it for leases and locks, which do not depend on a configuration: a wrong one is ignored. */
export const placeOnRecord = (session: Session, options: OwnerOptions & Asked): Promise<Place> =>
  placeOf(session, options).catch((error: unknown) => {
    if (options.deploymentId === undefined) throw error
    passedOver(error)
    const { deploymentId, environment, signal, stacks } = options
    return placeOf(session, { deploymentId, environment, signal, stacks })
  })

/** Finds it for operations on deployed stacks, with the recorded configuration. */
export const recordedPlace = async (
  session: Session,
  options: Pick<UndoOptions, "configuration" | "deploymentId" | "environment" | "signal">
): Promise<Place> => {
  const deploymentId = named(DeploymentId, "deploymentId", options.deploymentId)
  const environment = named(EnvironmentName, "environment", options.environment)
  const deployment = await deploymentOf(session, deploymentId, options.signal)
  const state = await session.box(
    ({ deployments }) => deployments.environment(deploymentId, environment),
    options.signal
  )
  const today =
    options.configuration === undefined
      ? undefined
      : await session.checked(options.configuration).catch((error: unknown) => {
          if (!RecordedManifest.isRecorded(state)) throw error
          return void passedOver(error)
        })
  if (today === undefined && state === undefined) known(deployment, environment)
  const manifest = RecordedManifest.manifest(deployment, environment, state, today)
  return { manifest, deploymentId, environment, bare: false, own: false }
}

/** Creates the deployment of a project if it is missing, and adds what it does not know yet. */
export const ensured = async (session: Session, place: Place, by: string): Promise<void> => {
  if (place.bare) await session.box(({ deployments }) => deployments.ensure({ ...place, by }), undefined)
}
