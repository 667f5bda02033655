/**
 * The queues for the leases, read from the log and the leases alone: which requests wait, since when, and which may be
 * admitted.
 */
import type { EnvironmentState, Deployment } from "../../../domain/Environment.ts"
import { lockOn, vetoOn } from "../../../domain/Environment.ts"
import type { Event, EventOf } from "../../../domain/Event.ts"
import * as Freeze from "../../../domain/freeze/Freeze.ts"
import { executionClaimKey, environmentLeaseKey, parseLeaseKey } from "../../../spi/LeaseKey.ts"
import type { Lease } from "../../../spi/LeaseStore.ts"
import type { Monitor } from "./Monitor.ts"
import type { World } from "../world/World.ts"

/** A waiting request. */
interface Waiting {
  readonly id: string
  readonly rollback: boolean
  /** How many later rollbacks went before it. */
  overtaken: number
  readonly at: number
}

/** How often a rollback may overtake a request; repeated here, so that a change of it is noticed. */
const mostOvertaken = 5

const ends: ReadonlySet<string> = new Set(["completed", "failed", "rolled_back", "cancelled"])

export class Queues {
  readonly #world: World
  readonly #monitor: Monitor
  readonly #isDead: (owner: string) => boolean
  readonly #queues = new Map<string, Array<Waiting>>()
  readonly #requests = new Map<string, EventOf<"ExecutionRequested">>()
  readonly #turns = new Set<string>()
  readonly #leases = new Map<string, Lease>()
  /** Since when a key is held without a break: no other holder, and no expiry. */
  readonly #since = new Map<string, number>()

  constructor(world: World, monitor: Monitor, isDead: (owner: string) => boolean) {
    this.#world = world
    this.#monitor = monitor
    this.#isDead = isDead
  }

  /** The waiting requests of an environment, in order of arrival. */
  waiting(environment: string): ReadonlyArray<Waiting> {
    return this.#queues.get(environment) ?? []
  }

  /** A lease was written. */
  swapped(before: Lease | undefined, after: Lease): void {
    const { now } = this.#world
    const lock = parseLeaseKey(after.key)?._tag === "Environment"
    // A request waits through its claim, by any runner; the lease counts from the acquisition of this very lease.
    const broken =
      before === undefined ||
      before.expiresAt <= now ||
      this.#isDead(before.owner) ||
      (lock && before.fence !== after.fence)
    if (broken) this.#since.set(after.key, now)
    if (after.expiresAt <= now) this.#since.delete(after.key)
    this.#leases.set(after.key, after)
  }

  /** An event of an execution was written; `deployment` holds the people's decisions so far. */
  add(id: string, event: Event, deployment: Deployment | undefined): void {
    switch (event._tag) {
      case "ExecutionRequested": {
        this.#requests.set(id, event)
        if (event.kind === "observe") return
        if (event.queue === undefined) return this.#mayBegin(id, event, deployment)
        const waiting: Waiting = { id, rollback: event.kind === "rollback", overtaken: 0, at: this.#world.now }
        return void this.#queues.set(place(event), [...this.waiting(place(event)), waiting])
      }
      case "ExecutionAdmitted":
        return this.#turn(id, deployment)
      case "ProcessStarted":
      case "StepStarted":
        return this.#begun(id, event._tag)
      case "ExecutionTransitioned":
        if (event.on === "started") this.#begun(id, "started")
        if (ends.has(event.on)) this.#leave(id)
    }
  }

  /** How the queue in the state of an environment differs from this one. */
  differs(environment: string, state: EnvironmentState | undefined): string | undefined {
    const said = (state?.queue ?? []).map(({ correlationId, overtaken }) => `${correlationId} (${overtaken})`)
    const found = this.waiting(environment).map(({ id, overtaken }) => `${id} (${overtaken})`)
    return said.join() === found.join()
      ? undefined
      : `the queue of ${environment} is [${said.join(", ")}], by the log [${found.join(", ")}]`
  }

  /** A request with `latest_wins` was accepted, and the requester was told. */
  tookPlace(id: string): void {
    const request = this.#requests.get(id)
    if (request?.queue !== "latest_wins") return
    const queue = this.waiting(place(request))
    const others = queue
      .slice(
        0,
        Math.max(
          0,
          queue.findIndex((one) => one.id === id)
        )
      )
      .filter((one) => !one.rollback)
    this.#monitor.hold(
      others.length === 0,
      "in_turn",
      () =>
        `${id} was taken in as the latest that wins, and ${others.map((one) => one.id).join(", ")} still wait before it`
    )
  }

  #leave(id: string): void {
    const request = this.#requests.get(id)
    if (request === undefined) return
    const queue = this.waiting(place(request)).filter((one) => one.id !== id)
    this.#queues.set(place(request), queue)
  }

  #turn(id: string, deployment: Deployment | undefined): void {
    const monitor = this.#monitor
    const request = this.#requests.get(id)
    if (request === undefined) return
    const queue = this.waiting(place(request))
    const own = queue.find((one) => one.id === id)
    monitor.hold(!this.#turns.has(id), "in_turn", () => `${id} is admitted a second time`)
    this.#turns.add(id)
    if (own === undefined) return monitor.violate("in_turn", `${id} is admitted without waiting`)
    this.#mayBegin(id, request, deployment)
    const since = this.#since.get(environmentLeaseKey(request.deploymentId, request.environment)) ?? this.#world.now
    // A request that was there when the lease was acquired, and waited without a break, has not been forgotten.
    const there = (one: Waiting) => Math.max(one.at, this.#waitsSince(one.id)) < since
    const rank = (one: Waiting) => (one.overtaken >= mostOvertaken ? 0 : one.rollback ? 1 : 2)
    const order = queue.toSorted((left, right) => rank(left) - rank(right))
    const before = order
      .slice(0, order.indexOf(own))
      .filter((one) => there(one) && !this.#isPassed(request, one.id, since))
    monitor.hold(
      before.length === 0,
      "in_turn",
      () => `${id} is admitted before ${before.map((one) => one.id).join(", ")}, which waited all the time`
    )
    const earlier = queue.slice(0, queue.indexOf(own))
    if (own.rollback) for (const one of earlier) if (!one.rollback) one.overtaken++
    const often = queue.find((one) => one !== own && one.overtaken > mostOvertaken && there(one))
    monitor.hold(often === undefined, "in_turn", () => `${often?.id} was overtaken ${often?.overtaken} times`)
    this.#leave(id)
  }

  /** A request that ignores a freeze, or a missing dependency, passes requests that wait for it under the lease. */
  #isPassed({ override }: EventOf<"ExecutionRequested">, other: string, since: number): boolean {
    const request = this.#requests.get(other)
    if (override === undefined || request === undefined || request.override !== undefined) return false
    const { environment, kind, spec } = request
    // Whether its stack lacked another one is not visible here.
    if (kind === "deploy-stack" || (spec.requires ?? []).length > 0) return true
    const frozen = (at: number) => Freeze.activeAt(spec.freezes ?? [], environment, at).length > 0
    return kind !== "rollback" && (frozen(since) || frozen(this.#world.now))
  }

  /** Since when a request has waited without a break; later than everything if no process waits with it now. */
  #waitsSince(id: string): number {
    const claim = this.#leases.get(executionClaimKey(id as never))
    if (claim === undefined || claim.expiresAt <= this.#world.now || this.#isDead(claim.owner)) return Infinity
    return this.#since.get(claim.key) ?? Infinity
  }

  /** People's decisions at the time of the acquisition are respected. */
  #mayBegin(id: string, request: EventOf<"ExecutionRequested">, deployment: Deployment | undefined): void {
    const { deploymentId, environment, spec, version } = request
    const heedsAll = request.kind !== "rollback" && request.override === undefined
    const since = this.#since.get(environmentLeaseKey(deploymentId, environment)) ?? this.#world.now
    const lock = lockOn(deployment, environment, this.#world.now)
    this.#monitor.hold(
      lock === undefined || lock.at >= since,
      "in_turn",
      () => `${id} begins while ${environment} is locked by ${lock?.by}`
    )
    const frozen = heedsAll ? Freeze.activeAt(spec.freezes ?? [], environment, this.#world.now) : []
    this.#monitor.hold(
      frozen.every((freeze) => freeze.since >= since),
      "in_turn",
      () => `${id} begins while ${environment} is frozen: ${frozen[0]?.name}`
    )
    const veto = heedsAll ? vetoOn(deployment, environment, version) : undefined
    this.#monitor.hold(
      veto === undefined || veto.at >= since,
      "in_turn",
      () => `${id} begins with ${version}, which ${veto?.by} has vetoed`
    )
  }

  #begun(id: string, what: string): void {
    const waits = this.#requests.get(id)?.queue !== undefined && !this.#turns.has(id)
    this.#monitor.hold(!waits, "in_turn", () => `${id} is at work (${what}) and is not admitted`)
  }
}

const place = ({ deploymentId, environment }: EventOf<"ExecutionRequested">) => `${deploymentId}/${environment}`
