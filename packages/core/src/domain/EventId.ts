/**
 * The ids of events. An id makes a repeat harmless within its stream, so it follows from what the event records and
 * never from its writer. This module creates all of them, and is the only one that parses one.
 */
import type { Brand } from "effect/Brand"
import type { OperatorCommand } from "./Event.ts"
import type { DeploymentTrigger, ExecutionTrigger, StackTrigger, StageName, StageTrigger } from "./Machines.ts"

/** The id of an event, unique within its stream. */
export type EventId = string & Brand<"EventId">

const make = (...parts: ReadonlyArray<string | number>): EventId => parts.join("/") as EventId

// The stream of a deployment.
export const initialized = make("initialized")
export const extended = (names: ReadonlyArray<string>): EventId => make("extended", ...names)
/** Decisions are distinguished by their time and a random number: the same decision may be made twice. */
export const decision = (tag: string, at: number, random: number): EventId => make(tag, at, random)

// The beginning of an execution.
export const requested = make("requested")
export const admitted = make("admitted")
export const lease = (fence: number): EventId => make("lease", fence)
export const runner = (fence: number): EventId => make("runner", fence)
/** `seq` is the position in the stream: the same command may be issued twice. */
export const command = (seq: number, name: OperatorCommand, at: number): EventId => make("command", seq, name, at)
/** The abort of an execution that waits for a person, by the first request that it blocks. */
export const yielded = make("yielded")

// Transitions that happen once.
export const execution = (on: ExecutionTrigger): EventId => make("execution", on)
export const deployment = (on: DeploymentTrigger): EventId => make("deployment", on)
export const stack = (name: string, on: StackTrigger): EventId => make("stack", name, on)
/** `round` distinguishes repeats of waiting and resuming. */
export const stage = (name: StageName, on: StageTrigger, stack = "", round?: string): EventId =>
  round === undefined ? make("stage", stack, name, on) : make("stage", stack, name, on, round)

// Repeated transitions: `size` is the length of the journal.
export const pausedOrResumed = (size: number): EventId => make("execution/paused-or-resumed", size)
const setAsidePrefix = "execution/set-aside/"
export const setAside = (size: number): EventId => make(`${setAsidePrefix}${size}`)
/** Whether an interrupted runner paused its own execution. */
export const isSetAside = (id: string): boolean => id.startsWith(setAsidePrefix)

// The end of an execution, written by another process or after a defect.
const closingPrefix = "closing/"
export const closingExecution = make(`${closingPrefix}execution`)
export const closingDeployment = make(`${closingPrefix}deployment`)
export const closingStack = (name: string): EventId => make(`${closingPrefix}stack`, name)
export const closingStage = (name: StageName, stack = ""): EventId => make(`${closingPrefix}stage`, stack, name)
/** Whether an event closes an execution that could not end by itself. */
export const isClosing = (id: string): boolean => id.startsWith(closingPrefix)

const reportedPrefix = "reported/"
export const reported = (index: number): EventId => make(`${reportedPrefix}${index}`)
/** Whether an event reports work outside. */
export const isReported = (id: string): boolean => id.startsWith(reportedPrefix)

// Executions that ran without the store, or that were started outside.
export const degraded = (index: number): EventId => make("degraded", index)
export const observed = (what: "stack" | "stage" | "end"): EventId => make("observed", what)

// The journal of the workflow.
export const intent = (step: string): EventId => make("intent", step)
export const receipt = (step: string): EventId => make("receipt", step)
/** `n` counts the handles of the step. */
export const handle = (step: string, n: number): EventId => make("handle", step, n)
export const deferred = (name: string): EventId => make("deferred", name)
export const clock = (name: string): EventId => make("clock", name)

// Events recorded by steps.
export const planned = (stack: string): EventId => make("planned", stack)
export const checkpoint = (stack: string): EventId => make("checkpoint", stack)
export const outputs = (stack: string, when: string | number): EventId => make("outputs", stack, when)
export const traffic = (stack: string, when: string | number): EventId => make("traffic", stack, when)
/** `step` is the one that removes capacity. */
export const trafficConfigured = (step: string): EventId => make("traffic-configured", step)
export const verdict = (stack: string, step: string, at: number): EventId => make("verdict", stack, step, at)
export const asked = (question: string): EventId => make(question, "asked")
export const answered = (question: string): EventId => make(question, "answered")
/** The name of a question about credentials that ran out in a step. */
export const credentials = (step: string, round: number): string => `credentials/${step}/${round}`
export const retireFailed = (stack: string): EventId => make("retire-failed", stack)
export const processStarted = make("process/started")
export const processExited = make("process/exited")

// Progress: reported by a provider, or observed by a monitor.
export const seen = (stack: string, resource: string, changedAt: string | number, message: string): EventId =>
  make("seen", stack, resource, changedAt, message)
export const providerEvent = (stack: string, cursor: string): EventId => make("seen", stack, "event", cursor)

/** An operation that Signalbox did not start, and that a step waits for. */
export const waitedFor = (step: string, operation: string): EventId => make("waited-for", step, operation)

// Monitors and their alerts: an alert has the same id whichever monitor raises it.
export const monitor = (run: string, restarts: number): EventId => make("monitor", run, restarts)
export const monitoringGap = (run: string, restarts: number): EventId => make("alert/monitoring_gap", run, restarts)
export const stalled = (stall: "silence" | "stage", about: string): EventId => make("alert/stalled", stall, about)
export const recovered = (stall: "silence" | "stage", about: string): EventId => make("alert/recovered", stall, about)
export const overdue = make("alert/overdue/1")
export const ended = (result: "succeeded" | "failed", status: string): EventId => make("alert", result, status)
/** Whether an alert reports the end of an execution. */
export const isEnded = (id: string): boolean => id.startsWith("alert/succeeded/") || id.startsWith("alert/failed/")

/** The acknowledgement of a notification, which needs only one. */
export const acknowledged = (notification: string): EventId => make("acknowledged", notification)

export const traceExported = make("trace/exported")
