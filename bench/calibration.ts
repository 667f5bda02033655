import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { EstimateCalibration, EstimateRun } from "@signalbox/core/analysis"
import { record } from "../packages/cli/test/calibration/History.ts"
import type { Row } from "./measure.ts"

const count = 510
const seed = 7

/** What estimates of durations are worth, on a history of real deployments under a load that comes and goes. */
export const calibration = async (): Promise<ReadonlyArray<Row>> => {
  const directory = mkdtempSync(join(tmpdir(), "signalbox-bench-"))
  try {
    let done = 0
    const { plans, states } = await record({
      directory,
      count,
      seed,
      told: () => {
        done += 1
        if (done % 50 === 0) console.log(`  ${done} of ${count} executions`)
      }
    })
    const completed = states.filter(({ status }) => status === "completed")
    const runs = completed.map((state) => EstimateRun.ofState(state, state.finishedAt!))
    const checked = EstimateCalibration.check(runs, ({ deploymentId }) => plans.get(deploymentId))
    const all = EstimateCalibration.calibrate(checked)
    const group = "calibration"
    const share = all.share ?? Number.NaN
    return [
      {
        group,
        what: "80 % intervals cover",
        value: 100 * share,
        unit: "%",
        against: "5 % off",
        ratio: Math.abs(share - all.coverage) / 0.05,
        goal: 1,
        note: `${all.covered} of ${all.n}, ${completed.length} executions; ${all.few} few, ${all.none} none, ${all.exceeded} exceeded`
      },
      {
        group,
        what: "median error",
        value: all.error ?? Number.NaN,
        unit: "ms",
        against: "the mean",
        ratio: (all.error ?? Number.NaN) / (all.naive ?? Number.NaN),
        goal: 1,
        note: `mean of all before ${(all.naive ?? Number.NaN).toFixed(0)}; width ${(all.width ?? Number.NaN).toFixed(0)}`
      },
      ...all.byMoment.map(({ error, moment, n, naive, share: covered }): Row => ({
        group,
        what: `after ${100 * moment} % of the time: cover`,
        value: 100 * (covered ?? Number.NaN),
        unit: "%",
        note: `of ${n}; error ${error?.toFixed(0)}, mean ${naive?.toFixed(0)} ms`
      })),
      ...all.byScope.map(({ n, scope, share: covered }): Row => ({
        group,
        what: `by ${scope}: cover`,
        value: 100 * (covered ?? Number.NaN),
        unit: "%",
        note: `of ${n}`
      }))
    ]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
