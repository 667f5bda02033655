/** Decides from the evidence whether there was ever more than one holder, and whether all were admitted in order. */
import type { Evidence } from "./evidence.ts"
import { workerOf } from "./notes.ts"

export type Rule = "holders" | "fences" | "turns" | "order" | "twice" | "lost"

export interface Problem {
  readonly rule: Rule
  readonly message: string
}

export interface Verdict {
  readonly problems: ReadonlyArray<Problem>
  readonly acquisitions: number
  /** Times in ms from an end to the next admission of a waiting worker, sorted. */
  readonly handovers: ReadonlyArray<number>
  /** How often stopped or dead workers were overtaken, and how often the most unlucky one was. */
  readonly passed: number
  readonly mostPassed: number
  /** Executions that were cut by a kill or by the loss of the lease, and attempts of sleepers that the register refused. */
  readonly cut: number
  readonly refused: number
}

const ends = new Set(["completed", "failed", "rolled_back", "cancelled"])

/** When a worker could not wait: until then, with a moment to return. */
type Absences = ReadonlyArray<{ readonly from: number; readonly to: number }>

/** How long a stopped or new process may take until it is seen waiting again, besides a part of the ttl. */
const comingBack = 1_500

const absencesOf = ({ faults, notes, ttl }: Evidence, worker: number): Absences => {
  const said = notes[worker] ?? []
  const grace = comingBack + ttl
  const killed = faults
    .filter((fault) => fault.worker === worker)
    .map(({ from, kind, to }) => {
      const up = kind === "kill" ? said.find(({ _tag, at }) => _tag === "Up" && at > from)?.at : to
      return { from, to: (up ?? Number.POSITIVE_INFINITY) + grace }
    })
  // A process without CPU time was stopped too, only unintentionally.
  const stalled = said.flatMap((one) =>
    one._tag === "Stalled" || one._tag === "Lapsed" ? [{ from: one.since, to: one.at + grace }] : []
  )
  const failed = said.flatMap((one) => (one._tag === "Failed" ? [{ from: one.at - ttl, to: one.at + grace }] : []))
  return [...killed, ...stalled, ...failed]
}

export const judge = (evidence: Evidence): Verdict => {
  const { entries, finished, log, notes, processes, rounds } = evidence
  const problems: Array<Problem> = []
  const find = (rule: Rule, message: string) => void problems.push({ rule, message })
  const absences = Array.from({ length: processes }, (_, worker) => absencesOf(evidence, worker))
  const isAbsent = (id: string, from: number, to = from) =>
    (absences[workerOf(id)] ?? []).some((away) => away.from <= to && from <= away.to)

  // The register: a worker that has begun is alone until it has ended, or was away so long that it lost the lease.
  let inside: { readonly execution: string; readonly fence: number; readonly at: number } | undefined
  const begun = new Set<string>()
  const owners = new Map<number, string>()
  let refused = 0
  for (const { accepted, at, execution, fence, word } of entries) {
    const owner = owners.get(fence)
    if (owner !== undefined && owner !== execution) find("fences", `${owner} and ${execution} had the fence ${fence}`)
    owners.set(fence, execution)
    if (!accepted) {
      refused += 1
      if (!isAbsent(execution, at)) find("holders", `${execution} was refused (fence ${fence}), and was never away`)
      continue
    }
    if (inside !== undefined && inside.execution !== execution) {
      if (!isAbsent(inside.execution, inside.at, at)) {
        find("holders", `${execution} came at ${at} while ${inside.execution} was inside`)
      }
      inside = undefined
    }
    if (word === "begin") {
      if (begun.has(execution)) find("twice", `${execution} ran its command twice`)
      begun.add(execution)
    }
    inside = word === "end" ? undefined : { execution, fence, at }
  }

  // The log: one at a time, fences that rise, and the order of the requests.
  const waiting = new Map<string, number>()
  const passed = new Map<string, number>()
  const handovers: Array<number> = []
  let current: string | undefined
  let endedAt = Number.NEGATIVE_INFINITY
  let fence = 0
  let cut = 0
  let acquisitions = 0
  for (const { at, body, stream, tag } of log) {
    if (tag === "ExecutionRequested") waiting.set(stream, at)
    else if (tag === "LeaseAcquired") {
      if (body.fence! <= fence) find("fences", `${stream} took the lock with fence ${body.fence} after ${fence}`)
      fence = body.fence!
    } else if (tag === "ExecutionAdmitted") {
      if (current !== undefined) find("turns", `${stream} came to its turn before ${current} had ended`)
      current = stream
      acquisitions += 1
      for (const [other] of [...waiting].slice(0, [...waiting.keys()].indexOf(stream))) {
        passed.set(other, (passed.get(other) ?? 0) + 1)
        if (!isAbsent(other, at)) find("order", `${stream} passed ${other} at ${at}, which waited`)
      }
      if ((waiting.get(stream) ?? Number.POSITIVE_INFINITY) <= endedAt) handovers.push(at - endedAt)
      if (!waiting.delete(stream)) find("turns", `${stream} came to its turn twice`)
    } else if (body.on !== undefined && ends.has(body.on)) {
      if (current === stream) current = undefined
      if (body.on !== "completed") cut += 1
      waiting.delete(stream)
      endedAt = at
    }
  }

  if (current !== undefined) find("lost", `${current} never ended`)
  for (const [id] of waiting) find("lost", `${id} waits still`)
  notes.forEach((said, worker) => {
    const done = said.filter((one) => one._tag === "Ended" && one.status === "completed").length
    if (done !== rounds) find("lost", `worker ${worker} had the lock ${done} times of ${rounds}`)
    if (!finished.includes(worker)) find("lost", `worker ${worker} did not end`)
  })
  const counts = [...passed.values()]
  return {
    problems,
    acquisitions,
    handovers: handovers.toSorted((left, right) => left - right),
    passed: counts.reduce((sum, count) => sum + count, 0),
    mostPassed: Math.max(0, ...counts),
    cut,
    refused
  }
}
