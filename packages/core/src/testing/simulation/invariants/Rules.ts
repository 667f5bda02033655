/** What each event must match: the invariants that can be read from the log alone. */
import type { Event, EventOf } from "../../../domain/Event.ts"
import type { ExecutionState } from "../../../domain/Execution.ts"
import type { StackSpec } from "../../../domain/Spec.ts"
import type { Monitor } from "./Monitor.ts"
import type { Process } from "../world/World.ts"

/** A step in the log. */
export interface LoggedStep {
  readonly startedAt: number
  finished: EventOf<"StepFinished"> | undefined
}

/** One execution in the log. */
export interface LoggedExecution {
  seq: number
  readonly ids: Set<string>
  state: ExecutionState
  /** With its starting state since its admission. */
  request: EventOf<"ExecutionRequested">
  readonly steps: Map<string, LoggedStep>
  readonly commands: Array<{ readonly at: number; readonly event: EventOf<"CommandIssued"> }>
  /** The stacks that this execution began to change. */
  readonly touched: Set<string>
  readonly verdicts: Array<EventOf<"VerdictReached">>
  /** Since when a stack must not continue without a person. */
  readonly unproven: Map<string, number>
  runner: { readonly fence: number; readonly process: Process } | undefined
  lock: number | undefined
}

/** Refers to a monitor. */
export const of = (monitor: Monitor) => ({ hold: monitor.hold.bind(monitor) })

const enabled = ({ request }: LoggedExecution): ReadonlyArray<StackSpec> =>
  request.spec.stacks.filter((stack) => stack.enabled)

const dependents = (execution: LoggedExecution, stack: string): ReadonlyArray<StackSpec> =>
  enabled(execution).filter(({ dependsOn }) => (dependsOn as ReadonlyArray<string>).includes(stack))

const finished = (execution: LoggedExecution, step: string) => execution.steps.get(step)?.finished !== undefined

/** Left as it is for a dependent in lockstep that could not be put back. */
const isKept = (execution: LoggedExecution, name: string): boolean =>
  dependents(execution, name).some(({ lockstep = [] }) => lockstep.some((one) => one === name)) &&
  execution.state.stacks
    .find((stack) => stack.name === name)
    ?.stages.some((stage) => stage.name === "rollback" && stage.status === "skipped") === true

const succeeded = (execution: LoggedExecution, step: string) =>
  (execution.steps.get(step)?.finished?.exit as { readonly _tag?: string } | undefined)?._tag === "Success"

const withAllTraffic = ["proof", "blue_green", "rolling 100%", "canary 100%"]

/** Whether a stack was judged with all traffic. */
const isProved = (execution: LoggedExecution, stack: string) =>
  [...execution.steps.keys()].some((step) => {
    const [operation, name, label] = step.split("/")
    return operation === "watch" && name === stack && withAllTraffic.includes(label!) && succeeded(execution, step)
  })

/** Records an event, and checks it. */
export const check = (monitor: Monitor, execution: LoggedExecution, at: number, event: Event): void => {
  switch (event._tag) {
    case "ExecutionAdmitted": {
      const { _tag, ...from } = event
      execution.request = { ...execution.request, ...from }
      return
    }
    case "StepStarted":
      return stepStarted(monitor, execution, at, event)
    case "StepFinished":
      return stepFinished(monitor, execution, event)
    case "CommandIssued":
      return void execution.commands.push({ at, event })
    case "StackTransitioned":
      if (event.on === "deploy_started") execution.touched.add(event.stack)
      return
    case "VerdictReached":
      return verdictReached(monitor, execution, event)
    case "RunnerClaimed":
      monitor.hold(
        event.fence > (execution.runner?.fence ?? 0),
        "one_mutator",
        () => `${execution.state.correlationId}: the token of its runner went down to ${event.fence}`
      )
      return
    case "ExecutionTransitioned":
      if (event.on === "rolled_back" || event.on === "failed" || event.on === "completed")
        ended(monitor, execution, event)
      return
  }
}

const forward = new Set(["stage", "shift", "retire"])

const stepStarted = (
  monitor: Monitor,
  execution: LoggedExecution,
  at: number,
  { operation, stack, step }: EventOf<"StepStarted">
): void => {
  const { correlationId, kind } = execution.state
  monitor.hold(
    !execution.steps.has(step),
    "journal_first",
    () => `${correlationId}: the step ${step} is begun a second time`
  )
  execution.steps.set(step, { startedAt: at, finished: undefined })
  if (stack === undefined) return
  const spec = enabled(execution).find(({ name }) => name === stack)
  if (operation === "rollback") {
    monitor.hold(
      spec?.irreversible === undefined,
      "failure_goes_back",
      () => `${correlationId}: ${stack} is irreversible and is undone`
    )
    for (const other of dependents(execution, stack)) {
      const concerned = kind === "rollback" || execution.touched.has(other.name)
      const inLockstep = concerned && (other.lockstep ?? []).some((name) => name === stack)
      monitor.hold(
        !inLockstep || (other.irreversible === undefined && succeeded(execution, `rollback/${other.name}`)),
        "failure_goes_back",
        () => `${correlationId}: ${stack} goes back although ${other.name}, which is in lockstep with it, did not`
      )
      monitor.hold(
        !concerned ||
          other.irreversible !== undefined ||
          finished(execution, `rollback/${other.name}`) ||
          isKept(execution, other.name),
        "failure_goes_back",
        () => `${correlationId}: ${stack} goes back before ${other.name}, which depends on it`
      )
    }
  }
  if (operation === "destroy") {
    for (const other of dependents(execution, stack)) {
      monitor.hold(
        finished(execution, `destroy/${other.name}`),
        "failure_goes_back",
        () => `${correlationId}: ${stack} is destroyed before ${other.name}, which depends on it`
      )
    }
  }
  if (operation === "stage") {
    for (const name of spec?.dependsOn ?? []) {
      monitor.hold(
        !execution.touched.has(name) || isProved(execution, name),
        "typed_verdicts",
        () => `${correlationId}: ${stack} starts before ${name}, which it depends on, is proved`
      )
    }
  }
  if (forward.has(operation)) {
    const since = execution.unproven.get(stack)
    const said = execution.commands.some(
      ({ at, event }) =>
        at >= (since ?? 0) &&
        (event.command === "approve" || event.command === "promote") &&
        (event.stack === undefined || event.stack === stack)
    )
    monitor.hold(
      since === undefined || said,
      "typed_verdicts",
      () => `${correlationId}: ${step} is begun although ${stack} has not passed, without an approval`
    )
  }
}

const stepFinished = (monitor: Monitor, execution: LoggedExecution, event: EventOf<"StepFinished">): void => {
  const { correlationId } = execution.state
  const step = execution.steps.get(event.step)
  if (step === undefined) {
    return monitor.violate("journal_first", `${correlationId}: ${event.step} has a receipt and no intent`)
  }
  monitor.hold(step.finished === undefined, "journal_first", () => `${correlationId}: ${event.step} has two receipts`)
  step.finished = event
  const [operation, stack, label] = event.step.split("/")
  const exit = event.exit as { readonly _tag: string; readonly value?: { readonly verdict?: string } }
  if (operation !== "watch" || stack === undefined || exit._tag !== "Success") return
  const last = execution.verdicts.findLast(
    ({ verdict }) => verdict.stack === stack && verdict.step === label && verdict.at >= step.startedAt
  )
  const promoted = execution.commands.some(
    ({ event }) => event.command === "promote" && (event.stack === undefined || event.stack === stack)
  )
  if (exit.value?.verdict !== "pass") execution.unproven.set(stack, step.startedAt)
  else if (promoted || last?.verdict.verdict === "pass") execution.unproven.delete(stack)
  else {
    monitor.violate(
      "typed_verdicts",
      `${correlationId}: ${event.step} passes, but its last verdict is ${last?.verdict.verdict ?? "missing"}`
    )
  }
}

/** A canary passes only on data: as many requests as its gate requires. */
const verdictReached = (monitor: Monitor, execution: LoggedExecution, event: EventOf<"VerdictReached">): void => {
  execution.verdicts.push(event)
  const { measured, stack, step, verdict } = event.verdict
  const spec = enabled(execution).find(({ name }) => name === stack)
  if (verdict !== "pass" || spec === undefined || !step.startsWith("canary")) return
  monitor.hold(
    measured !== undefined && measured.requests >= spec.gate.minSamples,
    "typed_verdicts",
    () =>
      `${stack}: ${step} passes on ${measured?.requests ?? "no"} requests; its gate asks for ${spec.gate.minSamples}`
  )
}

const ended = (monitor: Monitor, execution: LoggedExecution, event: EventOf<"ExecutionTransitioned">): void => {
  const { correlationId, error, kind, stacks } = execution.state
  if (error?.code === "defect") monitor.violate("no_defects", `${correlationId}: ${error.detail}`)
  if (event.on === "rolled_back") {
    for (const { checkpoint, irreversible, name, release, status } of stacks) {
      if (!execution.touched.has(name) || irreversible !== undefined) continue
      const there = status === "deployed" || (status === "not_deployed" && checkpoint?.release == null)
      monitor.hold(
        there && release?.id === checkpoint?.release?.id,
        "failure_goes_back",
        () =>
          `${correlationId} is rolled back, but ${name} is ${status} at ${release?.version ?? "nothing"} instead of ${checkpoint?.release?.version ?? "nothing"}`
      )
    }
  }
  const excused = ["rollback_failed", "kept_in_lockstep", "superseded", "defect"].includes(error?.code ?? "")
  if (event.on === "failed" && kind.startsWith("deploy") && execution.request.spec.rollback && !excused) {
    monitor.hold(
      execution.touched.size === 0,
      "failure_goes_back",
      () => `${correlationId} failed (${error?.code}) and did not go back`
    )
  }
}
