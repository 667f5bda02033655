/**
 * A provider without a cloud: it keeps everything in memory, takes its time from the `Clock` and fails when a script
 * says so. It is the reference of the Provider port, and the provider in tests of engines and strategies.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type {
  Capabilities,
  Checkpoint,
  Drift,
  Json,
  Mutation,
  Observation,
  Provider,
  ProviderGroup,
  ProviderReason,
  Release,
  StackPlan,
  StackRef
} from "../../spi/index.ts"
import { ProviderError } from "../../spi/index.ts"
import { type Applied, operations } from "./SimulatedOperations.ts"
import { Happened } from "./SimulatedEvents.ts"
import { type SimulatedMetrics, source } from "./SimulatedMetrics.ts"
import {
  addCapacity,
  type Cell,
  effective,
  fingerprint,
  keyOf,
  observation,
  placeOf,
  readyAt,
  removeCapacity,
  type Script,
  settle,
  setTraffic,
  Simulation
} from "./SimulatedState.ts"

export type { SimulatedMetrics } from "./SimulatedMetrics.ts"
export type { Script } from "./SimulatedState.ts"

/**
 * The operations of the port, as scripts and the ledger name them.
 */
export type SimulatedOperation =
  | "plan"
  | "stage"
  | "observe"
  | "rollback"
  | "destroy"
  | "shift"
  | "retire"
  | "measure"
  | "detect"
  | "correct"
  | "restart"
  | "events"
  | "fence"

/**
 * An effect that was really carried out.
 *
 * *Details*: `at` in milliseconds of the `Clock`. A repeat with a known idempotency key, and an operation that finds
 * nothing to change, leave no entry: two entries with one key are a duplicate.
 */
export interface LedgerEntry {
  readonly at: number
  readonly operation: SimulatedOperation
  readonly deploymentId: string
  readonly environment: string
  readonly stack: string
  readonly releaseId: string | null
  readonly idempotencyKey: string
  readonly fence: number
}

/**
 * A planned failure.
 *
 * *Details*: hits the `nth` call (from 1, counted per operation and stack from the start) and the `times - 1` after it
 * (default 1; `Infinity` for all), until the time `until`. With `after`, the call fails after its effect: its answer is lost. Without `stack`,
 * any stack, each counted separately; without `nth`, the next calls.
 */
export interface Fault {
  readonly operation: SimulatedOperation
  readonly stack?: string
  readonly nth?: number
  readonly times?: number
  readonly after?: boolean
  readonly until?: number
  readonly reason: ProviderReason
}

/** Capabilities, and which optional groups there are. */
export type SimulatedCapabilities = Partial<Omit<Capabilities, "spiVersion">> & {
  readonly [Group in ProviderGroup]?: boolean
}

/**
 * The properties of the simulated cloud.
 *
 * *Details*: `kind` default `simulated`. All capability groups are on by default (`traffic` is `percent`), except
 * `events` and `fence`; `instances` (2) is the full capacity of a release,
 * `healthUnit` (`instance`) what its health counts, `requestsPerSecond` (50) the load on each
 * stack, `metrics` how they are measured, `latency` (0) how long each operation takes beside script delays. With `handles`
 * (off), the platform knows no idempotency keys: it finds what was begun only by the name of the operation.
 */
export interface SimulatedOptions {
  readonly kind?: string
  readonly capabilities?: SimulatedCapabilities
  readonly instances?: number
  readonly healthUnit?: "instance" | "release"
  readonly requestsPerSecond?: number
  readonly metrics?: SimulatedMetrics
  readonly latencyMillis?: number
  readonly handles?: boolean
  /** What every plan says beside the changes. */
  readonly plan?: Partial<Pick<StackPlan, "data" | "resources" | "target" | "timeoutMs">>
}

/**
 * A simulated provider with its controls.
 *
 * *Details*: `script` sets how a version (`"*"` any) of a stack (`"*"` any) behaves, later ones win field by field;
 * `fail` plants a failure; `foreign` starts a foreign operation on a stack for `millis`, or ends it with `null`;
 * `expire` lets the credentials for a stack (`"*"` any) run out until `renew`, `throttle` refuses every call while it is
 * on; `tamper` makes a field drift; `calls` counts the calls of an operation, including failed ones.
 */
export interface SimulatedProvider {
  readonly provider: Provider
  readonly ledger: ReadonlyArray<LedgerEntry>
  /** The plans that were made, and whether with a mutation. */
  readonly plans: ReadonlyArray<{ readonly stack: string; readonly inExecution: boolean }>
  readonly script: (stack: string, version: string, script: Script) => void
  readonly fail: (fault: Fault) => void
  readonly foreign: (
    ref: StackRef,
    operation: { readonly description: string; readonly millis: number } | null
  ) => Effect.Effect<void>
  readonly expire: (stack?: string) => void
  readonly renew: () => void
  readonly throttle: (on: boolean) => void
  readonly tamper: (ref: StackRef, drift: Drift) => void
  /** Brings a version live that no operation of the provider staged. */
  readonly live: (ref: StackRef, version: string) => Effect.Effect<void>
  readonly calls: (operation: SimulatedOperation, stack: string) => number
  /** The current state, read without the provider. */
  readonly inspect: (ref: StackRef) => Effect.Effect<{
    readonly releases: ReadonlyArray<string>
    readonly traffic: Readonly<Record<string, number>>
  }>
}

const percent = {
  traffic: "percent",
  capacity: true,
  metrics: true,
  drift: true,
  restart: true,
  events: false,
  fence: false,
  fencing: "compared",
  outputs: ["url"]
} as const

/**
 * The capabilities of three very different clouds: the shapes that every strategy has to fit.
 */
export const shapes = {
  /** Slow, transactional, without traffic control: like CloudFormation. */
  transactional: { traffic: "none", capacity: false, metrics: false, drift: true, restart: false },
  /** Revisions that share traffic by percent: like Cloud Run. */
  revisions: { traffic: "percent", capacity: true, metrics: true, drift: true, restart: true },
  /** Uploaded versions, one of them live: like Firebase Hosting. */
  hosting: { traffic: "switch", capacity: false, metrics: false, drift: false, restart: false }
} as const satisfies Record<string, SimulatedCapabilities>

/**
 * Creates a simulated provider. Synchronous, so that a test can keep it beside its layers.
 *
 * *Example*
 *
 * ```ts
 * const cloud = SimulatedProvider.make()
 * cloud.script("api", "3.0.0", { errorRate: 0.2 })
 * cloud.fail({ operation: "shift", stack: "api", reason: { _tag: "Throttled", message: "slow down", retryAfterMs: 10 } })
 * const layer = Providers.layer([cloud.provider])
 * ```
 */
export const make = (options: SimulatedOptions = {}): SimulatedProvider => {
  const kind = options.kind ?? "simulated"
  const { drift, events, fence, metrics, restart, ...declared } = { ...percent, ...options.capabilities }
  const capabilities: Capabilities = { spiVersion: 1, ...declared }
  const world = new Simulation(options.instances ?? 2, options.healthUnit)
  const ledger: Array<LedgerEntry> = []
  const plans: Array<{ readonly stack: string; readonly inExecution: boolean }> = []
  const happened = new Happened()
  const faults: Array<Fault & { left: number }> = []
  const calls = new Map<string, number>()
  let expired: string | undefined
  let throttled = false
  let named = 0
  const fences = new Map<string, number>()

  const failure = (operation: SimulatedOperation, ref: { readonly stack: string }, reason: ProviderReason) =>
    new ProviderError({ provider: kind, operation, stackName: ref.stack, reason })

  const fencedOff = (operation: SimulatedOperation, ref: { readonly stack: string }, fence: number, newest: number) =>
    failure(operation, ref, { _tag: "Fenced", message: `${fence} is older than ${newest}`, fence: newest })

  /** Counts the call and finds the fault that applies. */
  const enter = (operation: SimulatedOperation, ref: { readonly stack: string }, now: number): Fault | undefined => {
    const count = (calls.get(`${operation}/${ref.stack}`) ?? 0) + 1
    calls.set(`${operation}/${ref.stack}`, count)
    if (expired === "*" || expired === ref.stack) {
      return { operation, reason: { _tag: "Expired", message: "the token has expired" } }
    }
    if (throttled) return { operation, reason: { _tag: "Throttled", message: "slow down", retryAfterMs: 1_000 } }
    const due = faults.find(
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

  const read = <A>(
    operation: SimulatedOperation,
    ref: StackRef,
    body: (cell: Cell, now: number) => Effect.Effect<A, ProviderError>
  ) =>
    Effect.gen(function* () {
      const fault = enter(operation, ref, yield* Clock.currentTimeMillis)
      if (options.latencyMillis !== undefined) yield* Effect.sleep(options.latencyMillis)
      if (fault !== undefined) return yield* failure(operation, ref, fault.reason)
      const now = yield* Clock.currentTimeMillis
      const cell = world.cell(ref)
      settle(world, cell, now)
      return yield* body(cell, now)
    })

  /**
   * One mutation: guard, faults, fence, busy; then `apply` (atomic: an interruption comes before or after it), its
   * duration, and `finish`.
   */
  const mutate = (
    operation: SimulatedOperation,
    ref: StackRef,
    mutation: Mutation,
    releaseId: string | null,
    apply: (cell: Cell, now: number) => Applied,
    finish: (cell: Cell, now: number) => ProviderReason | undefined = () => undefined
  ): Effect.Effect<Observation, ProviderError> =>
    Effect.gen(function* () {
      yield* mutation.guard
      const fault = enter(operation, ref, yield* Clock.currentTimeMillis)
      if (options.latencyMillis !== undefined) yield* Effect.sleep(options.latencyMillis)
      if (fault !== undefined && fault.after !== true) return yield* failure(operation, ref, fault.reason)
      const now = yield* Clock.currentTimeMillis
      const cell = world.cell(ref)
      settle(world, cell, now)
      const newest = Math.max(cell.fence, fences.get(placeOf(ref)) ?? 0)
      if (capabilities.fencing === "compared" && mutation.fence < newest)
        return yield* fencedOff(operation, ref, mutation.fence, newest)
      cell.fence = mutation.fence
      if (cell.operation?.foreign === true) {
        return yield* failure(operation, ref, {
          _tag: "Busy",
          message: `${cell.operation.description} is in flight`,
          operation: cell.operation.description,
          since: cell.operation.startedAt
        })
      }
      const name = options.handles === true ? yield* nameOf(mutation, now) : mutation.idempotencyKey
      const resource = releaseId ?? ref.stack
      if (!cell.done.has(name)) {
        const applied: Applied =
          cell.applied?.key === name ? { changed: false, until: cell.applied.until } : apply(cell, now)
        if (applied.reason !== undefined) return yield* failure(operation, ref, applied.reason)
        if (applied.changed) {
          cell.applied = { key: name, until: applied.until }
          cell.lastChangedAt = now
          ledger.push({
            at: now,
            operation,
            deploymentId: ref.deploymentId,
            environment: ref.environment,
            stack: ref.stack,
            releaseId,
            idempotencyKey: mutation.idempotencyKey,
            fence: mutation.fence
          })
          yield* mutation.progress(
            happened.add(ref, now, { message: `${operation} began`, resource, resourceType: "release" })
          )
        }
        if (applied.until > now) {
          cell.operation = {
            id: name,
            description: operation,
            foreign: false,
            startedAt: now,
            until: applied.until
          }
          // A timer may fire a little before the time.
          while ((yield* Clock.currentTimeMillis) < applied.until) {
            yield* Effect.sleep(Math.max(1, applied.until - (yield* Clock.currentTimeMillis)))
          }
        }
        const after = yield* Clock.currentTimeMillis
        settle(world, cell, after)
        const reason = finish(cell, after)
        if (reason !== undefined) {
          cell.applied = null
          yield* mutation.progress(
            happened.add(ref, after, {
              message: `${operation} failed: ${reason.message}`,
              resource,
              resourceType: "release",
              failed: true
            })
          )
          return yield* failure(operation, ref, reason)
        }
        cell.done.add(name)
        yield* mutation.progress(
          happened.add(ref, after, { message: `${operation} is done`, resource, resourceType: "release", done: true })
        )
      }
      if (fault !== undefined) return yield* failure(operation, ref, fault.reason)
      const at = yield* Clock.currentTimeMillis
      settle(world, cell, at)
      return observation(world, cell, at, outputs(ref))
    })

  /** The name of the operation: the handle, which is set before anything begins. */
  const nameOf = Effect.fnUntraced(function* ({ handle }: Mutation, now: number) {
    const known = yield* handle.get
    if (known !== null) return known
    const name = `operation-${now}-${++named}`
    yield* handle.set(name)
    return name
  })

  const outputs = (ref: StackRef) =>
    Object.fromEntries(
      capabilities.outputs
        .map((name) => (name === "*" ? "url" : name))
        .map((name) => [name, `${name}:${ref.environment}/${ref.stack}`])
    )

  const { back, clear, missing, retire, shift, unsupported } = operations(world, kind, capabilities)

  const provider: Provider = {
    kind,
    capabilities,
    properties: Schema.Json,
    plan: (ref, candidate, mutation) =>
      read("plan", ref, (cell, now) => {
        plans.push({ stack: ref.stack, inExecution: mutation !== undefined })
        const configDigest = fingerprint(ref.properties)
        const release: Release = {
          id: `${candidate.version}-${fingerprint([candidate.version, candidate.artifact ?? null, configDigest])}`,
          version: candidate.version,
          ...(candidate.artifact === undefined ? {} : { artifact: candidate.artifact }),
          configDigest
        }
        const stable = cell.stable === null ? null : cell.releases.get(cell.stable)!
        const checkpoint: Checkpoint = {
          release: stable,
          takenAt: now,
          data: { traffic: effective(cell, now) as Json }
        }
        const none = stable?.id === release.id && (effective(cell, now)[release.id] ?? 0) === 100
        return Effect.succeed({
          action: none ? ("none" as const) : stable === null ? ("create" as const) : ("update" as const),
          candidate: release,
          checkpoint,
          changes: none ? [] : [`${ref.stack} will run ${release.version}`],
          rollback: stable === null ? `${ref.stack} goes away` : `${ref.stack} goes back to ${stable.version}`,
          warnings: [],
          ...options.plan
        })
      }),
    stage: (ref, { capacityPercent, plan }, mutation) => {
      const release = plan.candidate
      return mutate(
        "stage",
        ref,
        mutation,
        release.id,
        (cell, now) => {
          if (!capabilities.capacity && capacityPercent !== 100) return unsupported("capacity by parts")
          const before = cell.capacity.get(release.id)
          if (before !== undefined && before.percent >= capacityPercent)
            return { changed: false, until: readyAt(cell, release.id) }
          cell.releases.set(release.id, release)
          if (cell.stable !== release.id) cell.candidate = release.id
          const until = addCapacity(world, cell, release, capacityPercent, now)
          const first = capabilities.firstRelease === "live" && cell.stable === null
          if (first && Object.keys(effective(cell, now)).length === 0) {
            setTraffic(cell, now, until, { [release.id]: 100 })
          }
          if (capabilities.traffic === "none" && world.scriptOf(cell, release).broken === undefined) {
            setTraffic(cell, now, until, { [release.id]: 100 })
            cell.replaces = release.id
          }
          return { changed: true, until }
        },
        (cell, now) => {
          const broken = world.scriptOf(cell, release).broken
          if (broken !== undefined && cell.stable !== release.id) {
            removeCapacity(cell, release.id)
            if (cell.candidate === release.id) cell.candidate = null
            setTraffic(cell, now, now, cell.stable === null ? {} : { [cell.stable]: 100 })
            return { _tag: "Broken", message: broken, resource: release.id }
          }
          if (!cell.capacity.has(release.id))
            return { _tag: "Conflict", message: "another operation took the candidate away" }
          return undefined
        }
      )
    },
    observe: (ref) => read("observe", ref, (cell, now) => Effect.succeed(observation(world, cell, now, outputs(ref)))),
    rollback: (ref, checkpoint, mutation) =>
      mutate(
        "rollback",
        ref,
        mutation,
        checkpoint.release?.id ?? null,
        (cell, now) => (checkpoint.release === null ? clear(cell, now) : back(cell, checkpoint.release, now)),
        (cell) => {
          for (const id of cell.capacity.keys()) if (id !== checkpoint.release?.id) removeCapacity(cell, id)
          return undefined
        }
      ),
    destroy: (ref, mutation) => Effect.asVoid(mutate("destroy", ref, mutation, null, clear)),
    ...(capabilities.traffic === "none"
      ? {}
      : {
          traffic: {
            shift: (ref, options, mutation) =>
              mutate("shift", ref, mutation, options.releaseId, (cell, now) =>
                shift(cell, options.releaseId, options.percent, now)
              ),
            retire: (ref, options, mutation) =>
              mutate("retire", ref, mutation, options.keep, (cell, now) =>
                retire(cell, options.keep, options.capacityPercent, now)
              )
          }
        }),
    ...(!metrics
      ? {}
      : {
          metrics: source(
            options.metrics ?? {},
            (ref, at) => read("measure", ref, (cell, now) => Effect.succeed(at(cell, now))),
            world,
            options.requestsPerSecond ?? 50
          )
        }),
    ...(!drift
      ? {}
      : {
          drift: {
            detect: (ref) => read("detect", ref, (cell) => Effect.succeed([...cell.drift])),
            correct: (ref, fields, mutation) =>
              mutate("correct", ref, mutation, null, (cell, now) => {
                const left = cell.drift.filter(({ field }) => !fields.includes(field))
                const changed = left.length < cell.drift.length
                cell.drift = left
                return { changed, until: now }
              })
          }
        }),
    ...(events
      ? {
          events: {
            since: (ref, cursor, { from }) =>
              read("events", ref, () => Effect.succeed(happened.since(ref, cursor, from)))
          }
        }
      : {}),
    ...(fence
      ? {
          fence: (place, fence) =>
            Effect.gen(function* () {
              const fault = enter("fence", { stack: "" }, yield* Clock.currentTimeMillis)
              if (fault !== undefined) return yield* failure("fence", { stack: "" }, fault.reason)
              const newest = fences.get(placeOf(place)) ?? 0
              if (fence < newest) return yield* fencedOff("fence", { stack: "" }, fence, newest)
              fences.set(placeOf(place), fence)
            })
        }
      : {}),
    ...(!restart
      ? {}
      : {
          restart: (ref, mutation) =>
            mutate("restart", ref, mutation, null, (cell, now) =>
              cell.stable === null ? missing(ref.stack) : { changed: true, until: now }
            )
        })
  }

  return {
    provider,
    ledger,
    plans,
    script: (stack, version, script) => world.script(stack, version, script),
    fail: (fault) => {
      faults.push({ ...fault, left: fault.times ?? 1 })
    },
    foreign: (ref, operation) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        world.cell(ref).operation =
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
    expire: (stack = "*") => void (expired = stack),
    renew: () => void (expired = undefined),
    throttle: (on) => void (throttled = on),
    live: (ref, version) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const cell = world.cell(ref)
        const release: Release = { id: `${version}-foreign`, version, configDigest: "foreign" }
        addCapacity(world, cell, release, 100, now)
        setTraffic(cell, now, now, { [release.id]: 100 })
        if (capabilities.adopts !== true) return
        cell.releases.set(release.id, release)
        cell.stable = release.id
      }),
    tamper: (ref, drift) => {
      const cell = world.cell(ref)
      cell.drift = [...cell.drift.filter(({ field }) => field !== drift.field), drift]
    },
    calls: (operation, stack) => calls.get(`${operation}/${stack}`) ?? 0,
    inspect: (ref) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const cell = world.cells.get(keyOf(ref))
        if (cell === undefined) return { releases: [], traffic: {} }
        settle(world, cell, now)
        return { releases: [...cell.capacity.keys()], traffic: effective(cell, now) }
      })
  }
}
