/**
 * The whole engine under virtual time, with processes that die and freeze, a network that loses, delays, repeats and
 * reorders, and failing clouds: thousands of schedules a minute, each from one seed, with the invariants checked after
 * every step.
 */
import * as Effect from "effect/Effect"
import type { Config } from "../../config/Configuration.ts"
import { check } from "../../config/Configuration.ts"
import type { ConfigurationInvalid } from "../../config/ConfigurationIssue.ts"
import { differsFromTwin } from "./invariants/End.ts"
import { type Faults, generate } from "./scenario/generate.ts"
import type { Violation } from "./invariants/Monitor.ts"
import { describe, type Scenario, twinOf } from "./scenario/Scenario.ts"
import { type Parts, providersOf } from "./Parts.ts"
import { type ScheduleOutcome, Schedule } from "./Schedule.ts"
import { shrink } from "./shrink.ts"

export { type Faults, usualFaults } from "./scenario/generate.ts"
export type { Invariant, Violation } from "./invariants/Monitor.ts"
export {
  describe,
  type ScheduledFault,
  type FaultKind,
  type Scenario,
  type ScenarioCloud,
  type ScenarioCommand,
  type ScenarioDecision,
  type ScenarioRequest
} from "./scenario/Scenario.ts"
export type { Parts, ProcessView } from "./Parts.ts"
export type { ScheduleOutcome } from "./Schedule.ts"
export type { End } from "./invariants/End.ts"

/**
 * The options of a simulation.
 *
 * *Details*: `seeds` schedules (default 100) from `seed` on (default 1). `manifest` and `scenario` fix parts that are
 * otherwise drawn from each seed; with a `manifest` and no `providers`, each provider that it names is a simulated
 * cloud. `faults` sets the probability of each kind (0–0.95, see `usualFaults`); `false` for none at all. It stops
 * after `failures` of them (default 1); each is shrunk in at most `shrink` further schedules (default 300, 0:
 * unchanged).
 */
export interface Options extends Parts {
  readonly seeds?: number
  readonly seed?: number
  readonly manifest?: Config
  readonly scenario?: Partial<Scenario>
  readonly faults?: Partial<Faults> | false
  readonly failures?: number
  readonly shrink?: number
}

/**
 * A schedule that violated an invariant.
 *
 * *Details*: `scenario` is the smallest one found, with its own `violation` and `trace`; `tried` is how many schedules
 * were tried to find it.
 */
export interface Failure {
  readonly seed: number
  readonly scenario: Scenario
  readonly violation: Violation
  readonly trace: ReadonlyArray<string>
  readonly tried: number
}

/**
 * The result of a simulation.
 *
 * *Details*: `schedules` that ran (a twin counts as one), `steps` appends and effects in them, `twins` that were
 * compared; `ends` counts how requests ended.
 */
export interface Report {
  readonly schedules: number
  readonly steps: number
  readonly twins: number
  readonly ends: Readonly<Record<string, number>>
  readonly failures: ReadonlyArray<Failure>
}

/**
 * Runs one scenario.
 *
 * *When to use*: to reproduce a failure: `replay(failure.scenario)`.
 */
export const replay = (scenario: Scenario, parts: Parts = {}): ScheduleOutcome => {
  const outcome = new Schedule(scenario, parts).run()
  const twin = outcome.violation === undefined ? twinOf(scenario) : undefined
  if (twin === undefined) return outcome
  const uninterrupted = new Schedule(twin, parts).run()
  const difference = uninterrupted.violation === undefined ? differsFromTwin(outcome.end, uninterrupted.end) : undefined
  const both = { ...outcome, twin: true }
  return difference === undefined
    ? both
    : {
        ...both,
        violation: {
          invariant: "as_its_twin",
          message: `it ends otherwise than uninterrupted: ${difference}`,
          at: outcome.elapsed,
          step: outcome.steps
        }
      }
}

/**
 * The scenario of a seed.
 */
export const scenarioOf = (
  seed: number,
  options: Pick<Options, "manifest" | "scenario" | "faults" | "providers"> = {}
): Scenario => {
  const { faults, manifest, scenario = {} } = options
  const kinds = new Set(manifest?.stacks.map(({ provider }) => provider))
  return generate(seed, {
    ...(manifest === undefined
      ? {}
      : {
          manifest,
          clouds: [...kinds].map((kind) => ({ kind, shape: "full", instances: 2, requestsPerSecond: 200 }) as const)
        }),
    ...(faults === false ? { faults: [] } : faults === undefined ? {} : { probabilities: faults }),
    ...scenario
  })
}

/**
 * Runs many schedules and looks for a violation.
 *
 * *Details*: one seed always produces the same schedule. Nothing happens outside this fiber, and it never waits for
 * real time.
 *
 * *Errors*: `ConfigurationInvalid` if `manifest` is invalid.
 *
 * *Example*
 *
 * ```ts
 * const { failures } = yield* Simulation.run({ manifest: config, seeds: 500 })
 * assert.deepStrictEqual(failures.map(Simulation.render), [])
 * ```
 */
export const run = Effect.fnUntraced(function* (options: Options = {}): Effect.fn.Return<Report, ConfigurationInvalid> {
  const first = options.seed ?? 1
  const most = options.failures ?? 1
  const failures: Array<Failure> = []
  const ends: Record<string, number> = {}
  let schedules = 0
  let steps = 0
  let twins = 0
  for (let seed = first; seed < first + (options.seeds ?? 100) && failures.length < most; seed++) {
    const scenario = scenarioOf(seed, options)
    if (seed === first) yield* Effect.fromResult(check(scenario.manifest, providersOf(scenario, options)))
    const outcome = replay(scenario, options)
    schedules += outcome.twin === true ? 2 : 1
    twins += outcome.twin === true ? 1 : 0
    steps += outcome.steps
    for (const { status } of Object.values(outcome.end.executions)) ends[status] = (ends[status] ?? 0) + 1
    if (outcome.violation !== undefined) failures.push(reduce(seed, scenario, outcome.violation, options))
    yield* Effect.yieldNow
  }
  return { schedules, steps, twins, ends, failures }
})

/**
 * `run` for programs that do not use Effect.
 */
export const runPromise = (options: Options = {}): Promise<Report> => Effect.runPromise(run(options))

const reduce = (seed: number, scenario: Scenario, violation: Violation, options: Options): Failure => {
  const fails = (candidate: Scenario) => replay(candidate, options).violation?.invariant === violation.invariant
  const { scenario: smallest, tried } = shrink(scenario, fails, options.shrink ?? 300)
  const outcome = replay(smallest, options)
  return { seed, scenario: smallest, violation: outcome.violation ?? violation, trace: outcome.trace, tried }
}

/**
 * Describes a failure for people: the violated invariant, the smallest schedule, the end of its log, and how to
 * reproduce it.
 */
export const render = ({ scenario, seed, trace, tried, violation }: Failure): string =>
  [
    `${violation.invariant} does not hold: ${violation.message}`,
    `seed ${seed}, at step ${violation.step}, after ${violation.at / 1_000} s`,
    "",
    `the smallest schedule that shows it (${tried} were tried):`,
    ...describe(scenario).map((line) => `  ${line}`),
    "",
    "the end of its log:",
    ...trace.slice(-30).map((line) => `  ${line}`),
    "",
    `again: Simulation.run({ seed: ${seed}, seeds: 1 }) with the same options, or Simulation.replay(failure.scenario)`
  ].join("\n")
