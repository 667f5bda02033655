/** A report as JSON shows it. The names are API. */
import type { Estimate, EstimateCalibration } from "@signalbox/core/analysis"

const rounded = (ms: number | null): number | null => (ms === null ? null : Math.round(ms))

const tallyView = ({ covered, error, n, naive, share, width }: EstimateCalibration.Tally) => ({
  n,
  covered,
  share,
  medianErrorMs: rounded(error),
  naiveMedianErrorMs: rounded(naive),
  medianWidthMs: rounded(width)
})

type TallyView = ReturnType<typeof tallyView>

/**
 * How well estimates held: `share` of `n` intervals held, where `coverage` of them should. `naiveMedianErrorMs` is the
 * error of the mean of all earlier executions, on the same occasions.
 */
export const calibrationView = (calibration: EstimateCalibration.Calibration) => ({
  executions: calibration.executions,
  coverage: calibration.coverage,
  ...tallyView(calibration),
  withoutInterval: { few: calibration.few, none: calibration.none, exceeded: calibration.exceeded },
  byMoment: calibration.byMoment.map(({ moment, ...tally }) => ({ moment, ...tallyView(tally) })),
  byScope: calibration.byScope.map(({ scope, ...tally }): { readonly scope: Estimate.Scope } & TallyView => ({
    scope,
    ...tallyView(tally)
  })),
  byHistory: calibration.byHistory.map(({ from, to, ...tally }) => ({ from, to, ...tallyView(tally) }))
})
export type CalibrationView = ReturnType<typeof calibrationView>
