/** Checks effects at providers against the log and the leases. */
import * as Effect from "effect/Effect"
import { environmentLeaseKey } from "../../../spi/LeaseKey.ts"
import type { Mutation, Observation, StackRef } from "../../../spi/Provider.ts"
import type { LedgerEntry, SimulatedOperation, SimulatedProvider } from "../../provider/SimulatedProvider.ts"
import { keyOf } from "../../provider/SimulatedState.ts"
import type { Log } from "./Log.ts"
import type { Monitor } from "./Monitor.ts"
import type { Process } from "../world/World.ts"

/** A mutating call, at the moment when it was sent. */
interface Sent {
  readonly process: Process
  readonly fence: number
}

/** What a simulated cloud reports besides its provider. */
export type Cloud = Pick<SimulatedProvider, "ledger" | "inspect">

export class Effects {
  readonly #monitor: Monitor
  readonly #log: Log
  readonly #stepped: (process: Process) => void
  readonly #clouds: ReadonlyArray<Cloud>
  readonly #seen: Array<number>
  readonly #sent = new Map<string, Sent>()
  readonly #done = new Map<string, LedgerEntry>()
  readonly #fences = new Map<string, number>()
  readonly #refs = new Map<string, StackRef>()
  /** What a process last learned of a stack, and whether something changed there since. */
  readonly #told = new Map<string, Observation>()
  /** Stacks changed by a call that was sent under a lease and arrived after it was over: no cloud can tell. */
  readonly overtaken = new Set<string>()

  constructor(monitor: Monitor, log: Log, clouds: ReadonlyArray<Cloud>, stepped: (process: Process) => void) {
    this.#monitor = monitor
    this.#log = log
    this.#stepped = stepped
    this.#clouds = clouds
    this.#seen = clouds.map(() => 0)
  }

  /** A mutating call leaves the process, after its guard. */
  sent(
    process: Process,
    operation: SimulatedOperation,
    ref: StackRef,
    { fence, idempotencyKey }: Mutation,
    retire?: { readonly keep: string; readonly capacityPercent: number }
  ): void {
    const monitor = this.#monitor
    const lock = environmentLeaseKey(ref.deploymentId, ref.environment)
    this.#refs.set(keyOf(ref), ref)
    monitor.say(`${process.name} calls ${operation} of ${ref.stack} (${idempotencyKey}, token ${fence})`)
    monitor.hold(
      this.#log.holds(lock, fence),
      "one_mutator",
      () => `${process.name} calls ${operation} of ${ref.stack} without holding ${lock} (token ${fence})`
    )
    const { execution, step } = this.#step(idempotencyKey)
    monitor.hold(step !== undefined, "journal_first", () => `${idempotencyKey} is called and has no intent`)
    monitor.hold(
      step?.finished === undefined,
      "journal_first",
      () => `${idempotencyKey} is called again after its receipt`
    )
    monitor.hold(
      execution === undefined || this.#log.leases.get(lock)?.holder === execution.state.correlationId,
      "one_mutator",
      () => `${idempotencyKey} is called while ${this.#log.leases.get(lock)?.holder} holds ${lock}`
    )
    if (retire !== undefined) this.#retires(process, ref, retire)
    this.#sent.set(`${idempotencyKey} ${fence}`, { process, fence })
  }

  /** What the cloud told a process about a stack. */
  observed(process: Process, ref: StackRef, observation: Observation): void {
    this.#told.set(`${process.name} ${keyOf(ref)}`, observation)
  }

  /** A call that began at `since` failed: its effect counts as undone, and may be repeated. */
  failed(idempotencyKey: string, since: number): void {
    this.look()
    const done = this.#done.get(idempotencyKey)
    if (done !== undefined && done.at >= since) this.#done.delete(idempotencyKey)
  }

  /**
   * Looks for new effects, and at the current state. A fault that fires during a look may cause effects, and so another
   * look.
   */
  look(): void {
    this.#clouds.forEach((cloud, index) => {
      while (this.#seen[index]! < cloud.ledger.length) this.#effect(cloud.ledger[this.#seen[index]!++]!, cloud)
    })
  }

  /** Traffic goes only to existing capacity. */
  inspect(ref: StackRef, cloud: Cloud, process: Process): void {
    const { releases, traffic } = Effect.runSyncWith(process.context)(cloud.inspect(ref))
    for (const [releaseId, percent] of Object.entries(traffic)) {
      this.#monitor.hold(
        percent === 0 || releases.includes(releaseId),
        "no_teardown_on_faith",
        () => `${ref.stack} in ${ref.environment}: ${releaseId} has ${percent} % of the traffic and no capacity`
      )
    }
  }

  #step(idempotencyKey: string) {
    const slash = idempotencyKey.indexOf("/")
    const execution = this.#log.executions.get(idempotencyKey.slice(0, slash))
    return { execution, step: execution?.steps.get(idempotencyKey.slice(slash + 1)) }
  }

  #retires(
    process: Process,
    ref: StackRef,
    { capacityPercent, keep }: { readonly keep: string; readonly capacityPercent: number }
  ): void {
    const told = this.#told.get(`${process.name} ${keyOf(ref)}`)
    const share = told?.traffic.find(({ releaseId }) => releaseId === keep)?.percent ?? 0
    const healthy = told?.health[keep]?.healthy ?? 0
    this.#monitor.hold(
      share >= 100 - capacityPercent - 1 && healthy > 0,
      "no_teardown_on_faith",
      () =>
        `${process.name} retires all but ${keep} of ${ref.stack} down to ${capacityPercent} %, and has not observed that it carries the traffic since something was changed (${share} %, ${healthy} healthy)`
    )
  }

  #effect(entry: LedgerEntry, cloud: Cloud): void {
    const monitor = this.#monitor
    const { deploymentId, environment, fence, idempotencyKey, operation, stack } = entry
    const cell = `${deploymentId}/${environment}/${stack}`
    const sent = this.#sent.get(`${idempotencyKey} ${fence}`)
    monitor.steps++
    monitor.say(`cloud ${operation} of ${stack} in ${environment} (${idempotencyKey}, token ${fence})`)
    // Removing capacity moves no traffic: if its answer was lost, it may be called again.
    if (operation !== "retire")
      for (const key of this.#told.keys()) if (key.endsWith(` ${cell}`)) this.#told.delete(key)
    monitor.hold(
      fence >= (this.#fences.get(cell) ?? 0),
      "one_mutator",
      () => `${stack}: an effect with token ${fence} after one with ${this.#fences.get(cell)}`
    )
    this.#fences.set(cell, fence)
    monitor.hold(!this.#done.has(idempotencyKey), "journal_first", () => `${idempotencyKey}: its effect happened twice`)
    this.#done.set(idempotencyKey, entry)
    monitor.hold(
      this.#step(idempotencyKey).step !== undefined,
      "journal_first",
      () => `${idempotencyKey}: an effect without an intent`
    )
    monitor.hold(sent !== undefined, "one_mutator", () => `${idempotencyKey}: an effect that no guard let pass`)
    // It was sent under the lease and travelled long: if no newer call arrived before it, no cloud can tell.
    const ref = this.#refs.get(cell)
    const key = ref === undefined ? "" : environmentLeaseKey(ref.deploymentId, ref.environment)
    if (!this.#log.holds(key, fence)) this.overtaken.add(cell)
    if (ref !== undefined && sent !== undefined) {
      this.inspect(ref, cloud, sent.process)
      this.#stepped(sent.process)
    }
  }
}
