/**
 * The live tree of an execution: a pure function of its state, the time and the size of the screen.
 */
import { describe, describeCause, describeCauses, progressText } from "@signalbox/core/text"
import type { Estimate } from "@signalbox/core/analysis"
import type { Execution, Verdict } from "@signalbox/core/spi"
import { type Paint, paint as inks } from "../host/color.ts"
import { leftLine } from "./estimate.ts"
import { mark, word } from "./glyphs.ts"
import { displayWidth, fit, type Line, pad, type Piece } from "./text.ts"
import { span, timeToAnswer, workOf } from "./words.ts"

export interface Screen {
  readonly now: number
  readonly columns: number
  readonly rows: number
  readonly color: boolean
  /** The remaining time of the execution, if known. */
  readonly estimate?: Estimate.Estimate
  /** What it waits for before admission. */
  readonly waits?: string
}

/** A line and its priority for removal when the screen is too small; 0 stays. */
interface Weighed {
  readonly line: Line
  readonly weight: number
}

const keep = (line: Line): Weighed => ({ line, weight: 0 })

const elapsed = (stage: { readonly startedAt?: number; readonly finishedAt?: number }, now: number): string =>
  stage.startedAt === undefined ? "" : ` ${span((stage.finishedAt ?? now) - stage.startedAt)}`

const glyph = (status: string): Piece => {
  const [sign, style] = mark(status)
  return [style, sign]
}

const settled = new Set(["succeeded", "skipped", "cancelled", "failed"])
const active = (stack: Execution.StackState): boolean =>
  stack.stages.some(({ status }) => status === "running" || status === "waiting")
const untouched = (stack: Execution.StackState): boolean => stack.stages.every(({ status }) => status === "pending")

const barWidth = 20
const bar = (percent: number): string => {
  const filled = Math.round((percent / 100) * barWidth)
  return `${"█".repeat(filled)}${"░".repeat(barWidth - filled)}`
}

const versionOf = (stack: Execution.StackState, finished: boolean): string => {
  const from = stack.release?.version
  const to = stack.candidate?.version
  // At the end nothing is being deployed any more, whatever was planned.
  if (finished || to === undefined || to === from) return from ?? "–"
  return from === undefined ? to : `${from} → ${to}`
}

const timeOf = (stack: Execution.StackState, now: number): string => {
  const took = workOf(stack, now)
  return took === undefined ? "" : span(took)
}

const lastVerdict = (state: Execution.ExecutionState, stack: string): Verdict | undefined =>
  state.verdicts.filter((verdict) => verdict.stack === stack).toSorted((left, right) => right.at - left.at)[0]

const details = (state: Execution.ExecutionState, stack: Execution.StackState, now: number): ReadonlyArray<Weighed> => {
  const lines: Array<Weighed> = []
  const current = stack.stages.find(({ status }) => status === "running" || status === "waiting")
  if (current !== undefined) {
    lines.push({
      weight: 40,
      line: [
        "    ",
        glyph(current.status),
        ` ${word(current.name)}${elapsed(current, now)}`,
        [
          "dim",
          current.cause === undefined || state.questions.some((question) => question.stack === stack.name)
            ? ""
            : `  ${describeCause(current.cause)}`
        ]
      ]
    })
  }
  if (stack.candidate !== null && (active(stack) || stack.candidateTraffic > 0)) {
    lines.push({
      weight: 20,
      line: [
        "    ",
        ["cyan", bar(stack.candidateTraffic)],
        ` ${stack.candidateTraffic}% of the traffic to ${stack.candidate.version}`
      ]
    })
  }
  const verdict = lastVerdict(state, stack.name)
  if (verdict !== undefined) {
    lines.push({
      weight: 30,
      line: [
        "    ",
        glyph(verdict.verdict),
        ` ${word(verdict.verdict)}, ${verdict.step}: ${describeCauses(verdict.findings)}`
      ]
    })
  }
  if (stack.progress !== undefined && active(stack)) {
    lines.push({ weight: 50, line: ["    ", ["dim", progressText(stack.progress)]] })
  }
  return lines
}

const problem = (stack: Execution.StackState): ReadonlyArray<Weighed> =>
  stack.error === undefined ? [] : [{ weight: 10, line: ["    ", ["red", describe(stack.error).message]] }]

/**
 * A question with its answer to type; less important parts are dropped, or moved below, if the screen is too narrow to
 * copy it.
 */
const questions = (state: Execution.ExecutionState, stack: string, { columns, now }: Screen): ReadonlyArray<Weighed> =>
  state.questions
    .filter((question) => question.stack === stack)
    .flatMap((asked) => {
      const question = describeCause(asked.question)
      const left = timeToAnswer(asked, now)
      const beside = displayWidth(`    ⏸ ${question}${left}`) <= columns
      const approve = `signalbox approve ${state.correlationId}`
      const all = [`${approve} --stack ${stack}`, "  or abort"] as const
      const roomy = displayWidth(`      ${all.join("")}`) <= columns
      return [
        keep(["    ", ["yellow", "⏸ "], ["bold", question], ["dim", beside ? left : ""]]),
        ...(beside || left === "" ? [] : [keep(["      ", ["dim", left.slice(2, -1)]])]),
        roomy || state.questions.length > 1
          ? keep(["      ", ["cyan", all[0]], ["dim", all[1]]])
          : keep([displayWidth(approve) + 6 <= columns ? "      " : "", ["cyan", approve]])
      ]
    })

const block = (
  state: Execution.ExecutionState,
  stack: Execution.StackState,
  width: number,
  screen: Screen
): ReadonlyArray<Weighed> => {
  const { now } = screen
  const head: Weighed = keep([
    "  ",
    glyph(stack.status),
    ` ${pad(stack.name, width)}  ${pad(untouched(stack) ? "waits" : word(stack.status), 12)}  ${versionOf(stack, state.finishedAt !== undefined)}`,
    ["dim", `  ${timeOf(stack, now)}`]
  ])
  const asked = questions(state, stack.name, screen)
  // A finished subtree is one line, unless it says why it failed.
  const inside = active(stack) || asked.length > 0 ? details(state, stack, now) : []
  return [head, ...inside, ...problem(stack), ...asked]
}

const urgency = (state: Execution.ExecutionState, stack: Execution.StackState): number => {
  if (state.questions.some((question) => question.stack === stack.name)) return 0
  if (stack.status === "failed") return 1
  if (active(stack)) return 2
  return untouched(stack) ? 3 : 4
}

/** The stages in one line. If it is too long, finished ones make room for the running one. */
const stagesLine = (stages: ReadonlyArray<Execution.StageState>, screen: Screen, over = 0): Line => {
  const { columns, now } = screen
  const line: Line = [
    over === 0 ? "  " : "  … ",
    ...stages
      .slice(over)
      .flatMap((stage): ReadonlyArray<Piece> => [
        glyph(stage.status),
        ` ${word(stage.name)}`,
        [
          "dim",
          settled.has(stage.status) || stage.status === "running" || stage.status === "waiting"
            ? elapsed(stage, now)
            : ""
        ],
        "  "
      ])
  ]
  const width = displayWidth(
    line
      .map((piece) => (typeof piece === "string" ? piece : piece[1]))
      .join("")
      .trimEnd()
  )
  return width > columns && over < stages.length - 1 && settled.has(stages[over]!.status)
    ? stagesLine(stages, screen, over + 1)
    : line
}

const header = (state: Execution.ExecutionState, screen: Screen): ReadonlyArray<Weighed> => {
  const { estimate, now } = screen
  const left = leftLine(estimate, state)
  const version = state.version === undefined ? "" : `  ${state.version}`
  const strategy = state.strategy === undefined ? "" : `  ${state.strategy}`
  const begun = state.startedAt ?? state.requestedAt
  return [
    keep([
      glyph(state.status),
      " ",
      ["bold", `${state.kind} ${state.deploymentId}`],
      `  ${state.environment}${version}${strategy}  ${word(state.status)}`,
      ["dim", `  ${span((state.finishedAt ?? now) - begun)}`]
    ]),
    ...(screen.waits === undefined ? [] : [{ weight: 4, line: ["  ", ["yellow", screen.waits]] satisfies Line }]),
    ...(left === undefined ? [] : [{ weight: 36, line: ["  ", ["dim", left]] satisfies Line }]),
    { weight: 35, line: stagesLine(state.stages, screen) }
  ]
}

const footer = (state: Execution.ExecutionState, { columns }: Screen): ReadonlyArray<Weighed> => {
  if (state.error !== undefined) return [{ weight: 5, line: ["  ", ["red", describe(state.error).message]] }]
  if (state.status !== "paused" || state.questions.length > 0) return []
  const text = state.cause === undefined ? "paused" : describeCause(state.cause)
  const why: Line = ["  ", ["yellow", text]]
  const resume = `signalbox resume ${state.correlationId}`
  const beside = displayWidth(`  ${text}  ${resume}`) <= columns
  return beside
    ? [{ weight: 5, line: [...why, "  ", ["cyan", resume]] }]
    : [
        { weight: 6, line: why },
        { weight: 5, line: ["  ", ["cyan", resume]] }
      ]
}

/** Drops lines, the highest priority first and among these the lowest on screen, until there are at most `room`. */
const shrink = (lines: ReadonlyArray<Weighed>, room: number): ReadonlyArray<Weighed> => {
  const left = [...lines]
  while (left.length > room) {
    const heaviest = left.reduce(
      (best, one, index) => (one.weight > 0 && one.weight >= (left[best]?.weight ?? 0) ? index : best),
      -1
    )
    if (heaviest === -1) break
    left.splice(heaviest, 1)
  }
  return left
}

const rest = (hidden: ReadonlyArray<Execution.StackState>): Weighed => {
  const counts = new Map<string, number>()
  for (const stack of hidden) {
    const name = untouched(stack) ? "waiting" : word(stack.status)
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return keep([
    ["dim", `  … and ${hidden.length} more: ${[...counts].map(([name, count]) => `${count} ${name}`).join(", ")}`]
  ])
}

/**
 * The lines of the tree: never more than `rows - 1`, never wider than `columns`.
 */
export const render = (state: Execution.ExecutionState, screen: Screen): ReadonlyArray<string> => {
  const { color, columns, rows } = screen
  const paint: Paint = inks(color)
  const room = Math.max(1, rows - 1)
  const width = Math.max(...state.stacks.map(({ name }) => name.length), 0)
  const compose = (stacks: ReadonlyArray<Execution.StackState>) => {
    const hidden = state.stacks.filter((stack) => !stacks.includes(stack))
    return shrink(
      [
        ...header(state, screen),
        ...stacks.flatMap((stack) => block(state, stack, width, screen)),
        ...(hidden.length === 0 ? [] : [rest(hidden)]),
        ...footer(state, screen)
      ],
      room
    )
  }
  const byUrgency = state.stacks.toSorted((left, right) => urgency(state, left) - urgency(state, right))
  let shown = byUrgency.length
  let lines = compose(state.stacks)
  while (lines.length > room && shown > 0) {
    shown -= 1
    const chosen = new Set(byUrgency.slice(0, shown))
    lines = compose(state.stacks.filter((stack) => chosen.has(stack)))
  }
  return lines.slice(0, room).map(({ line }) => fit(line, columns, paint).trimEnd())
}
