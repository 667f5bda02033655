/**
 * The effects of `SimulatedProvider`'s operations on its state. Each is atomic, at one moment.
 */
import type { Capabilities, ProviderReason, Release } from "../../spi/index.ts"
import {
  addCapacity,
  type Cell,
  effective,
  fingerprint,
  readyAt,
  removeCapacity,
  setTraffic,
  type Simulation
} from "./SimulatedState.ts"

/** Whether anything changed, when it will be done, and why it was refused. */
export interface Applied {
  readonly changed: boolean
  readonly until: number
  readonly reason?: ProviderReason
}

export const operations = (world: Simulation, kind: string, capabilities: Capabilities) => {
  const conflict = (message: string): Applied => ({ changed: false, until: 0, reason: { _tag: "Conflict", message } })
  const missing = (id: string): Applied => ({
    changed: false,
    until: 0,
    reason: { _tag: "Missing", message: `no release ${id}` }
  })
  const unsupported = (capability: string): Applied => ({
    changed: false,
    until: 0,
    reason: { _tag: "Unsupported", message: `${kind} has no ${capability}`, capability }
  })

  const clear = (cell: Cell, now: number): Applied => {
    const changed = cell.capacity.size > 0
    cell.capacity.clear()
    cell.stable = null
    cell.candidate = null
    cell.drift = []
    cell.operation = null
    setTraffic(cell, now, now, {})
    return { changed, until: now }
  }

  const stage = (cell: Cell, release: Release, capacityPercent: number, now: number): Applied => {
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
  }

  /** Ends `stage`: the release is there, or it is the reason why not. */
  const staged = (cell: Cell, release: Release, now: number): ProviderReason | undefined => {
    const { broken } = world.scriptOf(cell, release)
    if (broken !== undefined && cell.stable !== release.id) {
      removeCapacity(cell, release.id)
      if (cell.candidate === release.id) cell.candidate = null
      setTraffic(cell, now, now, cell.stable === null ? {} : { [cell.stable]: 100 })
      return { _tag: "Broken", message: broken, resource: release.id }
    }
    if (cell.capacity.has(release.id)) return undefined
    return { _tag: "Conflict", message: "another operation took the candidate away" }
  }

  /** Ends `back`. */
  const only = (cell: Cell, keep: string | undefined): undefined => {
    for (const id of cell.capacity.keys()) if (id !== keep) removeCapacity(cell, id)
  }

  const correct = (cell: Cell, fields: ReadonlyArray<string>, now: number): Applied => {
    const left = cell.drift.filter(({ field }) => !fields.includes(field))
    const changed = left.length < cell.drift.length
    cell.drift = left
    return { changed, until: now }
  }

  const back = (cell: Cell, release: Release, now: number): Applied => {
    cell.releases.set(release.id, release)
    const already =
      cell.stable === release.id &&
      cell.capacity.size === 1 &&
      cell.candidate === null &&
      (effective(cell, now)[release.id] ?? 0) === 100 &&
      cell.capacity.get(release.id)?.percent === 100
    if (already) return { changed: false, until: Math.max(now, readyAt(cell, release.id)) }
    const lag = world.scriptOf(cell, release).trafficLagMillis ?? 0
    const ready = addCapacity(world, cell, release, 100, now)
    const until = Math.max(ready, now) + lag
    setTraffic(cell, now, until, { [release.id]: 100 })
    cell.replaces = null
    cell.stable = release.id
    cell.candidate = null
    return { changed: true, until }
  }

  const shift = (cell: Cell, id: string, share: number, now: number): Applied => {
    if (capabilities.traffic === "switch" && share !== 0 && share !== 100) return unsupported("traffic in percent")
    const capacity = cell.capacity.get(id)
    if (capacity === undefined) return missing(id)
    if (share > 0 && capacity.readyAt > now) return conflict(`${id} is not ready`)
    const rest = cell.stable ?? id
    const asked =
      rest === id
        ? [[id, cell.stable === null && share === 0 ? 0 : 100]]
        : [
            [id, share],
            [rest, 100 - share]
          ]
    const wanted = Object.fromEntries(asked.filter(([, part]) => part !== 0)) as Record<string, number>
    const changed = fingerprint(cell.asked) !== fingerprint(wanted)
    if (!changed) return { changed, until: cell.traffic.at(-1)?.at ?? now }
    const until = now + (world.scriptOf(cell, capacity.release).trafficLagMillis ?? 0)
    setTraffic(cell, now, until, wanted)
    return { changed, until }
  }

  const retire = (cell: Cell, keep: string, to: number, now: number): Applied => {
    if (!capabilities.capacity && to !== 0 && to !== 100) return unsupported("capacity by parts")
    if (!cell.capacity.has(keep)) return missing(keep)
    const shares = effective(cell, now)
    const loaded = [...cell.capacity.keys()].find((id) => id !== keep && (shares[id] ?? 0) > to + 1e-6)
    if (loaded !== undefined) return conflict(`${loaded} still carries ${shares[loaded]} % of the traffic`)
    let changed = false
    for (const [id, capacity] of cell.capacity) {
      if (id === keep || capacity.percent <= to) continue
      changed = true
      if (to === 0) removeCapacity(cell, id)
      else capacity.percent = to
    }
    if (to === 0) {
      changed ||= cell.stable !== keep
      cell.stable = keep
      cell.candidate = null
    }
    return { changed, until: now }
  }

  return { back, clear, correct, missing, only, retire, shift, stage, staged }
}
