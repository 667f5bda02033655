/**
 * How long an execution will still take, composed of its stages: for one that was seen too rarely as a whole.
 */
import * as Graph from "../domain/Graph.ts"
import type { StageName } from "../domain/Machines.ts"
import { aroundMean, enough, type Estimate, lasts, leftOf, ofValues, scopes, without } from "./Estimate.ts"
import { pick, seeded, shuffled } from "./EstimateChance.ts"
import type * as Run from "./EstimateRun.ts"
import { type Pool, pooled, type Sample } from "./EstimateSample.ts"

/** Dependencies, and how many stacks are worked on at once. */
export interface Plan {
  readonly stacks: ReadonlyArray<Graph.Node>
  readonly parallelism: number
}

/** In sequence: a phase is over before the next begins. */
interface Phase {
  readonly stage: StageName
  readonly order: "graph" | "reverse" | "any"
}

const phasesOf = (run: Run.Run): ReadonlyArray<Phase> => {
  if (run.rollingBack) return [{ stage: "rollback", order: "reverse" }]
  const before: ReadonlyArray<Phase> = [
    { stage: "initialization", order: "any" },
    { stage: "health_check", order: "any" }
  ]
  switch (run.kind) {
    case "destroy":
    case "destroy-stack":
      return [...before, { stage: "destruction", order: "reverse" }]
    case "rollback":
      return [...before, { stage: "rollback", order: "reverse" }, { stage: "validation", order: "any" }]
    case "run":
    case "observe":
      return [{ stage: "deployment", order: "graph" }]
    default:
      return [...before, { stage: "deployment", order: "graph" }, { stage: "validation", order: "graph" }]
  }
}

/** A stage of a stack that is still to come, or in progress. */
interface Task {
  readonly name: string
  /** The index of its stack. */
  readonly place: number
  readonly pool: Pool
  /** Its remaining time, by sample; empty if it took longer than ever. */
  readonly values: ReadonlyArray<number>
  /** The same by execution. Each may have several of the kind, in an order that has nothing to do with them. */
  readonly byExecution: ReadonlyMap<string, ReadonlyArray<number>>
}

const draws = 200

const tasksOf = (run: Run.Run, samples: ReadonlyArray<Sample>, stage: StageName): ReadonlyArray<Task> =>
  run.stacks.flatMap((stack, place): ReadonlyArray<Task> => {
    const span = run.spans.findLast((one) => one.stack === stack.name && one.stage === stage)
    const touched = run.spans.some((one) => one.stack === stack.name && one.stage === "deployment")
    const needless = stack.idle && (stage === "deployment" || stage === "validation")
    if (needless || span?.to !== undefined || (run.rollingBack && !touched)) return []
    const pool = pooled(samples, {
      deploymentId: run.deploymentId,
      environment: run.environment,
      stack: stack.name,
      provider: stack.provider,
      stage,
      ...(stack.strategy === undefined ? {} : { strategy: stack.strategy })
    })
    const elapsedMs = span?.ms ?? 0
    const values = leftOf(
      pool.samples.map(({ ms }) => ms),
      elapsedMs
    )
    const byExecution = new Map<string, ReadonlyArray<number>>()
    for (const { execution, ms } of shuffled(pool.samples)) {
      if (lasts(ms, elapsedMs)) byExecution.set(execution, [...(byExecution.get(execution) ?? []), ms - elapsedMs])
    }
    return [{ name: stack.name, place, pool, values, byExecution }]
  })

/** When the last task is over, if each begins once its predecessors are over and there is a free slot. */
const makespan = (
  nodes: ReadonlyArray<Graph.Node>,
  durations: ReadonlyMap<string, number>,
  parallelism: number
): number => {
  const abreast = parallelism >= nodes.length && nodes.every(({ dependsOn }) => dependsOn.length === 0)
  if (abreast) return Math.max(0, ...durations.values())
  const ends = new Map<string, number>()
  const rooms = Array.from({ length: Math.max(1, Math.min(parallelism, nodes.length)) }, () => 0)
  const ready = ({ dependsOn }: Graph.Node) => Math.max(0, ...dependsOn.map((name) => ends.get(name) ?? 0))
  let waiting = nodes
  while (waiting.length > 0) {
    const names = new Set(waiting.map(({ name }) => name))
    const able = waiting.filter(({ dependsOn }) => dependsOn.every((name) => !names.has(name)))
    const next = able.reduce((left, right) => (ready(right) < ready(left) ? right : left), able[0] ?? waiting[0]!)
    const room = rooms.indexOf(Math.min(...rooms))
    const end = Math.max(ready(next), rooms[room]!) + (durations.get(next.name) ?? 0)
    rooms[room] = end
    ends.set(next.name, end)
    waiting = waiting.filter((node) => node !== next)
  }
  return Math.max(0, ...ends.values())
}

const nodesOf = (run: Run.Run, plan: Plan | undefined, { order }: Phase): ReadonlyArray<Graph.Node> => {
  const names = new Set<string>(run.stacks.map(({ name }) => name))
  const nodes = run.stacks.map(({ name }) => ({
    name,
    dependsOn: (plan?.stacks.find((one) => one.name === name)?.dependsOn ?? []).filter((other) => names.has(other))
  }))
  if (order === "any") return nodes.map(({ name }) => ({ name, dependsOn: [] }))
  return order === "reverse" ? Graph.reverse(nodes) : nodes
}

/**
 * The remaining time of an execution: along the longest path through the remaining stages of its stacks.
 *
 * *Details*: 200 times, a duration is drawn for each stage, from the same earlier execution for all of them if it had
 * them: simultaneous slowness stays simultaneous. `n` belongs to the stage with the fewest known executions, and
 * `scope` is the most general one. Without a `plan`, the stacks are assumed to be independent.
 */
export const remaining = (run: Run.Run, samples: ReadonlyArray<Sample>, plan?: Plan): Estimate => {
  const phases = phasesOf(run).map((phase) => ({
    nodes: nodesOf(run, plan, phase),
    tasks: tasksOf(run, samples, phase.stage)
  }))
  const tasks = phases.flatMap((phase) => phase.tasks)
  const pools = tasks.map(({ pool }) => pool)
  const scope = scopes.findLast((one) => pools.some((pool) => pool.scope === one)) ?? "all"
  // After the last stage, or for a stage that was never seen, nothing is known.
  if (tasks.length === 0 || pools.some((pool) => pool.n === 0)) return without("none", 0, scope)
  const exceeded = tasks.find(({ values }) => values.length === 0)
  if (exceeded !== undefined) return without("exceeded", exceeded.pool.n, exceeded.pool.scope)
  const n = Math.min(...pools.map((pool) => pool.n))

  const parallelism = plan?.parallelism ?? run.stacks.length
  const whole = (duration: (task: Task) => number): number =>
    phases.reduce(
      (sum, phase) =>
        sum + makespan(phase.nodes, new Map(phase.tasks.map((task) => [task.name, duration(task)])), parallelism),
      0
    )
  const fewest = Math.min(n, ...tasks.map(({ values }) => values.length))
  if (fewest < enough) {
    const left = whole(({ values }) => values.reduce((sum, value) => sum + value, 0) / values.length)
    // The whole is as uncertain as before, however little of it is left.
    const backs = run.spans.flatMap(({ from, stage }) => (run.rollingBack && stage === "rollback" ? [from] : []))
    const gone = run.elapsedMs - (run.rollingBack ? Math.min(run.elapsedMs, ...backs) : 0)
    return { ...aroundMean([gone + left], gone, scope), n: fewest }
  }
  const random = seeded(1)
  const executions = [...new Set(pools.flatMap((pool) => pool.samples.map(({ execution }) => execution)))]
  const drawn = Array.from({ length: draws }, () => {
    const execution = pick(executions, random())
    const turn = random()
    // If there are several of the kind, each stack takes a different one: using the same one twice would exaggerate
    // good and bad luck.
    return whole(({ byExecution, place, values }) => {
      const own = byExecution.get(execution)
      return own === undefined ? pick(values, random()) : own[(Math.floor(turn * own.length) + place) % own.length]!
    })
  })
  return ofValues(drawn, scope, n)
}
