/**
 * Measurements of the simulated cloud: the load of a stack, divided as its traffic was over the window.
 */
import * as Duration from "effect/Duration"
import * as MetricWindow from "../../analysis/MetricWindow.ts"
import type { Measurement, MetricSource } from "../../spi/index.ts"
import { type Cell, healthyPercent, type Simulation, valueOf } from "./SimulatedState.ts"

const steps = 200

/**
 * How the simulated cloud keeps its metrics: `resolutionMillis` the length of its periods, `lagMillis` how late they are
 * complete (both 0: single requests, at once), `samples` whether it has single response times (default true).
 */
export interface SimulatedMetrics {
  readonly resolutionMillis?: number
  readonly lagMillis?: number
  readonly samples?: boolean
}

export const source = (
  { lagMillis = 0, resolutionMillis = 0, samples = true }: SimulatedMetrics,
  read: (
    ref: Parameters<MetricSource["measure"]>[0],
    at: (cell: Cell, now: number) => Measurement
  ) => ReturnType<MetricSource["measure"]>,
  world: Simulation,
  requestsPerSecond: number
): MetricSource => ({
  resolution: Duration.millis(resolutionMillis),
  lag: Duration.millis(lagMillis),
  samples,
  measure: (ref, { from, releaseId, to }) =>
    read(ref, (cell, now) => {
      const grain = { resolution: resolutionMillis, lag: lagMillis }
      const coarse = MetricWindow.isCoarse(grain)
      const until = coarse ? Math.min(to, MetricWindow.alignDown(now - lagMillis, grain)) : to
      const window = coarse ? { from, to: until } : { from: now - (to - from), to: now }
      const { samples: all, ...counted } = measure(world, cell, releaseId, window, now, requestsPerSecond)
      return { until, ...counted, ...(all === undefined || !samples ? {} : { samples: all }) }
    })
})

const measure = (
  world: Simulation,
  cell: Cell,
  releaseId: string,
  window: MetricWindow.MetricWindow,
  now: number,
  requestsPerSecond: number
): Omit<Measurement, "until"> => {
  const capacity = cell.capacity.get(releaseId)
  if (capacity === undefined) return { requests: 0, errors: 0, latency: null, healthy: null }
  const script = world.scriptOf(cell, capacity.release)
  const from = Math.max(0, window.from)
  let requests = 0
  let errors = 0
  const samples: Array<number> = []
  for (let index = 0; index < cell.traffic.length; index++) {
    const { at, shares } = cell.traffic[index]!
    const start = Math.max(from, at)
    const end = Math.min(window.to, cell.traffic[index + 1]?.at ?? window.to)
    const share = shares[releaseId] ?? 0
    if (end <= start || share === 0) continue
    const part = (end - start) / steps
    for (let step = 0; step < steps; step++) {
      const age = start + (step + 0.5) * part - capacity.readyAt
      const served = (part / 1000) * requestsPerSecond * (share / 100)
      requests += served
      errors += served * Math.min(1, Math.max(0, valueOf(script.errorRate, age, 0)))
      // An even spread of ±20 % around the middle: deterministic, and with tails to tell p50 from p99.
      samples.push(valueOf(script.latencyMillis, age, 20) * (0.8 + 0.4 * ((step * 0.618) % 1)))
    }
  }
  const counted = Math.floor(requests + 1e-9)
  const sorted = samples.sort((a, b) => a - b).slice(0, 2000)
  const at = (quantile: number) => sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))]!
  return {
    requests: counted,
    errors: Math.min(counted, Math.round(errors)),
    latency:
      counted === 0
        ? null
        : {
            mean: sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
            p50: at(0.5),
            p95: at(0.95),
            p99: at(0.99)
          },
    healthy: healthyPercent(world, cell, capacity, now),
    ...(counted === 0
      ? {}
      : { samples: sorted.filter((_, index) => index % Math.ceil(sorted.length / Math.min(counted, 2000)) === 0) })
  }
}
