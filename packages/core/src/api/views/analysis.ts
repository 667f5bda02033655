import type { Calibration, Tally } from "../../analysis/EstimateCalibration.ts"
import type { Ending, Replayed } from "../../analysis/Replay.ts"
import type { ExecutionState } from "../../domain/ExecutionState.ts"
import type { CalibrationView, EndingView, MetricsView, ReplayView } from "../AnalysisView.ts"
import { instantOf } from "./instantOf.ts"

const endingView = ({ at, ...ending }: Ending): EndingView => ({ ...ending, at: at === null ? null : instantOf(at) })

/** Shows a replay. */
export const replayView = ({ recorded, replayed, requestedAt, stacks, ...execution }: Replayed): ReplayView => ({
  ...execution,
  requestedAt: instantOf(requestedAt),
  recorded: endingView(recorded),
  replayed: endingView(replayed),
  stacks: stacks.map((stack) => ({
    ...stack,
    recorded: endingView(stack.recorded),
    replayed: endingView(stack.replayed),
    looks: stack.looks.map((look) => ({ ...look, at: instantOf(look.at) }))
  }))
})

const rounded = (ms: number | null): number | null => (ms === null ? null : Math.round(ms))

const tallyView = ({ covered, error, n, naive, share, width }: Tally) => ({
  n,
  covered,
  share,
  medianErrorMs: rounded(error),
  naiveMedianErrorMs: rounded(naive),
  medianWidthMs: rounded(width)
})

/** Shows a calibration. */
export const calibrationView = (calibration: Calibration): CalibrationView => ({
  executions: calibration.executions,
  coverage: calibration.coverage,
  ...tallyView(calibration),
  withoutInterval: { few: calibration.few, none: calibration.none, exceeded: calibration.exceeded },
  byMoment: calibration.byMoment.map(({ moment, ...tally }) => ({ moment, ...tallyView(tally) })),
  byScope: calibration.byScope.map(({ scope, ...tally }) => ({ scope, ...tallyView(tally) })),
  byHistory: calibration.byHistory.map(({ from, to, ...tally }) => ({ from, to, ...tallyView(tally) }))
})

/** The smallest value that at least the share `p` of the values do not exceed. */
export const percentile = (values: ReadonlyArray<number>, p: number): number | null => {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.max(0, Math.ceil(sorted.length * p) - 1)] ?? null
}

const figures = (states: ReadonlyArray<ExecutionState>) => {
  const count = (wanted: ExecutionState["status"]) => states.filter(({ status }) => status === wanted).length
  const counts = {
    completed: count("completed"),
    failed: count("failed"),
    rolled_back: count("rolled_back"),
    cancelled: count("cancelled")
  }
  // A cancelled execution says nothing about whether it would have succeeded.
  const n = counts.completed + counts.failed + counts.rolled_back
  const durations = states.flatMap(({ finishedAt, startedAt, status }) =>
    status === "completed" && startedAt !== undefined && finishedAt !== undefined ? [finishedAt - startedAt] : []
  )
  return {
    total: states.length,
    inProgress: states.length - n - counts.cancelled,
    ...counts,
    successRate: n === 0 ? null : counts.completed / n,
    n,
    durationMs: { n: durations.length, p50: percentile(durations, 0.5), p90: percentile(durations, 0.9) }
  }
}

/** Shows counts, success rate and durations. */
export const metricsView = (states: ReadonlyArray<ExecutionState>): MetricsView => ({
  ...figures(states),
  kinds: [...new Set(states.map(({ kind }) => kind))].toSorted().map((kind) => ({
    kind,
    ...figures(states.filter((state) => state.kind === kind))
  }))
})
