/**
 * One execution in full, for a person who asks for it by its correlation ID.
 */
import type { Estimate } from "@signalbox/core/analysis"
import type { Execution, Lease, Verdict } from "@signalbox/core/spi"
import { describe, describeCause, describeCauses } from "@signalbox/core/text"
import { traceIdOf } from "@signalbox/core/telemetry"
import { headline, type Ink, nextLines, why } from "../execution/outcome.ts"
import { leftLine } from "./estimate.ts"
import { mark, word } from "./glyphs.ts"
import { table } from "./table.ts"
import { pad, wrap } from "./text.ts"
import { addressOf, ago, clock, plain, span, timeToAnswer, workOf } from "./words.ts"

type State = Execution.ExecutionState

const factsOf = (
  state: State,
  runner: Lease | undefined,
  now: number,
  estimate: Estimate.Estimate | undefined,
  waits: string | undefined
): ReadonlyArray<readonly [string, string]> => {
  const facts: Array<readonly [string, string]> = [
    ["id", state.correlationId],
    ["asked", `${clock(state.requestedAt, now)} (${ago(state.requestedAt, now)}) by ${state.by}`]
  ]
  if (state.reason !== undefined) facts.push(["reason", state.reason])
  if (state.cause !== undefined && state.error === undefined) facts.push(["why", describeCause(state.cause)])
  if (state.startedAt !== undefined) {
    const until = state.finishedAt === undefined ? "now" : clock(state.finishedAt, now)
    facts.push([
      "ran",
      `${clock(state.startedAt, now)} to ${until}, ${span((state.finishedAt ?? now) - state.startedAt)}`
    ])
  }
  if (waits !== undefined) facts.push(["place", waits])
  if (state.finishedAt === undefined) {
    facts.push(["left", leftLine(estimate, state) ?? "not enough history to say"])
    facts.push(["runner", runner === undefined ? "none is left" : runner.owner])
  }
  if (state.version !== undefined) facts.push(["version", state.version])
  if (state.artifact !== undefined) facts.push(["artifact", state.artifact])
  for (const [stack, artifact] of Object.entries(state.artifacts ?? {}))
    facts.push(["artifact", `${stack}: ${artifact}`])
  if (state.strategy !== undefined) facts.push(["strategy", state.strategy])
  if (state.to !== undefined)
    facts.push([
      "back to",
      `${state.to.named === state.to.execution ? "" : `${state.to.named}, after `}${state.to.execution}`
    ])
  if (state.origin?.commit !== undefined) {
    const { commit, committedAt } = state.origin
    facts.push(["commit", `${commit}${committedAt === undefined ? "" : ` of ${clock(committedAt, now)}`}`])
  }
  if (state.origin?.workflowRun !== undefined) facts.push(["workflow", state.origin.workflowRun])
  if (state.override !== undefined) facts.push(["override", state.override])
  if (state.supersedes !== undefined) facts.push(["after", `${state.supersedes}, which was left unfinished`])
  facts.push(["trace", traceIdOf(state.correlationId)])
  return facts
}

const stageLines = (state: State, now: number, { columns, paint }: Ink): ReadonlyArray<string> => {
  const whole = state.error === undefined ? undefined : describe(state.error).message
  const width = Math.max(...state.stages.map(({ name }) => name.length))
  return state.stages.flatMap(({ cause, finishedAt, name, startedAt, status }) => {
    const [sign, style] = mark(status)
    const took = startedAt === undefined ? "" : `  ${span((finishedAt ?? now) - startedAt)}`
    // The reason of the whole execution is above as its cause.
    const reason = cause === undefined ? undefined : describeCause(cause)
    const because = reason === undefined || reason === whole ? [] : wrap(plain(reason), columns - 4)
    return [
      `  ${paint(style, sign)} ${pad(word(name), width)}  ${word(status)}${paint("dim", took)}`,
      ...because.map((line) => `    ${line}`)
    ]
  })
}

const tookOf = (stack: Execution.StackState, now: number): string => {
  const took = workOf(stack, now)
  return took === undefined ? "–" : span(took)
}

const stackTable = (state: State, now: number, { columns, paint }: Ink): ReadonlyArray<string> =>
  table(
    state.stacks,
    [
      { title: "STACK", cell: ({ name }) => name },
      {
        title: "STATUS",
        cell: ({ status }) => `${mark(status)[0]} ${word(status)}`,
        style: ({ status }) => mark(status)[1]
      },
      { title: "VERSION", cell: ({ release }) => release?.version ?? "–" },
      { title: "TOOK", cell: (stack) => tookOf(stack, now), drop: 2 },
      { title: "PROVIDER", cell: ({ provider }) => provider, drop: 3 },
      {
        title: "ADDRESS",
        cell: ({ outputs, status }) => (status === "deployed" ? (addressOf(outputs) ?? "–") : "–"),
        drop: 1
      }
    ],
    { width: columns, paint }
  )

const verdictLines = (verdict: Verdict, { columns, paint }: Ink): ReadonlyArray<string> => {
  const [sign, style] = mark(verdict.verdict)
  return [
    `  ${paint(style, sign)} ${verdict.stack}  ${verdict.step}  ${word(verdict.verdict)}  ${paint("dim", clock(verdict.at))}`,
    ...wrap(plain(describeCauses(verdict.findings)), columns - 4).map((line) => `    ${line}`)
  ]
}

/** The execution: cause of failure, facts, stages, stacks and verdicts, and what to type next. */
export const executionLines = (
  state: State,
  runner: Lease | undefined,
  now: number,
  ink: Ink,
  estimate?: Estimate.Estimate,
  waits?: string
): ReadonlyArray<string> => {
  const { paint } = ink
  const reasons = why(state, ink)
  const next = nextLines(state, ink, "events")
  const section = (title: string, lines: ReadonlyArray<string>) =>
    lines.length === 0 ? [] : ["", paint("dim", title), ...lines]
  return [
    headline(state, ink),
    ...reasons,
    "",
    ...factsOf(state, runner, now, estimate, waits).map(
      ([name, value]) => `${paint("dim", name.padEnd(10))}${plain(value)}`
    ),
    ...section("STAGES", stageLines(state, now, ink)),
    ...(state.stacks.length === 0 ? [] : ["", ...stackTable(state, now, ink)]),
    ...section(
      "VERDICTS",
      state.verdicts.flatMap((verdict) => verdictLines(verdict, ink))
    ),
    ...section(
      "QUESTIONS",
      state.questions.map(
        (asked) => `  ${asked.stack}: ${plain(describeCause(asked.question))}${timeToAnswer(asked, now)}`
      )
    ),
    ...(next.length === 0 ? [] : ["", ...next])
  ]
}
