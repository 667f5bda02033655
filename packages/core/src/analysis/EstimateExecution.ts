/**
 * How long an execution will still take: from earlier executions that did the same work, or from its stages if there
 * are few of these.
 */
import {
  aroundMean,
  enough,
  type Estimate,
  lasts,
  leftOf,
  ofValues,
  remaining as remainingOf,
  type Scope,
  without
} from "./Estimate.ts"
import * as Path from "./EstimatePath.ts"
import * as Run from "./EstimateRun.ts"
import { tailOf } from "./EstimateTail.ts"
import { latest, ofRun, type Sample } from "./EstimateSample.ts"

/**
 * How many executions of the same kind are read: reading more takes longer than a status command should.
 */
export const reach = 60

/** A finished run, with precomputed answers. */
export interface MeasuredStages extends Run.Run {
  readonly moments: ReadonlyMap<string, number>
  readonly samples: ReadonlyArray<Sample>
}

/** Prepares an execution for estimating others. */
export const measure = (run: Run.Run): MeasuredStages => ({ ...run, moments: Run.moments(run), samples: ofRun(run) })

/**
 * Earlier successful executions. Made by `past`.
 */
export interface Past {
  readonly runs: ReadonlyArray<MeasuredStages>
  readonly samples: ReadonlyArray<Sample>
}

/** Prepares earlier executions for estimates. Unfinished ones are left out. */
export const past = (runs: ReadonlyArray<Run.Run>): Past => pastOf(runs.map(measure))

/** The same for executions that are already prepared. */
export const pastOf = (runs: ReadonlyArray<MeasuredStages>): Past => {
  const ended = runs
    .filter(({ endedAt }) => endedAt !== undefined)
    .toSorted((left, right) => right.endedAt! - left.endedAt!)
  return { runs: ended, samples: ended.flatMap(({ samples }) => samples) }
}

const matching = (run: Run.Run, { runs }: Past): ReadonlyArray<MeasuredStages> =>
  runs.filter((one) => one.deploymentId === run.deploymentId && Run.mayBe(run, one))

/** Whether enough executions did the same work as a whole, so that no others are needed. */
export const isEnough = (run: Run.Run, by: Past): boolean => !run.rollingBack && matching(run, by).length >= enough

/**
 * The latest executions that did the same work, as similar as there are enough of: with the same command in the same
 * environment, with the same command in any environment of the deployment, in the same environment, or all of them.
 */
const alike = (run: Run.Run, by: Past): readonly [ReadonlyArray<MeasuredStages>, Scope, number] => {
  const all = matching(run, by)
  const same = all.filter(({ command }) => command === run.command)
  const here = (those: ReadonlyArray<MeasuredStages>) =>
    those.filter(({ environment }) => environment === run.environment)
  const kinds = [here(same), same, here(all), all]
  const found = kinds.find(({ length }) => length >= enough) ?? (same.length === 0 ? all : same)
  const durations = found.slice(0, reach).map(({ elapsedMs }) => elapsedMs)
  return [
    found.slice(0, latest),
    found === kinds[0] ? "environment" : "deployment",
    tailOf(durations.toReversed(), latest)
  ]
}

/**
 * The remaining time of a run, from others that did the same work as a whole.
 *
 * *Details*: each contributes its remaining time after the same moment, the latest that this run has reached.
 * Executions that were further by now, in any respect, are left out: what is known is not only how long this one takes,
 * but also what it has not done yet. If few are left by then, the current stage is assumed to end as `leftOf` says, and
 * the rest to take as long as in others.
 */
const byRuns = (run: Run.Run, others: ReadonlyArray<MeasuredStages>, scope: Scope, tail: number): Estimate => {
  const reached = [...Run.moments(run)]
  const [name, at] = reached.reduce<readonly [string, number]>(
    (last, moment) => (moment[1] >= last[1] ? moment : last),
    ["", 0]
  )
  const since = Math.max(0, run.elapsedMs - at)
  const done = new Set(reached.map(([moment]) => moment))
  const parts = others.flatMap(({ elapsedMs, moments }) => {
    const from = name === "" ? 0 : moments.get(name)
    if (from === undefined) return []
    const ahead = [...moments].flatMap(([moment, value]) => (done.has(moment) || value <= from ? [] : [value]))
    const next = Math.min(elapsedMs, ...ahead)
    return [{ step: next - from, rest: elapsedMs - next }]
  })
  const [first] = parts
  if (first === undefined) return without("none", 0, scope)
  const longer = parts.filter(({ step }) => lasts(step, since))
  if (longer.length === 0) return without("exceeded", parts.length, scope)
  const left = longer.map(({ rest, step }) => step + rest - since)
  if (longer.length >= enough) return ofValues(left, scope, longer.length, tail)
  if (parts.length <= enough)
    return aroundMean(
      left.map((ms) => run.elapsedMs + ms),
      run.elapsedMs,
      scope
    )
  const steps = leftOf(
    parts.map(({ step }) => step),
    since
  )
  const values = steps.flatMap((step) => parts.map(({ rest }) => step + rest))
  return { ...ofValues(values, scope, values.length, tail), n: longer.length }
}

/**
 * The remaining time of an execution, without the time in which it waits for people.
 */
export const remaining = (run: Run.Run, by: Past, plan?: Path.Plan): Estimate => {
  const [others, scope, tail] = alike(run, by)
  if (others.length >= enough && !run.rollingBack) {
    const estimate = byRuns(run, others, scope, tail)
    if (estimate.basis !== "none") return estimate
  }
  // A command without stacks has no stages.
  if (run.stacks.length === 0) {
    const durations = others.map(({ elapsedMs }) => elapsedMs)
    return remainingOf(durations, run.elapsedMs, scope)
  }
  return Path.remaining(run, by.samples, plan)
}
