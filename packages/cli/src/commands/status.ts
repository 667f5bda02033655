import { estimateView, environmentView, executionView, instantOf, runnerView } from "@signalbox/core/api/views"
import * as Clock from "effect/Clock"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Estimate } from "@signalbox/core/analysis"
import { type CorrelationId, DeploymentId, type Execution } from "@signalbox/core/spi"
import { describeCause } from "@signalbox/core/text"
import { inkOf, invocation, type Invocation } from "../main/Invocation.ts"
import { disagreement } from "../live/disagreement.ts"
import { leftLine } from "../live/estimate.ts"
import { executionLines } from "../live/execution.ts"
import { mark, word } from "../live/glyphs.ts"
import { table } from "../live/table.ts"
import { addressOf, ago, clock, plain, timeToAnswer } from "../live/words.ts"
import { nextLines } from "../execution/outcome.ts"
import { isWaiting, lookAt } from "../waiting/lookAt.ts"
import { estimateOf, signalbox, withServices } from "../main/services.ts"
import * as Target from "../request/target.ts"
import { isFinished } from "./choices.ts"
import { deploymentOrExecution } from "./flags.ts"

type View = ReturnType<typeof environmentView>

/** What is live now, and what is coming in, with its share of the traffic. */
const versionCell = ({ candidate, candidateTraffic, release }: View["stacks"][number]): string => {
  const now = release?.version ?? "–"
  if (candidate === null || candidate.id === release?.id) return now
  return `${now} → ${candidate.version}${candidateTraffic > 0 ? ` (${candidateTraffic} %)` : ""}`
}

const stackTable = (inv: Invocation, { stacks }: View, now: number): ReadonlyArray<string> =>
  table(
    stacks,
    [
      { title: "STACK", cell: (row) => row.name },
      {
        title: "STATUS",
        cell: (row) => `${mark(row.status)[0]} ${word(row.status)}`,
        style: (row) => mark(row.status)[1]
      },
      { title: "VERSION", cell: versionCell },
      { title: "PROVIDER", cell: (row) => row.provider ?? "–", drop: 3 },
      {
        title: "UPDATED",
        cell: (row) => (row.updatedAt === null ? "–" : ago(row.updatedAt.getTime(), now)),
        drop: 2
      },
      {
        title: "ADDRESS",
        // The live release keeps running while another one comes in, or while that one is stopped.
        cell: (row) => (row.release === null ? "–" : (addressOf(row.outputs) ?? "–")),
        drop: 1
      }
    ],
    { width: inv.host.stdout.columns(), paint: inv.paint }
  )

/** A deployment in one environment: the requested one, or else the most recently changed one. */
const showDeployment = Effect.fnUntraced(function* (inv: Invocation, id: DeploymentId) {
  const found = yield* Target.deployment(id)
  const { deployments, executions, notices } = yield* signalbox
  const states = yield* deployments.environments(id)
  const environment =
    inv.settings.environment === undefined
      ? (states[0]?.environment ?? found.environments[0]!)
      : yield* Target.environmentIn(inv, found.environments)
  const state = states.find((one) => one.environment === environment)
  const execution = state === undefined ? undefined : yield* executions.get(state.current ?? state.last)
  const now = yield* Clock.currentTimeMillis
  // Other projects of a shared store send their own.
  const unattended = yield* notices.unattendedSince(id)
  const estimate = yield* estimateOf(execution)
  const shown = environmentView(found, state, environment, execution, now)
  const { config } = inv.settings
  const canBeAsked = config !== undefined || state?.stacks.some(({ spec }) => spec !== undefined) === true
  const note = disagreement(shown, canBeAsked ? "configured" : "bare")
  const view = {
    ...shown,
    note: note ?? null,
    notificationsWaitSince: unattended === undefined ? null : instantOf(unattended),
    execution: shown.execution === null ? null : { ...shown.execution, estimate: estimateView(estimate) },
    environments: found.environments.map((name) => ({
      name,
      status: states.find((one) => one.environment === name)?.status ?? ("initialized" as const)
    }))
  }
  yield* inv.result(view, () => {
    const [sign, style] = mark(view.status)
    const others = view.environments.filter(({ name }) => name !== environment)
    return [
      `${inv.paint("bold", view.deploymentId)} ${view.organization}/${view.project}  ${environment}  ${inv.paint(style, `${sign} ${word(view.status)}`)}`,
      ...(note === undefined ? [] : [inv.paint("yellow", note)]),
      ...(unattended === undefined
        ? []
        : [inv.paint("yellow", `notifications wait since ${clock(unattended)}: signalbox notify flush`)]),
      "",
      ...stackTable(inv, view, now),
      "",
      ...(execution === undefined
        ? [`next:  ${inv.paint("cyan", `signalbox deploy ${id} --environment ${environment} --version <version>`)}`]
        : executionSummary(inv, execution, now, estimate)),
      ...(others.length === 0
        ? []
        : [`other environments: ${others.map((other) => `${other.name} ${word(other.status)}`).join(", ")}`])
    ]
  })
})

/** The current or last execution, and how to see more of it. */
const executionSummary = (
  inv: Invocation,
  execution: Execution.ExecutionState,
  now: number,
  estimate: Estimate.Estimate | undefined
): ReadonlyArray<string> => {
  const left = leftLine(estimate, execution)
  const finished = isFinished(execution)
  const version = execution.version === undefined ? "" : ` ${execution.version}`
  return [
    `${finished ? "last:" : "now: "}  ${execution.kind}${version} by ${plain(execution.by)}, ${ago(execution.requestedAt, now)}: ${word(execution.status)}`,
    ...(left === undefined ? [] : [`left:  ${left}`]),
    ...execution.questions.map(
      ({ expiresAt, question, stack }) =>
        `waits: ${stack}: ${plain(describeCause(question))}${timeToAnswer(expiresAt === undefined ? {} : { expiresAt }, now)}`
    ),
    ...(finished
      ? [`more:  ${inv.paint("cyan", `signalbox status ${execution.correlationId}`)}`]
      : nextLines(execution, inv))
  ]
}

const showExecution = Effect.fnUntraced(function* (inv: Invocation, state: Execution.ExecutionState) {
  const runner = yield* Effect.flatMap(signalbox, (box) => box.executions.runner(state.correlationId))
  const waits = isWaiting(state) ? yield* lookAt(state) : undefined
  const now = yield* Clock.currentTimeMillis
  const estimate = yield* estimateOf(state)
  yield* inv.result(
    {
      ...executionView(state, now),
      runner: runnerView(runner),
      estimate: estimateView(estimate),
      position: waits?.place.position ?? null,
      ahead: waits?.place.ahead.map(({ correlationId }) => correlationId) ?? []
    },
    () => executionLines(state, runner, now, inkOf(inv), estimate, waits?.message)
  )
})

const isDeploymentId = Schema.is(DeploymentId)

/** What an ID names. An ID that looks like a deployment's is one, unless only an execution has it. */
const show = Effect.fnUntraced(function* (inv: Invocation, given: CorrelationId | DeploymentId) {
  const { deployments, executions } = yield* signalbox
  if (isDeploymentId(given) && (yield* deployments.get(given)) !== undefined) return yield* showDeployment(inv, given)
  const execution = yield* executions.get(given as CorrelationId)
  if (execution !== undefined) return yield* showExecution(inv, execution)
  return isDeploymentId(given) ? yield* showDeployment(inv, given) : yield* Target.unknownExecution(given)
})

export const status = Command.make(
  "status",
  { id: deploymentOrExecution },
  Effect.fnUntraced(function* (flags) {
    const inv = yield* invocation
    const id = Option.getOrUndefined(flags.id) ?? (yield* Target.deploymentId(inv, undefined))
    yield* withServices(inv, show(inv, id))
  })
).pipe(Command.withDescription("Show the status of a deployment and its stacks, or of one execution"))
