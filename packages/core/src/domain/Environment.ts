/**
 * The state of a deployment, and of a deployment in one environment: folds over the events of all its executions.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Actor, DeploymentFields, type Event, type EventOf, Origin } from "./Event.ts"
import { CorrelationId, DeploymentId, EnvironmentName, StackName, Timestamp } from "./Ids.ts"
import { IllegalTransition, move } from "./Illegal.ts"
import { deploymentMachine, DeploymentStatus, type ExecutionKind, stackMachine, StackStatus } from "./Machines.ts"
import * as Queue from "./Queue.ts"
import { Checkpoint, Endpoints, Outputs, Release } from "./Release.ts"
import { ExecutionSettings, StackSpec } from "./Spec.ts"

/**
 * A version that must not be deployed, in one environment or (null) in any.
 */
export const Veto = Schema.Struct({
  version: Schema.String,
  environment: Schema.NullOr(EnvironmentName),
  reason: Schema.String,
  by: Actor,
  at: Timestamp
})
export type Veto = typeof Veto.Type

/**
 * A person's lock, which blocks deployments; permanent, or `until` a time.
 */
export const EnvironmentLock = Schema.Struct({
  environment: EnvironmentName,
  reason: Schema.String,
  by: Actor,
  at: Timestamp,
  until: Schema.optionalKey(Timestamp)
})
export type EnvironmentLock = typeof EnvironmentLock.Type

/**
 * The long-lived thing: an organization's project with its stacks and environments, the vetoed versions and the locked
 * environments.
 */
export const Deployment = Schema.Struct({
  ...DeploymentFields,
  vetoes: Schema.optionalKey(Schema.Array(Veto)),
  locks: Schema.optionalKey(Schema.Array(EnvironmentLock)),
  createdAt: Timestamp
})
export type Deployment = typeof Deployment.Type

/** The deployment that its first event creates. */
export const beginDeployment = (at: Timestamp, event: EventOf<"DeploymentInitialized">): Deployment => ({
  deploymentId: event.deploymentId,
  organization: event.organization,
  project: event.project,
  template: event.template,
  environments: event.environments,
  stacks: event.stacks,
  createdAt: at
})

/**
 * Folds one event of a deployment's own stream into it. A veto or a lock replaces the previous one; another person's
 * lock only by force.
 */
export const evolveDeployment = (
  state: Deployment,
  at: Timestamp,
  event: Event
): Result.Result<Deployment, IllegalTransition> => {
  const { locks = [], vetoes = [] } = state
  const refuse = (subject: string, from: string) =>
    Result.fail(new IllegalTransition({ machine: "deployment", subject, from, on: event._tag }))
  switch (event._tag) {
    case "VersionVetoed":
    case "VetoLifted": {
      const { environment, reason, by, version } = event
      const others = vetoes.filter((veto) => veto.version !== version || veto.environment !== environment)
      if (event._tag === "VersionVetoed") {
        return Result.succeed({ ...state, vetoes: [...others, { version, environment, reason, by, at }] })
      }
      return others.length === vetoes.length
        ? refuse(version, "not vetoed")
        : Result.succeed({ ...state, vetoes: others })
    }
    case "EnvironmentLocked":
    case "EnvironmentUnlocked": {
      const others = locks.filter((lock) => lock.environment !== event.environment)
      if (event._tag === "EnvironmentLocked") {
        const { _tag, force = false, ...lock } = event
        const before = lockOn(state, lock.environment, at)
        return before === undefined || before.by === lock.by || force
          ? Result.succeed({ ...state, locks: [...others, { ...lock, at }] })
          : refuse(lock.environment, "locked by another person")
      }
      return others.length === locks.length
        ? refuse(event.environment, "not locked")
        : Result.succeed({ ...state, locks: others })
    }
    case "DeploymentExtended":
      return Result.succeed({
        ...state,
        environments: [...new Set([...state.environments, ...event.environments])],
        stacks: [...new Set([...state.stacks, ...event.stacks])]
      })
    case "LeaseRevoked":
    case "NotificationAcknowledged":
      return Result.succeed(state)
    default:
      return refuse(state.deploymentId, "present")
  }
}

/**
 * The lock on an environment at a time, if there is one.
 */
export const lockOn = (
  state: Deployment | undefined,
  environment: EnvironmentName,
  now: Timestamp
): EnvironmentLock | undefined =>
  state?.locks?.find((lock) => lock.environment === environment && (lock.until === undefined || lock.until > now))

/**
 * The veto on a version in an environment, if there is one.
 */
export const vetoOn = (
  state: Deployment | undefined,
  environment: EnvironmentName,
  version: string | undefined
): Veto | undefined =>
  version === undefined
    ? undefined
    : state?.vetoes?.find(
        (veto) => veto.version === version && (veto.environment === null || veto.environment === environment)
      )

/**
 * One stack in one environment, across executions. `provider` comes from the last execution that touched it,
 * `checkpoint` is what the last change would roll back to. `spec` is the configuration of the last deployment that
 * began to change it: rollback and destruction use it, whatever the project's file says by then. It is kept as a
 * configuration file would write it.
 */
export const StackInEnvironment = Schema.Struct({
  name: StackName,
  provider: Schema.optionalKey(Schema.String),
  status: StackStatus,
  release: Schema.NullOr(Release),
  checkpoint: Schema.NullOr(Checkpoint),
  outputs: Outputs,
  endpoints: Schema.optionalKey(Endpoints),
  updatedAt: Timestamp,
  spec: Schema.optionalKey(Schema.toEncoded(StackSpec))
})
export type StackInEnvironment = typeof StackInEnvironment.Type

/**
 * A deployment in one environment.
 *
 * *Details*: `everDeployed` tells whether a good release was ever deployed, `current` which execution is in progress
 * and `last` which one was admitted last. `queue` holds the waiting requests. `commit` is what `current` brings in,
 * `deployed` what the last completed one brought in, if known. `settings` belong to the last deployment: where its
 * stacks are, and how they are deployed.
 */
export const EnvironmentState = Schema.Struct({
  deploymentId: DeploymentId,
  environment: EnvironmentName,
  status: DeploymentStatus,
  everDeployed: Schema.Boolean,
  current: Schema.NullOr(CorrelationId),
  last: CorrelationId,
  queue: Schema.optionalKey(Schema.Array(Queue.Ticket)),
  commit: Schema.optionalKey(Origin),
  deployed: Schema.optionalKey(Origin),
  settings: Schema.optionalKey(Schema.toEncoded(ExecutionSettings)),
  stacks: Schema.Array(StackInEnvironment),
  updatedAt: Timestamp
})
export type EnvironmentState = typeof EnvironmentState.Type

const encodeSpec = Schema.encodeSync(StackSpec)
const encodeSettings = Schema.encodeSync(ExecutionSettings)

const start = (
  state: EnvironmentState | undefined,
  at: Timestamp,
  correlationId: CorrelationId,
  event: Pick<EventOf<"ExecutionRequested">, "deploymentId" | "environment" | "spec" | "origin"> & {
    readonly kind: ExecutionKind | undefined
  }
): EnvironmentState => {
  const { stacks, ...settings } = event.spec
  const deploys = event.kind === "deploy" || event.kind === "deploy-stack"
  const known = (state?.stacks ?? []).map((stack): StackInEnvironment => {
    const provider = stacks.find(({ name }) => name === stack.name)?.provider
    return provider === undefined ? stack : { ...stack, provider }
  })
  const added = stacks.filter(({ name }) => !known.some((stack) => stack.name === name))
  const { commit: _, ...kept } = state ?? {}
  return {
    ...kept,
    deploymentId: event.deploymentId,
    environment: event.environment,
    status: state?.status ?? deploymentMachine.initial,
    everDeployed: state?.everDeployed ?? false,
    current: correlationId,
    last: correlationId,
    ...(event.origin === undefined ? {} : { commit: event.origin }),
    ...(deploys ? { settings: encodeSettings(settings) } : {}),
    stacks: [
      ...known,
      ...added.map(({ name, provider }): StackInEnvironment => ({
        name,
        provider,
        status: stackMachine.initial,
        release: null,
        checkpoint: null,
        outputs: {},
        updatedAt: at
      }))
    ],
    updatedAt: at
  }
}

const untouched = (at: Timestamp, event: EventOf<"ExecutionRequested">): EnvironmentState => ({
  deploymentId: event.deploymentId,
  environment: event.environment,
  status: deploymentMachine.initial,
  everDeployed: false,
  current: null,
  last: event.correlationId,
  stacks: [],
  updatedAt: at
})

const wait = (state: EnvironmentState, at: Timestamp, event: EventOf<"ExecutionRequested">): EnvironmentState => {
  const { by, correlationId, kind, origin, queue: policy = "fifo", version } = event
  return {
    ...state,
    queue: Queue.join(state.queue ?? [], {
      correlationId,
      kind,
      by,
      at,
      policy,
      ...(version === undefined ? {} : { version }),
      ...(origin === undefined ? {} : { origin })
    })
  }
}

const request = (
  state: EnvironmentState | undefined,
  at: Timestamp,
  event: EventOf<"ExecutionRequested">
): EnvironmentState => {
  // Foreign operations are observed, and take no queue position.
  if (event.kind === "observe") return state ?? untouched(at, event)
  return event.queue === undefined
    ? start(state, at, event.correlationId, event)
    : wait(state ?? untouched(at, event), at, event)
}

/** The admission of a waiting request, or its end before admission. */
const admit = (
  state: EnvironmentState,
  at: Timestamp,
  id: CorrelationId,
  event: EventOf<"ExecutionAdmitted">
): EnvironmentState => {
  const queue = state.queue ?? []
  const ticket = queue.find(({ correlationId }) => correlationId === id)
  const { deploymentId, environment } = state
  return {
    ...start(state, at, id, {
      deploymentId,
      environment,
      kind: ticket?.kind,
      spec: event.spec,
      ...(ticket?.origin === undefined ? {} : { origin: ticket.origin })
    }),
    queue: Queue.take(queue, id)
  }
}

const end = (state: EnvironmentState, at: Timestamp, id: string, completed: boolean): EnvironmentState => {
  const queue = Queue.leave(state.queue ?? [], id as CorrelationId)
  const left = queue === state.queue || state.queue === undefined ? state : { ...state, queue }
  if (left.current !== id) return left
  const { commit, ...others } = left
  return {
    ...others,
    current: null,
    ...(completed && commit !== undefined ? { deployed: commit } : {}),
    updatedAt: at
  }
}

const onStack = (
  state: EnvironmentState,
  at: Timestamp,
  name: StackName,
  change: (stack: StackInEnvironment) => Result.Result<StackInEnvironment, IllegalTransition>
): Result.Result<EnvironmentState, IllegalTransition> => {
  const before = state.stacks.find((stack) => stack.name === name)
  if (before === undefined) {
    return Result.fail(new IllegalTransition({ machine: "stack", subject: name, from: "absent", on: "changed" }))
  }
  return Result.map(change(before), (after) => ({
    ...state,
    stacks: state.stacks.map((stack) => (stack === before ? { ...after, updatedAt: at } : stack)),
    updatedAt: at
  }))
}

const ends: ReadonlySet<string> = new Set(["completed", "failed", "rolled_back", "cancelled"])

/** While an execution is in progress, no other one changes the status of the deployment. */
const notCurrent = (
  { current, deploymentId, status }: EnvironmentState,
  stream: string,
  { on }: EventOf<"DeploymentTransitioned">
): Result.Result<never, IllegalTransition> =>
  Result.fail(
    new IllegalTransition({
      machine: "deployment",
      subject: deploymentId,
      from: `${status}, which ${current} is at work on,`,
      on: `${on} of ${stream}`
    })
  )

/**
 * Folds one event of an execution into the state of its environment. Irrelevant events leave it as it is (the same
 * object).
 *
 * *Errors*: `IllegalTransition` if the tables do not allow it.
 */
export const evolve = (
  state: EnvironmentState | undefined,
  at: Timestamp,
  stream: string,
  event: Event
): Result.Result<EnvironmentState | undefined, IllegalTransition> => {
  if (event._tag === "ExecutionRequested") return Result.succeed(request(state, at, event))
  if (state === undefined) return Result.succeed(state)
  switch (event._tag) {
    case "ExecutionAdmitted":
      return Result.succeed(admit(state, at, stream as CorrelationId, event))
    case "DeploymentTransitioned":
      if (state.current !== null && state.current !== stream) return notCurrent(state, stream, event)
      return Result.map(move(deploymentMachine, state.deploymentId, state.status, event.on), (status) => ({
        ...state,
        status,
        everDeployed: state.everDeployed || status === "deployed" || status === "partial",
        updatedAt: at
      }))
    case "StackTransitioned":
      return onStack(state, at, event.stack, (stack) =>
        Result.map(move(stackMachine, event.stack, stack.status, event.on), (status) => ({
          ...stack,
          status,
          ...(event.release === undefined ? {} : { release: event.release }),
          ...(event.spec === undefined ? {} : { spec: encodeSpec(event.spec) })
        }))
      )
    case "CheckpointRecorded":
      return onStack(state, at, event.stack, (stack) => Result.succeed({ ...stack, checkpoint: event.checkpoint }))
    case "OutputsRecorded":
      return onStack(state, at, event.stack, (stack) =>
        Result.succeed({
          ...stack,
          outputs: event.outputs,
          ...(event.endpoints === undefined ? {} : { endpoints: event.endpoints })
        })
      )
    case "ExecutionTransitioned":
      return Result.succeed(ends.has(event.on) ? end(state, at, stream, event.on === "completed") : state)
    default:
      return Result.succeed(state)
  }
}
