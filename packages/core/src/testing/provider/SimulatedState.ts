/**
 * The state behind `SimulatedProvider`: what a cloud would hold, as a function of time.
 */
import type { Drift, Observation, Outputs, PlaceRef, Release, StackRef } from "../../spi/index.ts"

/**
 * How one version of a stack behaves.
 *
 * *Details*: times in milliseconds (default 0). `stageMillis` until its capacity is ready, `trafficLagMillis` until
 * requested weights become effective; `broken` makes staging fail with that message,
 * `pruned` loses its release once it has no capacity; `healthy` percent of its instances
 * (default 100), `errorRate` 0–1 of its requests (0), `latencyMillis` of one request (20): numbers, or functions of the
 * milliseconds since it was ready.
 */
export interface Script {
  readonly stageMillis?: number
  readonly trafficLagMillis?: number
  readonly broken?: string
  readonly pruned?: boolean
  readonly healthy?: number | ((age: number) => number)
  readonly errorRate?: number | ((age: number) => number)
  readonly latencyMillis?: number | ((age: number) => number)
}

export interface Capacity {
  readonly release: Release
  percent: number
  readyAt: number
}

export interface Cell {
  readonly stack: string
  readonly releases: Map<string, Release>
  readonly capacity: Map<string, Capacity>
  stable: string | null
  candidate: string | null
  /** Releases that were ready once and are kept, the latest last: they need no time to come back. */
  kept: ReadonlyArray<string>
  /** The candidate that takes over automatically once it is ready, if there is no traffic control. */
  replaces: string | null
  /** Effective from `at`; ordered; the last one is the latest request. */
  traffic: Array<{ readonly at: number; readonly shares: Readonly<Record<string, number>> }>
  asked: Readonly<Record<string, number>>
  operation: {
    readonly id: string
    readonly description: string
    readonly foreign: boolean
    readonly startedAt: number
    readonly until: number
    /** What its end does to the stack, if the cloud itself ends it. */
    readonly end?: (at: number) => void
  } | null
  lastChangedAt: number | null
  drift: ReadonlyArray<Drift>
  fence: number
  readonly done: Set<string>
  /** The last applied mutation: a repeat of it finishes its work instead of restarting it. */
  applied: { readonly key: string; readonly until: number } | null
}

export const keyOf = (ref: StackRef): string => `${ref.deploymentId}/${ref.environment}/${ref.stack}`

export const placeOf = (place: PlaceRef): string => `${place.deploymentId}/${place.environment}`

const stable = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(stable)
    : typeof value === "object" && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, inner]) => [key, stable(inner)])
        )
      : value

/** A short digest (FNV-1a) of JSON, regardless of the order of keys. */
export const fingerprint = (value: unknown): string => {
  let hash = 0x811c9dc5
  for (const char of JSON.stringify(stable(value)) ?? "") {
    hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193)
  }
  return (hash >>> 0).toString(16).padStart(8, "0")
}

export class Simulation {
  readonly cells = new Map<string, Cell>()
  readonly #scripts: Array<{ readonly stack: string; readonly version: string; readonly script: Script }> = []
  readonly instances: number
  readonly healthUnit: "instance" | "release"
  readonly endpoints: boolean

  constructor(instances: number, healthUnit: "instance" | "release" = "instance", endpoints = false) {
    this.instances = instances
    this.healthUnit = healthUnit
    this.endpoints = endpoints
  }

  script(stack: string, version: string, script: Script): void {
    this.#scripts.push({ stack, version, script })
  }

  scriptOf(cell: Cell, release: Release): Script {
    return Object.assign(
      {},
      ...this.#scripts
        .filter(
          ({ stack, version }) =>
            (stack === "*" || stack === cell.stack) && (version === "*" || version === release.version)
        )
        .map(({ script }) => script)
    ) as Script
  }

  cell(ref: StackRef): Cell {
    const key = keyOf(ref)
    const known = this.cells.get(key)
    if (known !== undefined) return known
    const cell: Cell = {
      stack: ref.stack,
      releases: new Map(),
      capacity: new Map(),
      stable: null,
      candidate: null,
      kept: [],
      replaces: null,
      traffic: [],
      asked: {},
      operation: null,
      lastChangedAt: null,
      drift: [],
      fence: 0,
      done: new Set(),
      applied: null
    }
    this.cells.set(key, cell)
    return cell
  }
}

/** Changes that happen over time: operations end, and a release that is live at once becomes the stable one. */
export const settle = (world: Simulation, cell: Cell, now: number): void => {
  if (cell.operation !== null && cell.operation.until <= now) {
    const { end, until } = cell.operation
    cell.operation = null
    end?.(until)
  }
  const candidate = cell.candidate === null ? undefined : cell.capacity.get(cell.candidate)
  if (candidate === undefined || candidate.readyAt > now || cell.operation !== null) return
  const script = world.scriptOf(cell, candidate.release)
  const shares = effective(cell, now)
  // Without traffic control, nothing shifts or retires: the new release simply replaces the old one.
  if (cell.replaces === candidate.release.id && script.broken === undefined && shares[candidate.release.id] === 100) {
    for (const id of cell.capacity.keys()) if (id !== candidate.release.id) removeCapacity(cell, id)
    cell.stable = candidate.release.id
    cell.candidate = null
  }
}

export const effective = (cell: Cell, now: number): Readonly<Record<string, number>> =>
  cell.traffic.findLast(({ at }) => at <= now)?.shares ?? {}

/** Requests weights that become effective at `from`; an earlier request that is not yet effective is dropped. */
export const setTraffic = (cell: Cell, now: number, from: number, shares: Readonly<Record<string, number>>): void => {
  cell.traffic = [...cell.traffic.filter(({ at }) => at <= now), { at: from, shares }]
  cell.asked = shares
}

/** What a transactional cloud goes back to when an operation fails. */
export const snapshot = (cell: Cell, now: number) => ({
  capacity: [...cell.capacity].map(([id, capacity]) => [id, { ...capacity }] as const),
  stable: cell.stable,
  candidate: cell.candidate,
  drift: cell.drift,
  shares: effective(cell, now)
})

export const restore = (cell: Cell, before: ReturnType<typeof snapshot>, at: number): void => {
  const { candidate, capacity, drift, shares, stable } = before
  cell.capacity.clear()
  for (const [id, one] of capacity) cell.capacity.set(id, one)
  Object.assign(cell, { stable, candidate, drift, replaces: null })
  setTraffic(cell, at, at, shares)
}

export const readyAt = (cell: Cell, id: string): number => cell.capacity.get(id)?.readyAt ?? 0

export const addCapacity = (world: Simulation, cell: Cell, release: Release, percent: number, now: number): number => {
  const before = cell.capacity.get(release.id)
  if (before !== undefined && before.percent >= percent) return before.readyAt
  const ready = now + (cell.kept.includes(release.id) ? 0 : (world.scriptOf(cell, release).stageMillis ?? 0))
  if (before === undefined) cell.capacity.set(release.id, { release, percent, readyAt: ready })
  else before.percent = percent
  return ready
}

/** Keeps the last releases that are ready, and prunes older ones; with the last one, all go. */
export const keep = (cell: Cell, now: number, most: number): void => {
  const ready = [...cell.capacity.values()].filter(({ readyAt }) => readyAt <= now).map(({ release }) => release.id)
  const others = cell.kept.filter((id) => !ready.includes(id))
  cell.kept = cell.capacity.size === 0 ? [] : [...others, ...ready].slice(-Math.max(most, ready.length))
}

export const removeCapacity = (cell: Cell, id: string): void => {
  cell.capacity.delete(id)
}

export const valueOf = (
  value: number | ((age: number) => number) | undefined,
  age: number,
  otherwise: number
): number => (value === undefined ? otherwise : typeof value === "number" ? value : value(age))

export const healthyPercent = (world: Simulation, cell: Cell, capacity: Capacity, now: number): number =>
  now < capacity.readyAt || world.scriptOf(cell, capacity.release).broken !== undefined
    ? 0
    : valueOf(world.scriptOf(cell, capacity.release).healthy, now - capacity.readyAt, 100)

export const observation = (world: Simulation, cell: Cell, now: number, outputs: Outputs): Observation => {
  const capacities = [...cell.capacity.values()]
  const health = Object.fromEntries(
    capacities.map((capacity) => {
      const percent = healthyPercent(world, cell, capacity, now)
      if (world.healthUnit === "release") {
        return [capacity.release.id, { healthy: percent === 100 ? 1 : 0, total: 1, unit: "release" as const }]
      }
      const total = Math.ceil((world.instances * capacity.percent) / 100)
      return [capacity.release.id, { healthy: Math.round((total * percent) / 100), total }]
    })
  )
  return {
    status: cell.operation !== null ? "changing" : capacities.length === 0 ? "absent" : "ready",
    stable: cell.stable === null ? null : (cell.releases.get(cell.stable) ?? null),
    candidate: cell.candidate === null ? null : (cell.releases.get(cell.candidate) ?? null),
    traffic: Object.entries(effective(cell, now)).map(([releaseId, percent]) => ({ releaseId, percent })),
    health,
    operation:
      cell.operation === null
        ? null
        : {
            id: cell.operation.id,
            description: cell.operation.description,
            foreign: cell.operation.foreign,
            startedAt: cell.operation.startedAt
          },
    lastChangedAt: cell.lastChangedAt,
    outputs: capacities.length === 0 ? {} : outputs,
    ...(world.endpoints
      ? { endpoints: Object.fromEntries(capacities.map(({ release: { id } }) => [id, `https://${id}.example`])) }
      : {}),
    resources: capacities.map(({ percent, readyAt, release }) => ({
      id: release.id,
      type: "release",
      status: readyAt > now ? "starting" : "running",
      reason: `${percent} % of its capacity`
    }))
  }
}
