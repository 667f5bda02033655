/**
 * Figures of the past, from the log.
 */
import type { Execution } from "@signalbox/core/spi"

/** The smallest value that at least the share `p` of the values do not exceed. */
export const percentile = (values: ReadonlyArray<number>, p: number): number | null => {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.max(0, Math.ceil(sorted.length * p) - 1)] ?? null
}

const finished = ["completed", "failed", "rolled_back", "cancelled"] as const

const figures = (states: ReadonlyArray<Execution.ExecutionState>) => {
  const counts = Object.fromEntries(
    finished.map((status) => [status, states.filter((state) => state.status === status).length])
  ) as Record<(typeof finished)[number], number>
  // A cancelled execution says nothing about whether it would have succeeded.
  const n = counts.completed + counts.failed + counts.rolled_back
  const durations = states.flatMap(({ finishedAt, startedAt, status }) =>
    status === "completed" && startedAt !== undefined && finishedAt !== undefined ? [finishedAt - startedAt] : []
  )
  return {
    total: states.length,
    underWay: states.length - finished.reduce((sum, status) => sum + counts[status], 0),
    ...counts,
    successRate: n === 0 ? null : counts.completed / n,
    n,
    durationMs: { n: durations.length, p50: percentile(durations, 0.5), p90: percentile(durations, 0.9) }
  }
}

/** Counts, success rate and durations, in total and by kind. Durations are those of completed executions. */
export const metricsView = (states: ReadonlyArray<Execution.ExecutionState>) => ({
  ...figures(states),
  kinds: [...new Set(states.map(({ kind }) => kind))].toSorted().map((kind) => ({
    kind,
    ...figures(states.filter((state) => state.kind === kind))
  }))
})
