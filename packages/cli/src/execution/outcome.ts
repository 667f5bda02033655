/**
 * The final message of an execution. If it failed: the cause first, then what was done about it, then what to type.
 */
import type { CauseInfo, Execution } from "@signalbox/core/spi"
import { describe, describeCause, describeCauses } from "@signalbox/core/text"
import type { Paint } from "../host/color.ts"
import { mark, word } from "../live/glyphs.ts"
import { wrap } from "../live/text.ts"
import { addressOf, plain, span } from "../live/words.ts"

/** How a result is written: its colours, and the width of the terminal (unlimited for a pipe). */
export interface Ink {
  readonly paint: Paint
  readonly columns: number
}

const versionOf = (stack: Execution.StackState): string | undefined => stack.release?.version

const among = (names: ReadonlyArray<string>): string =>
  names.length <= 1 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`

/** What each stack is now, grouped: "web and api are back at v1". */
const done = (state: Execution.ExecutionState): ReadonlyArray<string> => {
  const back = state.stacks.filter(({ stages }) =>
    stages.some(({ name, status }) => name === "rollback" && status === "succeeded")
  )
  const lines: Array<string> = []
  const byVersion = new Map<string | undefined, Array<string>>()
  for (const stack of back) byVersion.set(versionOf(stack), [...(byVersion.get(versionOf(stack)) ?? []), stack.name])
  for (const [version, names] of byVersion) {
    const end = version === undefined ? "gone again" : `back at ${version}`
    lines.push(`${among(names)} ${names.length === 1 ? "is" : "are"} ${end}`)
  }
  for (const stack of state.stacks) {
    if (back.includes(stack)) continue
    if (stack.status === "failed") lines.push(`${stack.name} is left as it is: failed`)
    else if (stack.irreversible !== undefined && stack.status === "deployed")
      lines.push(`${stack.name} is never undone: ${stack.irreversible}`)
    else if (stack.status === "deployed") lines.push(`${stack.name} stays at ${versionOf(stack)}`)
  }
  return lines
}

const saidOf = (cause: CauseInfo | undefined): string | undefined =>
  cause === undefined ? undefined : describeCause(cause)

const cause = (state: Execution.ExecutionState): string => {
  const failed = state.stacks.find(({ error }) => error !== undefined)?.error
  const verdict = state.verdicts.findLast((one) => one.verdict === "fail" || one.verdict === "error")
  return (
    saidOf(state.error ?? failed) ??
    (verdict === undefined
      ? (saidOf(state.cause) ?? word(state.status))
      : `${verdict.stack}: ${verdict.step}: ${describeCauses(verdict.findings)}`)
  )
}

/** What resumes a paused execution: an answer, a runner if its own was stopped, or an operator's command. */
const answerTo = ({ cause: why, questions }: Execution.ExecutionState): "approve" | "attach" | "resume" => {
  // New credentials come with a new process.
  if (questions.some(({ question }) => question.code === "credentials_needed")) return "attach"
  if (questions.length > 0) return "approve"
  return why?.code === "process_interrupted" ? "attach" : "resume"
}

const next = (state: Execution.ExecutionState, look: "status" | "events"): ReadonlyArray<string> => {
  const where = `--environment ${state.environment}`
  switch (state.status) {
    case "completed":
      return []
    case "paused":
      return [`signalbox ${answerTo(state)} ${state.correlationId}`, `signalbox abort ${state.correlationId}`]
    case "queued":
    case "in_progress":
    case "rolling_back":
      return [`signalbox attach ${state.correlationId}`]
    default:
      return [
        `signalbox ${look} ${state.correlationId}`,
        state.kind === "run"
          ? `signalbox run --deployment ${state.deploymentId} ${where} -- <command>`
          : `signalbox ${state.kind} ${state.deploymentId}${state.kind.endsWith("-stack") ? ` ${state.stacks[0]?.name ?? "<stack>"}` : ""} ${where}`
      ]
  }
}

/** The execution and its outcome, in one line. */
export const headline = (state: Execution.ExecutionState, { paint }: Pick<Ink, "paint">): string => {
  const [sign, style] = mark(state.status)
  const took =
    state.startedAt === undefined || state.finishedAt === undefined
      ? ""
      : ` in ${span(state.finishedAt - state.startedAt)}`
  return `${paint(style, sign)} ${state.kind} ${state.deploymentId} ${state.environment}${state.version === undefined ? "" : ` ${state.version}`}: ${paint(style, word(state.status))}${took}`
}

/** A text after its name, with overflow below it. */
const named = (name: string, text: string, { columns }: Ink): ReadonlyArray<string> =>
  wrap(plain(text), columns - 7).map((line, index) => `${index === 0 ? `${name}:`.padEnd(7) : "       "}${line}`)

/** Why it failed, and what was done about it; empty if it did not, or not yet. */
export const why = (state: Execution.ExecutionState, ink: Ink): ReadonlyArray<string> => {
  if (state.status === "completed") return []
  if (state.finishedAt === undefined) {
    return state.error === undefined ? [] : named("cause", describeCause(state.error), ink)
  }
  const hint = state.error === undefined ? undefined : describe(state.error).hint
  return [
    ...named("cause", cause(state), ink),
    ...(hint === undefined ? [] : named("hint", hint, ink)),
    ...done(state).map((line, index) => `${index === 0 ? "done:  " : "       "}${line}`)
  ]
}

/** What to type next; `look` is the command that shows more than the output above. */
export const nextLines = (
  state: Execution.ExecutionState,
  { paint }: Pick<Ink, "paint">,
  look: "status" | "events" = "status"
): ReadonlyArray<string> =>
  next(state, look).map((line, index) => `${index === 0 ? "next:  " : "       "}${paint("cyan", line)}`)

const stackLine = (stack: Execution.StackState): string => {
  const version = stack.release === null ? "" : ` ${stack.release.version}`
  const address = stack.status === "deployed" ? addressOf(stack.outputs) : undefined
  return `  ${stack.name}: ${word(stack.status)}${version}${address === undefined ? "" : `  ${address}`}`
}

/** The lines on stdout at the end of an execution. */
export const outcome = (state: Execution.ExecutionState, ink: Ink): ReadonlyArray<string> => {
  const asked =
    state.finishedAt === undefined
      ? [
          ...state.questions.map(({ question, stack }) => `  ${stack}: ${plain(describeCause(question))}`),
          ...(state.cause === undefined || state.questions.length > 0 ? [] : [`  ${plain(describeCause(state.cause))}`])
        ]
      : []
  return [
    headline(state, ink),
    ...(state.status === "completed" ? state.stacks.map(stackLine) : asked),
    ...why(state, ink),
    ...nextLines(state, ink)
  ]
}
