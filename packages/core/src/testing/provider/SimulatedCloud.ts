/**
 * A simulated cloud from outside: its calls, planned failures and fences, the ledger of its effects, and its controls.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type {
  AlarmState,
  Capabilities,
  Mutation,
  PlaceRef,
  Provider,
  ProviderEvent,
  ProviderReason,
  Release,
  StackRef
} from "../../spi/index.ts"
import { ProviderError } from "../../spi/index.ts"
import type { Fault, LedgerEntry, SimulatedOperation, SimulatedProvider } from "./SimulatedControls.ts"
import { Happened } from "./SimulatedEvents.ts"
import { SimulatedLogs } from "./SimulatedLogs.ts"
import { addCapacity, type Cell, effective, keyOf, placeOf, setTraffic, settle, Simulation } from "./SimulatedState.ts"

/** The parts of the options that concern every simulated cloud. */
export interface CloudOptions {
  readonly kind: string
  readonly capabilities: Capabilities
  readonly instances?: number | undefined
  readonly healthUnit?: "instance" | "release" | undefined
  readonly endpoints?: boolean | undefined
  readonly latencyMillis?: number | undefined
}

export class SimulatedCloud {
  readonly kind: string
  readonly capabilities: Capabilities
  readonly world: Simulation
  readonly ledger: Array<LedgerEntry> = []
  readonly plans: Array<{ readonly stack: string; readonly inExecution: boolean }> = []
  readonly happened = new Happened()
  readonly written = new SimulatedLogs()
  readonly #latencyMillis: number | undefined
  readonly #faults: Array<Fault & { left: number }> = []
  readonly #calls = new Map<string, number>()
  readonly #fences = new Map<string, number>()
  readonly #alarms = new Map<string, AlarmState>()
  #expired: string | undefined
  #throttled = false

  constructor({ capabilities, endpoints, healthUnit, instances, kind, latencyMillis }: CloudOptions) {
    this.kind = kind
    this.capabilities = capabilities
    this.world = new Simulation(instances ?? 2, healthUnit, endpoints)
    this.#latencyMillis = latencyMillis
  }

  failure(operation: SimulatedOperation, ref: { readonly stack: string }, reason: ProviderReason): ProviderError {
    return new ProviderError({ provider: this.kind, operation, stackName: ref.stack, reason })
  }

  /** Counts a call, lets its time pass, and returns the fault that hits it. */
  enter(operation: SimulatedOperation, ref: { readonly stack: string }): Effect.Effect<Fault | undefined> {
    return Effect.gen({ self: this }, function* () {
      const fault = this.#due(operation, ref, yield* Clock.currentTimeMillis)
      if (this.#latencyMillis !== undefined) yield* Effect.sleep(this.#latencyMillis)
      return fault
    })
  }

  #due(operation: SimulatedOperation, ref: { readonly stack: string }, now: number): Fault | undefined {
    const count = this.calls(operation, ref.stack) + 1
    this.#calls.set(`${operation}/${ref.stack}`, count)
    if (this.#expired === "*" || this.#expired === ref.stack) {
      return { operation, reason: { _tag: "Expired", message: "the token has expired" } }
    }
    if (this.#throttled) return { operation, reason: { _tag: "Throttled", message: "slow down", retryAfterMs: 1_000 } }
    const due = this.#faults.find(
      (fault) =>
        fault.operation === operation &&
        (fault.stack ?? ref.stack) === ref.stack &&
        fault.left > 0 &&
        (fault.until ?? Infinity) > now &&
        count >= (fault.nth ?? 1)
    )
    if (due !== undefined) due.left -= 1
    return due
  }

  /** The stack as it is now. */
  settled(ref: StackRef): Effect.Effect<{ readonly cell: Cell; readonly now: number }> {
    return Effect.map(Clock.currentTimeMillis, (now) => {
      const cell = this.world.cell(ref)
      settle(this.world, cell, now)
      return { cell, now }
    })
  }

  read<A>(
    operation: SimulatedOperation,
    ref: StackRef,
    body: (cell: Cell, now: number) => A
  ): Effect.Effect<A, ProviderError> {
    return Effect.gen({ self: this }, function* () {
      const fault = yield* this.enter(operation, ref)
      if (fault !== undefined) return yield* this.failure(operation, ref, fault.reason)
      const { cell, now } = yield* this.settled(ref)
      return body(cell, now)
    })
  }

  /** Lets a mutation in, unless a newer holder has called or a foreign operation is in progress. */
  admit(operation: SimulatedOperation, ref: StackRef, cell: Cell, { fence }: Mutation): ProviderError | undefined {
    const newest = Math.max(cell.fence, this.#fences.get(placeOf(ref)) ?? 0)
    if (this.capabilities.fencing === "compared" && fence < newest) return this.#fenced(operation, ref, fence, newest)
    cell.fence = fence
    if (cell.operation?.foreign !== true) return undefined
    const { description, startedAt: since } = cell.operation
    return this.failure(operation, ref, {
      _tag: "Busy",
      message: `${description} is in progress`,
      operation: description,
      since
    })
  }

  #fenced(operation: SimulatedOperation, ref: { readonly stack: string }, fence: number, newest: number) {
    return this.failure(operation, ref, { _tag: "Fenced", message: `${fence} is older than ${newest}`, fence: newest })
  }

  fence(place: PlaceRef, fence: number): Effect.Effect<void, ProviderError> {
    return Effect.gen({ self: this }, function* () {
      const fault = yield* this.enter("fence", { stack: "" })
      if (fault !== undefined) return yield* this.failure("fence", { stack: "" }, fault.reason)
      const newest = this.#fences.get(placeOf(place)) ?? 0
      if (fence < newest) return yield* this.#fenced("fence", { stack: "" }, fence, newest)
      this.#fences.set(placeOf(place), fence)
    })
  }

  /** Writes an effect into the ledger. */
  record(
    operation: SimulatedOperation,
    { deploymentId, environment, stack }: StackRef,
    { fence, idempotencyKey }: Mutation,
    { at, releaseId }: { readonly at: number; readonly releaseId: string | null }
  ): void {
    this.ledger.push({ at, operation, deploymentId, environment, stack, releaseId, idempotencyKey, fence })
  }

  /** An event of a release, or of the stack. */
  event(
    ref: StackRef,
    at: number,
    releaseId: string | null,
    given: Pick<ProviderEvent, "message" | "done" | "failed">
  ): ProviderEvent {
    return this.happened.add(ref, at, { resource: releaseId ?? ref.stack, resourceType: "release", ...given })
  }

  calls(operation: SimulatedOperation, stack: string): number {
    return this.#calls.get(`${operation}/${stack}`) ?? 0
  }

  outputs({ environment, stack }: StackRef): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.capabilities.outputs
        .map((name) => (name === "*" ? "url" : name))
        .map((name) => [name, `${name}:${environment}/${stack}`])
    )
  }

  alarmStates(names: ReadonlyArray<string>): Readonly<Record<string, AlarmState>> {
    return Object.fromEntries(names.map((name) => [name, this.#alarms.get(name) ?? "insufficient_data"]))
  }

  /** The controls of the cloud, beside a provider for it. */
  controls(provider: Provider): SimulatedProvider {
    return {
      provider,
      ledger: this.ledger,
      plans: this.plans,
      script: (stack, version, script) => this.world.script(stack, version, script),
      fail: (fault) => void this.#faults.push({ ...fault, left: fault.times ?? 1 }),
      foreign: (ref, operation) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          this.world.cell(ref).operation =
            operation === null
              ? null
              : {
                  id: `foreign-${now}`,
                  description: operation.description,
                  foreign: true,
                  startedAt: now,
                  until: now + operation.millis
                }
        }),
      alarm: (name, state) => void this.#alarms.set(name, state),
      write: (ref, text, version) =>
        Effect.map(this.settled(ref), ({ cell, now }) => {
          const named = [...cell.capacity.values()].find(({ release }) => release.version === version)
          const releaseId = named?.release.id ?? cell.stable ?? cell.candidate ?? "-"
          this.written.add(ref, { at: now, releaseId, instance: `${releaseId}-1`, text })
        }),
      expire: (stack = "*") => void (this.#expired = stack),
      renew: () => void (this.#expired = undefined),
      throttle: (on) => void (this.#throttled = on),
      live: (ref, version) =>
        Effect.map(this.settled(ref), ({ cell, now }) => {
          const release: Release = { id: `${version}-foreign`, version, configDigest: "foreign" }
          addCapacity(this.world, cell, release, 100, now)
          setTraffic(cell, now, now, { [release.id]: 100 })
          if (this.capabilities.adopts !== true) return
          cell.releases.set(release.id, release)
          cell.stable = release.id
        }),
      tamper: (ref, drift) => {
        const cell = this.world.cell(ref)
        cell.drift = [...cell.drift.filter(({ field }) => field !== drift.field), drift]
      },
      calls: (operation, stack) => this.calls(operation, stack),
      inspect: (ref) =>
        Effect.suspend(() =>
          this.world.cells.has(keyOf(ref))
            ? Effect.map(this.settled(ref), ({ cell, now }) => ({
                releases: [...cell.capacity.keys()],
                traffic: effective(cell, now)
              }))
            : Effect.succeed({ releases: [], traffic: {} })
        )
    }
  }
}
