/** An independent reading of the event log: every append is folded again and checked against the invariants. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import {
  beginDeployment,
  type Deployment,
  type EnvironmentState,
  evolve as evolveEnvironment,
  evolveDeployment
} from "../../../domain/Environment.ts"
import * as EventId from "../../../domain/EventId.ts"
import { Event, type EventOf } from "../../../domain/Event.ts"
import { evolve, type ExecutionState, isFinished } from "../../../domain/Execution.ts"
import { isRunnerClaim } from "../../../engine/lease/Claim.ts"
import { executionClaimKey, environmentLeaseKey } from "../../../spi/LeaseKey.ts"
import type { Lease } from "../../../spi/LeaseStore.ts"
import type { Commit } from "../../../store/Encoded.ts"
import { sentencesIn } from "../../sentences.ts"
import { differs } from "./differs.ts"
import { Queues } from "./Queues.ts"
import * as Rules from "./Rules.ts"
import type { LoggedExecution } from "./Rules.ts"
import type { Monitor } from "./Monitor.ts"
import type { Process, World } from "../world/World.ts"

const decodeEvent = Schema.decodeSync(Schema.fromJsonString(Event))

export class Log {
  readonly executions = new Map<string, LoggedExecution>()
  readonly environments = new Map<string, { version: number; state: EnvironmentState | undefined }>()
  readonly leases = new Map<string, Lease>()
  readonly queues: Queues
  readonly #world: World
  readonly #monitor: Monitor
  readonly #ofOwner: (owner: string) => Process | undefined
  readonly #stepped: (process: Process) => void
  /** The states in the store, as text. */
  readonly #written = new Map<string, string>()
  #position = 0
  deployment: Deployment | undefined

  constructor(
    world: World,
    monitor: Monitor,
    options: {
      readonly ofOwner: (owner: string) => Process | undefined
      readonly stepped: (process: Process) => void
    }
  ) {
    this.#world = world
    this.#monitor = monitor
    this.#ofOwner = options.ofOwner
    this.#stepped = options.stepped
    this.queues = new Queues(world, monitor, (owner) => options.ofOwner(owner)?.state === "dead")
  }

  /** Whether the lease with this fence is held at this moment. */
  holds(key: string, fence: number | undefined): boolean {
    const lease = this.leases.get(key)
    return lease !== undefined && lease.fence === fence && lease.expiresAt > this.#world.now
  }

  /** A lease was written. */
  swapped(process: Process, after: Lease): void {
    const before = this.leases.get(after.key)
    this.leases.set(after.key, after)
    this.queues.swapped(before, after)
    if (before?.fence !== after.fence) this.#monitor.say(`${process.name} acquired ${after.key} with ${after.fence}`)
    const { hold } = Rules.of(this.#monitor)
    hold(after.fence >= (before?.fence ?? 0), "one_mutator", () => `the token of ${after.key} went down`)
    if (before === undefined || before.fence === after.fence || before.expiresAt <= this.#world.now) return
    const owner = this.#ofOwner(before.owner)
    hold(
      before.holder === after.holder || !isRunnerClaim(before) || owner === undefined || owner.state === "dead",
      "one_mutator",
      () => `${after.key} was taken from ${before.holder}, who holds it`
    )
  }

  /** An append was written. */
  committed(process: Process, write: Commit, positions: ReadonlyArray<number>): void {
    this.#monitor.steps++
    write.events.forEach((row, index) => {
      const position = positions[index]!
      this.#monitor.hold(position > this.#position, "log_is_truth", () => `position ${position} was given out twice`)
      this.#position = position
      this.#add(process, write.stream, row.seq, row.id, row.at, decodeEvent(row.body))
    })
    const execution = this.executions.get(write.stream)
    if (execution !== undefined) {
      this.#checkStates(write, execution)
      this.#checkEnding(write, execution)
      this.#checkWriter(process, write, execution)
    }
    this.#stepped(process)
  }

  #add(process: Process, stream: string, seq: number, id: string, at: number, event: Event): void {
    const monitor = this.#monitor
    monitor.say(`${process.name} ${stream}#${seq} ${summary(event)}`)
    const [sentence] = sentencesIn(event)
    if (sentence !== undefined) monitor.violate("data_only", `${stream}#${seq}: ${sentence.path} is "${sentence.text}"`)
    if (event._tag === "DeploymentInitialized") {
      monitor.hold(this.deployment === undefined, "log_is_truth", () => `${stream} is initialized twice`)
      this.deployment = beginDeployment(at, event)
      return
    }
    if (stream === this.deployment?.deploymentId) {
      const folded = evolveDeployment(this.deployment, at, event)
      if (Result.isSuccess(folded)) this.deployment = folded.success
      else monitor.violate("log_is_truth", `${stream}#${seq}: ${event._tag} is illegal: ${folded.failure.message}`)
      return
    }
    this.queues.add(stream, event, this.deployment)
    const known = this.executions.get(stream)
    const folded = evolve(known?.state, at, event)
    if (Result.isFailure(folded)) {
      return monitor.violate("log_is_truth", `${stream}#${seq}: ${event._tag} is illegal: ${folded.failure.message}`)
    }
    if (known === undefined) {
      if (event._tag !== "ExecutionRequested") return
      this.executions.set(stream, begin(folded.success, event, id))
    } else {
      monitor.hold(seq === known.seq + 1, "log_is_truth", () => `${stream}#${seq} follows #${known.seq}`)
      monitor.hold(!known.ids.has(id), "log_is_truth", () => `${stream}#${seq}: the event ${id} is there twice`)
      monitor.hold(
        // The end itself is reported after it.
        !isFinished(known.state) || event._tag === "CommandIssued" || event._tag === "AlertRaised",
        "log_is_truth",
        () => `${stream}#${seq}: ${event._tag} after the end`
      )
      known.seq = seq
      known.ids.add(id)
      known.state = folded.success
      Rules.check(monitor, known, at, event)
      if (event._tag === "RunnerClaimed") {
        known.runner = { fence: event.fence, process }
        known.lock = undefined
      }
      if (event._tag === "LeaseAcquired") known.lock = event.fence
    }
    this.#foldEnvironment(stream, at, event)
  }

  #foldEnvironment(stream: string, at: number, event: Event): void {
    const { deploymentId, environment } = this.executions.get(stream)!.state
    const key = `${deploymentId}/${environment}`
    const known = this.environments.get(key) ?? { version: 0, state: undefined }
    this.environments.set(key, known)
    const folded = evolveEnvironment(known.state, at, stream, event)
    if (Result.isFailure(folded)) {
      return this.#monitor.violate("log_is_truth", `${stream}: ${event._tag} is illegal: ${folded.failure.message}`)
    }
    known.state = folded.success
  }

  /** The stored states are the fold of all events. */
  #checkStates(write: Commit, { state }: LoggedExecution): void {
    const place = `${state.deploymentId}/${state.environment}`
    if (write.execution !== undefined) this.#written.set(write.stream, write.execution.state)
    if (write.environment !== undefined) this.#written.set(place, write.environment.state)
    const difference =
      differsFrom(this.#written.get(write.stream), state, "execution") ??
      differsFrom(this.#written.get(place), this.environments.get(place)?.state, "environment") ??
      this.queues.differs(place, this.environments.get(place)?.state)
    if (difference !== undefined) {
      this.#monitor.violate("log_is_truth", `${write.stream}: the state is not the fold of its events: ${difference}`)
    }
  }

  /** The report of an end comes with the end: it must not be left to a later process. */
  #checkEnding({ stream }: Commit, { ids, state }: LoggedExecution): void {
    if (!isFinished(state)) return
    const told = [...ids].filter((id) => EventId.isEnded(id))
    const { hold } = Rules.of(this.#monitor)
    hold(told.length === 1, "everything_ends", () => `${stream} is ${state.status}, and is told ${told.length} times`)
  }

  /**
   * Only the current runner writes to an execution, and only under the lease; or the one that closes it, under both.
   */
  #checkWriter(process: Process, write: Commit, execution: LoggedExecution): void {
    const { hold } = Rules.of(this.#monitor)
    const { correlationId, deploymentId, environment } = execution.state
    const lock = environmentLeaseKey(deploymentId, environment)
    const claim = executionClaimKey(correlationId)
    const tags = new Set(write.events.map(({ tag }) => tag))
    const ids = write.events.flatMap(({ id, tag }) => (tag === "AlertRaised" ? [] : [id]))
    const who = () => `${process.name} wrote into ${write.stream} (${write.events.map(({ id }) => id).join(", ")})`
    if (tags.has("ExecutionRequested")) {
      // A waiting request takes nothing yet.
      const waits = execution.request.queue !== undefined
      hold(waits || this.holds(lock, execution.lock), "one_mutator", () => `${who()} without holding ${lock}`)
      return
    }
    if (write.events.every(({ tag }) => tag === "CommandIssued")) return
    const { runner } = execution
    const holder = this.leases.get(lock)
    const claimed = this.leases.get(claim)
    const claims = this.holds(claim, claimed?.fence) && this.#ofOwner(claimed?.owner ?? "") === process
    if (tags.has("ExecutionAdmitted")) {
      const both = claims && holder?.holder === correlationId && this.holds(lock, holder.fence)
      hold(both, "one_mutator", () => `${who()} as its turn, without holding ${lock} and ${claim}`)
      return
    }
    // Any process may withdraw a waiting request: it has changed nothing.
    if (execution.request.queue !== undefined && execution.state.turnAt === undefined && isFinished(execution.state))
      return
    // A request that was only registered is ended by `cleanup`.
    if (runner === undefined && ids.every((id) => EventId.isClosing(id) || EventId.isReported(id)) && claims) return
    if (holder?.holder !== correlationId && ids.every(EventId.isClosing)) {
      const both = this.holds(lock, holder?.fence) && this.holds(claim, this.leases.get(claim)?.fence)
      hold(both, "one_mutator", () => `${who()} to close it, without holding ${lock} and ${claim}`)
      return
    }
    hold(
      runner?.process === process && this.holds(claim, runner.fence),
      "one_mutator",
      () => `${who()} without the claim to run it`
    )
    hold(
      execution.lock === undefined || this.holds(lock, execution.lock),
      "one_mutator",
      () => `${who()} without holding ${lock}`
    )
  }
}

/** States are compared as text first: only the order of their keys may differ. */
const differsFrom = (written: string | undefined, state: unknown, path: string): string | undefined =>
  written === JSON.stringify(state) ? undefined : differs(JSON.parse(written ?? "null"), state, path)

const begin = (state: ExecutionState, request: EventOf<"ExecutionRequested">, id: string): LoggedExecution => ({
  seq: 1,
  ids: new Set([id]),
  state,
  request,
  steps: new Map(),
  commands: [],
  touched: new Set(),
  verdicts: [],
  unproven: new Map(),
  runner: undefined,
  lock: undefined
})

/** One event in a few words. */
const summary = (event: Event): string => {
  switch (event._tag) {
    case "ExecutionRequested":
      return `requested: ${event.kind} ${event.version ?? ""} in ${event.environment}${event.queue === undefined ? "" : `, ${event.queue}`}${event.supersedes === undefined ? "" : `, supersedes ${event.supersedes}`}`
    case "StepStarted":
      return `intent ${event.step}`
    case "StepFinished":
      return `receipt ${event.step} ${(event.exit as { readonly _tag?: string } | null)?._tag ?? ""}`
    case "ExecutionTransitioned":
    case "DeploymentTransitioned":
      return `${event._tag === "ExecutionTransitioned" ? "execution" : "deployment"} ${event.on}${event.cause === undefined ? "" : ` (${event.cause.code})`}`
    case "StackTransitioned":
      return `stack ${event.stack} ${event.on}`
    case "StageTransitioned":
      return `stage ${event.stack ?? ""}/${event.stage} ${event.on}`
    case "VerdictReached":
      return `verdict ${event.verdict.stack} ${event.verdict.step} ${event.verdict.verdict}`
    case "CommandIssued":
      return `command ${event.command}`
    case "TrafficObserved":
      return `traffic ${event.stack} ${event.candidate} %`
    default:
      return event._tag
  }
}
