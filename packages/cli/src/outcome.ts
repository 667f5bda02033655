/**
 * The last words about an execution. Where it failed: the cause first, then what was done about it, then what to type.
 */
import type { Execution } from "@signalbox/core/spi"
import type { Invocation } from "./Invocation.ts"
import { mark, word } from "./live/glyphs.ts"
import { plain, span } from "./live/words.ts"

const versionOf = (stack: Execution.StackState): string => stack.release?.version ?? "nothing"

const among = (names: ReadonlyArray<string>): string =>
  names.length <= 1 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`

/** What each stack is now, grouped: "web and api are back at v1". */
const done = (state: Execution.ExecutionState): ReadonlyArray<string> => {
  const back = state.stacks.filter(({ stages }) =>
    stages.some(({ name, status }) => name === "rollback" && status === "succeeded")
  )
  const lines: Array<string> = []
  const byVersion = new Map<string, Array<string>>()
  for (const stack of back) byVersion.set(versionOf(stack), [...(byVersion.get(versionOf(stack)) ?? []), stack.name])
  for (const [version, names] of byVersion) {
    lines.push(`${among(names)} ${names.length === 1 ? "is" : "are"} back at ${version}`)
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

const cause = (state: Execution.ExecutionState): string => {
  const failed = state.stacks.find(({ error }) => error !== undefined)?.error
  const verdict = state.verdicts.findLast((one) => one.verdict === "fail" || one.verdict === "error")
  return (
    state.error?.message ??
    failed?.message ??
    (verdict === undefined
      ? (state.reason ?? word(state.status))
      : `${verdict.stack}: ${verdict.step}: ${verdict.reason}`)
  )
}

const next = (state: Execution.ExecutionState): ReadonlyArray<string> => {
  const where = `--environment ${state.environment}`
  const look = `signalbox events ${state.correlationId}`
  switch (state.status) {
    case "completed":
      return []
    case "paused":
      return state.questions.length > 0
        ? [`signalbox approve ${state.correlationId}`, `signalbox abort ${state.correlationId}`]
        : [`signalbox attach ${state.correlationId}`, `signalbox abort ${state.correlationId}`]
    case "queued":
    case "in_progress":
    case "rolling_back":
      return [`signalbox attach ${state.correlationId}`]
    default:
      return [
        look,
        `signalbox ${state.kind} ${state.deploymentId}${state.kind.endsWith("-stack") ? ` ${state.stacks[0]?.name ?? "<stack>"}` : ""} ${where}`
      ]
  }
}

const headline = (state: Execution.ExecutionState, { paint }: Pick<Invocation, "paint">): string => {
  const [sign, style] = mark(state.status)
  const took =
    state.startedAt === undefined || state.finishedAt === undefined
      ? ""
      : ` in ${span(state.finishedAt - state.startedAt)}`
  return `${paint(style, sign)} ${state.kind} ${state.deploymentId} ${state.environment}${state.version === undefined ? "" : ` ${state.version}`}: ${paint(style, word(state.status))}${took}`
}

/** The lines on stdout at the end of an execution. */
export const outcome = (state: Execution.ExecutionState, ink: Pick<Invocation, "paint">): ReadonlyArray<string> => {
  const { paint } = ink
  const types = next(state).map((line, index) => `${index === 0 ? "next:  " : "       "}${paint("cyan", line)}`)
  if (state.status === "completed") {
    return [
      headline(state, ink),
      ...state.stacks.map(
        (stack) => `  ${stack.name}: ${word(stack.status)}${stack.release === null ? "" : ` ${stack.release.version}`}`
      ),
      ...types
    ]
  }
  if (state.status === "paused" || state.finishedAt === undefined) {
    return [
      headline(state, ink),
      ...state.questions.map(({ question, stack }) => `  ${stack}: ${plain(question)}`),
      ...(state.reason === undefined ? [] : [`  ${plain(state.reason)}`]),
      ...types
    ]
  }
  return [
    headline(state, ink),
    `cause: ${plain(cause(state))}`,
    ...(state.error?.hint === undefined ? [] : [`       ${plain(state.error.hint)}`]),
    ...done(state).map((line, index) => `${index === 0 ? "done:  " : "       "}${line}`),
    ...types
  ]
}
