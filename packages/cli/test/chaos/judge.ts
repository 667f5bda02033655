/**
 * The independent judge. It reads the supervisor's records, everything that the preload saw leaving the commands, and
 * the event log row by row; it trusts nothing that the engine says about itself.
 */
import { endOf, type Entry, type Logged, type Note } from "./evidence.ts"
import type { Ending } from "./ending.ts"
import type { Asked } from "./World.ts"
import { sentencesIn } from "@signalbox/core/testing"

export type Rule = "duplicate" | "journal" | "mutator" | "lost" | "orphan" | "final" | "answer" | "prose"

export interface Problem {
  readonly rule: Rule
  readonly message: string
}

/** An event as `signalbox events --follow --json` printed it. */
export interface Printed {
  readonly stream: string
  readonly seq: number
  readonly id: string
}

const problem =
  (rule: Rule) =>
  (message: string): Problem => ({ rule, message })

/** No step has its effect twice, is called again after its receipt, or is called before its intent. */
export const steps = (
  ledger: ReadonlyArray<Entry>,
  notes: ReadonlyArray<Note>,
  log: ReadonlyArray<Logged>
): ReadonlyArray<Problem> => {
  const problems: Array<Problem> = []
  const counts = Map.groupBy(ledger, ({ idempotencyKey }) => idempotencyKey)
  for (const [key, entries] of counts) {
    if (entries.length > 1) problems.push(problem("duplicate")(`${key} had its effect ${entries.length} times`))
  }
  const early = new Set<string>()
  const intents = new Set<string>()
  const receipts = new Set<string>()
  // In the order in which the processes wrote them.
  for (const { committed, label, stream } of notes) {
    const [, what, step] = /^(intent|receipt)\/(.*)#\d+$/.exec(committed ?? "") ?? []
    if (what !== undefined) (what === "intent" ? intents : receipts).add(`${stream}/${step}`)
    if (what === "intent" && early.has(`${stream}/${step}`)) {
      problems.push(problem("journal")(`${stream}/${step} was called before its intent was written`))
    }
    const [, called] = /^call \w+ (.*)$/.exec(label ?? "") ?? []
    if (called === undefined) continue
    if (receipts.has(called)) problems.push(problem("duplicate")(`${called} was called again after its receipt`))
    // Killed between the commit and its note, the intent is in the log alone.
    if (!intents.has(called)) early.add(called)
  }
  const known = new Set(
    log.filter(({ tag }) => tag === "StepStarted").map((one) => `${one.stream}/${String(one.body.step)}`)
  )
  for (const key of counts.keys()) {
    if (!known.has(key)) problems.push(problem("journal")(`${key} had an effect and no intent is in the log`))
  }
  return problems
}

/**
 * Every mutation is by the execution that acquired the fence, and not by one whose lease another one has taken since.
 */
export const mutators = (
  ledger: ReadonlyArray<Entry>,
  log: ReadonlyArray<Logged>,
  comparesClocks: boolean
): ReadonlyArray<Problem> => {
  const problems: Array<Problem> = []
  const key = /^environment\//
  const taken = log.filter(({ body, tag }) => tag === "LeaseAcquired" && key.test(String(body.key)))
  let highest = 0
  for (const { at, fence, idempotencyKey, n } of ledger.toSorted((a, b) => a.n - b.n)) {
    if (fence < highest)
      problems.push(problem("mutator")(`entry ${n}: ${idempotencyKey} with fence ${fence} after ${highest}`))
    highest = Math.max(highest, fence)
    const stream = idempotencyKey.slice(0, idempotencyKey.indexOf("/"))
    if (!taken.some((one) => one.stream === stream && one.body.fence === fence)) {
      problems.push(problem("mutator")(`entry ${n}: ${idempotencyKey} with fence ${fence}, which ${stream} never took`))
    }
    const next = taken.find((one) => Number(one.body.fence) > fence && one.at < at - 5)
    if (comparesClocks && next !== undefined) {
      problems.push(
        problem("mutator")(
          `entry ${n}: ${idempotencyKey} with fence ${fence} ${at - next.at} ms after ${next.stream} took ${String(next.body.fence)}`
        )
      )
    }
  }
  return problems
}

/** The log holds data: no sentence of ours, and no command of the CLI. */
export const prose = (log: ReadonlyArray<Logged>): ReadonlyArray<Problem> =>
  log.flatMap(({ body, id, tag }) =>
    sentencesIn({ ...body, _tag: tag }).map(({ path, text }) => problem("prose")(`${id}: ${path} is "${text}"`))
  )

/** Everything committed or printed is in the log, at its place; and the log has no gaps. */
export const events = (
  log: ReadonlyArray<Logged>,
  notes: ReadonlyArray<Note>,
  printed: ReadonlyArray<Printed>
): ReadonlyArray<Problem> => {
  const problems: Array<Problem> = []
  const there = new Map(log.map(({ id, seq, stream }) => [`${stream} ${seq}`, id]))
  const seen = [
    ...notes.flatMap(({ committed, seq, stream }) =>
      committed === undefined ? [] : [{ stream: stream!, seq: seq!, id: committed }]
    ),
    ...printed
  ]
  for (const { id, seq, stream } of seen) {
    if (there.get(`${stream} ${seq}`) !== id) {
      problems.push(
        problem("lost")(`event ${seq} of ${stream} was ${id}, and is ${there.get(`${stream} ${seq}`) ?? "gone"}`)
      )
    }
  }
  for (const [stream, all] of Map.groupBy(log, (one) => one.stream)) {
    const numbers = all.map(({ seq }) => seq)
    if (numbers.some((seq, index) => seq !== index + 1)) {
      problems.push(problem("lost")(`the numbers of ${stream} have gaps: ${numbers.join(" ")}`))
    }
    const ids = new Set(all.map(({ id }) => id))
    if (ids.size < all.length) problems.push(problem("lost")(`${stream} holds an id twice`))
  }
  return problems
}

/** Everything ends as without faults. */
export const same = (ending: Ending, twin: Ending): ReadonlyArray<Problem> =>
  (Object.keys(twin) as Array<keyof Ending>).flatMap((key) => {
    const [is, was] = [JSON.stringify(ending[key]), JSON.stringify(twin[key])]
    if (is === was) return []
    return [
      problem(key === "instances" && more(ending.instances, twin.instances) ? "orphan" : "final")(
        `${key}: ${is} where the twin has ${was}`
      )
    ]
  })

const more = (is: Readonly<Record<string, number>>, was: Readonly<Record<string, number>>): boolean =>
  Object.entries(is).some(([key, count]) => count > (was[key] ?? 0))

/** Unfinished executions, and those with another end than their twin. */
export const ends = (log: ReadonlyArray<Logged>, expected: Readonly<Record<string, string>>): ReadonlyArray<Problem> =>
  [...new Set(log.map(({ stream }) => stream))].flatMap((stream) => {
    const end = endOf(log, stream)
    if (!log.some((one) => one.stream === stream && one.tag === "ExecutionRequested")) return []
    if (end === undefined) return [problem("final")(`${stream} never ended`)]
    const wanted = expected[stream]
    return wanted === undefined || wanted === end
      ? []
      : [problem("final")(`${stream} ended as ${end}, its twin as ${wanted}`)]
  })

/** How long an application may be away after its supervisor was killed, on a machine that is busy. */
const recovery = 8000

/** The applications answer all the time, except for a moment after their supervisor was killed. */
export const answers = (
  asked: ReadonlyArray<Asked>,
  killedAt: ReadonlyArray<number>,
  erroring: boolean
): ReadonlyArray<Problem> => {
  const failed = asked.filter(({ at, status }) => {
    const answered = status === 200 || (erroring && status === 500)
    return !answered && !killedAt.some((killed) => at > killed - 1000 && at < killed + recovery)
  })
  const [first] = failed
  return first === undefined
    ? []
    : [
        problem("answer")(
          `${failed.length} of ${asked.length} requests failed, the first to ${first.stack}: ${first.status ?? first.error}`
        )
      ]
}
